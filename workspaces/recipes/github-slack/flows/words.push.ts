interface Push { ref: string; repository: { full_name: string }; pusher: { name: string }; commits: { message: string }[]; compare: string }

/** Branches with something new; no tags, no deleted branches. */
export function push({ event }: { event: Push }): { text: string } {
    if (!event.ref.startsWith("refs/heads/") || event.commits.length === 0) return { text: "" };
    const titles = event.commits.slice(0, 5).map(({ message }) => `• ${html.escape(message.split("\n")[0])}`);
    const branch = event.ref.slice("refs/heads/".length);
    return { text: `${event.pusher.name} pushed <${event.compare}|${event.commits.length} to ${event.repository.full_name} ${branch}>\n${titles.join("\n")}` };
}
