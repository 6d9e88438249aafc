/** Sends one mail; `to` is the global inbox unless somebody else is named. */
export async function send({ server, sender, inbox, to, subject, body, messageId, inReplyTo }: {
    server: string; sender: string; inbox: string[]; to?: string[]; subject: string; body: string; messageId?: string; inReplyTo?: string;
}): Promise<{ sentAs: string }> {
    const sent = await mail.send({
        server,
        from: sender,
        to: to?.length ? to : inbox,
        subject: subject.replace(/\s+/g, " ").slice(0, 200),
        text: body,
        messageId,
        headers: inReplyTo ? { "In-Reply-To": inReplyTo, References: inReplyTo } : undefined,
        timeout: 5500,
    });
    return { sentAs: sent.message_id };
}
