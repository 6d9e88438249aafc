import type { Names } from "../values.ts";
import type { Ask } from "./bound.ts";

export function mailOf(ask: Ask) {
    return {
        send(...given: [message: Names] | [server: string, from: string, to: string | string[], subject: string, body: string, isHtml?: boolean]): Promise<unknown> {
            if (given.length === 1) return ask("mail.send", given[0]);
            const [server, from, to, subject, body, isHtml] = given;
            return ask("mail.send", { server, from, to, subject, [isHtml ? "html" : "text"]: body });
        },
    };
}
