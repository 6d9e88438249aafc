/** Subject, text and keys of what the monitor said. */
export function words({ event, check, label, target, message, source, sender }: {
    event: string; check: string; label: string; target?: string; message?: string; source: string; sender: string;
}): { subject: string; details: string; incidentKey: string; mailId: string } {
    const domain = /@([\w.-]+)/.exec(sender)?.[1] ?? "flowlet.invalid";
    return {
        subject: event === "down" ? `${source}: ${label} is down` : `${source}: ${label} is up again`,
        details: [
            event === "down" ? `${source} reports that ${label} is down.` : `${source} reports that ${label} is up again. All clear.`,
            ...(target ? ["", target] : []),
            ...(message ? ["", message] : []),
        ].join("\n"),
        incidentKey: `emergency-response/${check}`.slice(0, 200),
        mailId: `<${crypto.randomUUID()}@${domain}>`,
    };
}
