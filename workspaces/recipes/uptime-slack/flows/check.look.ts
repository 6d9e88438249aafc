interface Check { url: string; problem: string }

/** Empty: the page is there and says what it must. */
export async function look({ url, text }: { url: string; text?: string }): Promise<{ checked: Check }> {
    try {
        const answer = await http.request({ url, timeout: 8000 });
        if (answer.status >= 400) return { checked: { url, problem: `answers with status ${answer.status}` } };
        if (text && !String(answer.body).includes(text)) return { checked: { url, problem: `does not contain "${text}"` } };
        return { checked: { url, problem: "" } };
    } catch (error) {
        return { checked: { url, problem: (error as Error).message } };
    }
}
