interface Mail { to: string; subject: string; text: string; messageId: string }

const WORDS: Record<string, string> = {
    "incident.triggered": "triggered",
    "incident.acknowledged": "acknowledged",
    "incident.resolved": "resolved",
};

/** Reads leniently: fields may be missing or null, and event types that we do not know are none of our business. */
export async function read({ body, sender, siteName }: { body: any; sender: string; siteName: string }): Promise<{
    worthAMail: boolean; subject: string; text: string; inboxId: string; mails: Mail[]; incidentKey: string; over: boolean;
}> {
    const event = body?.event ?? {};
    const data = event.data ?? {};
    const word = WORDS[event.event_type];
    const who = text(event.agent?.summary) || "a colleague";
    const incidentKey = text(data.incident_key);
    const title = text(data.title) || "An incident";
    const merged = word === "resolved" && data.resolve_reason?.type === "merge_resolve_reason";
    const domain = /@([\w.-]+)/.exec(sender)?.[1] ?? "flowlet.invalid";
    const id = (part: string) => `<${text(event.id).replace(/[^\w-]/g, "") || crypto.randomUUID()}.${part}@${domain}>`;
    if (Array.isArray(body?.messages)) log.warn("This is a V2 webhook, which PagerDuty has ended: make a V3 subscription.");
    if (!word) return { worthAMail: false, subject: "", text: "", inboxId: "", mails: [], incidentKey, over: false };

    const news = merged ? `merged into another incident by ${who}` : `${word} by ${who}`;
    const mails: Mail[] = [];
    if (incidentKey && (word === "acknowledged" || (word === "resolved" && !merged))) {
        const subject = word === "acknowledged" ? `Emergency signal acknowledged by ${who}` : `The emergency at ${siteName} is over`;
        const said = word === "acknowledged"
            ? `${subject}.\n\nSomebody is working on it now. We write again when it is over.`
            : `${who} has resolved the incident "${title}".\n\nIf something still does not work, press the button again.`;
        const contacts = await state.list(`contact/${incidentKey}/`);
        contacts.forEach(({ key }, i) => mails.push({ to: key.slice(`contact/${incidentKey}/`.length), subject, text: said, messageId: id(`customer${i}`) }));
    }
    return {
        worthAMail: true,
        subject: `PagerDuty: ${title} (${word})`,
        text: [`The incident "${title}" was ${news}.`, "", text(data.html_url)].join("\n"),
        inboxId: id("inbox"),
        mails,
        incidentKey,
        over: word === "resolved" && !merged,
    };
}

function text(value: unknown): string {
    return typeof value === "string" ? value.replace(/[\u0000-\u001f\u007f]+/g, " ").trim().slice(0, 1000) : "";
}
