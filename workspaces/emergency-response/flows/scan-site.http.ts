interface Page { url: string; ok: boolean; status: number | null; ms: number | null; certificateDays: number | null; problem: string }

const SLOW_MS = 3000;
const CERTIFICATE_DAYS = 14;

/** Fetches one page: status, time, certificate, and a text that has to be there. */
export async function checkHttp({ url, text }: { url: string; text?: string }): Promise<{ checked: Page }> {
    const checked: Page = { url, ok: false, status: null, ms: null, certificateDays: null, problem: "" };
    try {
        const answer = await http.request({ url, timeout: 5000, followRedirects: true });
        checked.status = answer.status;
        checked.ms = Math.round(answer.timing.total);
        checked.certificateDays = answer.certificate?.days_left ?? null;
        checked.problem = problemOf(checked, String(answer.body), text);
        checked.ok = checked.problem === "";
    } catch (error) {
        checked.problem = (error as Error).message;
    }
    return { checked };
}

function problemOf(page: Page, body: string, text?: string): string {
    if (page.status! >= 400) return `answers with status ${page.status}`;
    if (text && !body.includes(text)) return `does not contain "${text}"`;
    if (page.ms! > SLOW_MS) return `is slow: ${page.ms} ms`;
    if (page.certificateDays !== null && page.certificateDays < CERTIFICATE_DAYS) return `its certificate ends in ${page.certificateDays} days`;
    return "";
}
