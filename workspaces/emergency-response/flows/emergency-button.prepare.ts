/** What every channel says, and the keys that make tries of it recognisable. */
export function prepare({ message, contact, site, siteName, sender }: {
    message?: string; contact?: string; site?: string; siteName: string; sender: string;
}): { subject: string; message: string; details: string; incidentKey: string; messageId: string; scanMessageId: string; contact: string; raisedAt: string } {
    const where = oneLine(site ?? "") || "site";
    const what = (message ?? "").trim();
    const from = oneLine(contact ?? "");
    const domain = /@([\w.-]+)/.exec(sender)?.[1] ?? "flowlet.invalid";
    const name = where === "site" ? siteName : `${siteName} (${where})`;
    const id = crypto.randomUUID();
    const title = `Emergency: ${name}${what ? `: ${oneLine(what).slice(0, 120)}` : ""}`;
    return {
        subject: title,
        message: title,
        details: [`The emergency button was pressed for ${name}.`, "", what || "(nothing was written)", "", `Contact: ${from || "none given"}`].join("\n"),
        incidentKey: `emergency-response/${where.slice(0, 100)}`,
        messageId: `<${id}@${domain}>`,
        scanMessageId: `<${id}.scan@${domain}>`,
        contact: from,
        raisedAt: new Date().toISOString(),
    };
}

function oneLine(text: string): string {
    return text.replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
}
