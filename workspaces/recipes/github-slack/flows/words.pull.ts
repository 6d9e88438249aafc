interface Pull { action: string; pull_request: { number: number; title: string; html_url: string; merged: boolean; user: { login: string } } }

export function pull({ event }: { event: Pull }): { text: string } {
    const { number, title, html_url, merged, user } = event.pull_request;
    if (!["opened", "reopened", "closed"].includes(event.action)) return { text: "" };
    const what = event.action === "closed" && merged ? "merged" : event.action;
    return { text: `Pull request <${html_url}|#${number} ${html.escape(title)}> by ${user.login} ${what}` };
}
