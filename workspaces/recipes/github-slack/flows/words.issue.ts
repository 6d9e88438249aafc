interface Issue { action: string; issue: { number: number; title: string; html_url: string }; sender: { login: string } }

export function issue({ event }: { event: Issue }): { text: string } {
    if (!["opened", "reopened", "closed"].includes(event.action)) return { text: "" };
    return { text: `${event.sender.login} ${event.action} issue <${event.issue.html_url}|#${event.issue.number} ${html.escape(event.issue.title)}>` };
}
