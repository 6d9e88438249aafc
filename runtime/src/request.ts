// What the operation http.request is asked for, from what people give: a URL and its query, headers, and a body of
// JSON, a form, text or bytes.

import { URLSearchParams } from "whatwg-url-minimum";
import { refuse } from "./fault.ts";
import { json, toBytes, type Names } from "./values.ts";

export interface Request extends Names {
    method: string;
    url: string;
    headers: Record<string, string>;
    body: unknown;
}

/** bodyType: "json", "form" or "text"; without one text is sent as text, anything else as JSON. */
export function requestOf(given: Names, bodyType?: unknown, where = ""): Request {
    const { method = "GET", url, headers, query, body } = given;
    if (typeof url !== "string" || url === "") throw refuse("mapping", `${where}a URL is needed`);
    const fields = fieldsOf(headers);
    const content = body === undefined || body === null ? undefined : contentOf(body, bodyType, fields);
    return { method: String(method).toUpperCase(), url: withQuery(url, query), headers: fields, body: content };
}

function fieldsOf(given: unknown): Record<string, string> {
    const out: Record<string, string> = {};
    for (const [name, value] of Object.entries((given ?? {}) as Names)) if (value !== undefined && value !== null) out[name] = String(value);
    return out;
}

function withQuery(url: string, query: unknown): string {
    const text = formOf(query ?? {});
    if (text === "") return url;
    const [before, fragment] = url.split("#", 2);
    return `${before}${before.includes("?") ? "&" : "?"}${text}${fragment === undefined ? "" : `#${fragment}`}`;
}

function formOf(fields: unknown): string {
    const out = new URLSearchParams();
    for (const [name, value] of Object.entries(fields as Names))
        for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) out.append(name, typeof one === "object" ? json(one) : String(one));
    return out.toString();
}

/** The body as it is sent; its type is added where the headers do not say one. */
function contentOf(body: unknown, type: unknown, headers: Record<string, string>): unknown {
    const typed = (name: string): void => {
        if (!Object.keys(headers).some((one) => one.toLowerCase() === "content-type")) headers["Content-Type"] = name;
    };
    if (toBytes(body)) return body;
    if (type === "form") {
        typed("application/x-www-form-urlencoded");
        return typeof body === "string" ? body : formOf(body);
    }
    if (type === "text" || (type === undefined && typeof body === "string")) {
        typed("text/plain; charset=utf-8");
        return typeof body === "string" ? body : json(body);
    }
    typed("application/json");
    return json(body);
}
