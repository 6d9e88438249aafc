import type { Names } from "../values.ts";
import type { Ask } from "./bound.ts";
import { optionsOf } from "./operations.ts";

const OPTIONS = {
    server: "server",
    from: "from",
    to: "to",
    cc: "cc",
    bcc: "bcc",
    replyTo: "reply_to",
    subject: "subject",
    text: "text",
    html: "html",
    attachments: "attachments",
    headers: "headers",
    messageId: "message_id",
    autoSubmitted: "auto_submitted",
    timeout: "timeout_ms",
};

export function mailOf(ask: Ask) {
    return {
        async send(...given: [message: Names] | [server: string, from: string, to: string | string[], subject: string, body: string, isHtml?: boolean]): Promise<unknown> {
            if (given.length === 1) return ask("mail.send", optionsOf("mail.send", given[0], OPTIONS));
            const [server, from, to, subject, body, isHtml] = given;
            return ask("mail.send", { server, from, to, subject, [isHtml ? "html" : "text"]: body });
        },
    };
}
