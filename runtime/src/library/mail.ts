import type { Names } from "../values.ts";
import type { Ask } from "./bound.ts";

interface Message extends Names {
    to: string | string[];
    cc?: string | string[];
    bcc?: string | string[];
}

/** "a@x.org, B <b@x.org>" is two addresses; a comma in quotes parts nothing. */
function addresses(given: unknown): unknown {
    if (typeof given !== "string") return given;
    return (given.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? []).map((one) => one.trim()).filter((one) => one !== "");
}

export function mailOf(ask: Ask) {
    return {
        send(...given: [Message] | [server: string, from: string, to: string | string[], subject: string, body: string, isHtml?: boolean]): Promise<unknown> {
            if (given.length === 1) {
                const message = { ...given[0] };
                for (const field of ["to", "cc", "bcc"]) if (message[field] !== undefined) message[field] = addresses(message[field]);
                return ask("mail.send", message);
            }
            const [server, from, to, subject, body, isHtml] = given;
            return ask("mail.send", { server, from, to: addresses(to), subject, [isHtml ? "html" : "text"]: body });
        },
    };
}
