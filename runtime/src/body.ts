// A request's body as its type says: JSON, form, multipart, text or bytes.

import { refuseRequest } from "./answer.ts";
import { coerce, collect } from "./coerce.ts";
import { host } from "./host.ts";
import type { PlanStart, Schema } from "./plan.ts";
import { unfitJson, type Names } from "./values.ts";
import type { Violation } from "./validation.ts";

type BodyType = NonNullable<NonNullable<PlanStart["body"]>["type"]>;

/** undefined: there is none. */
export function bodyOf(plan: NonNullable<PlanStart["body"]>, contentType: string, body: ArrayBuffer | undefined, wrong: Violation[]): unknown {
    const sent = typeOf(contentType);
    // Without a type in the flow the request says what it is.
    const type = plan.type ?? sent ?? "bytes";
    if (type === "bytes") return body && new Uint8Array(body);
    if (type === "text") return body && host.utf8Decode(body);
    if (!body || body.byteLength === 0) return type === "json" ? undefined : {};
    if (sent !== type && !(type === "json" && sent === undefined && contentType === ""))
        throw refuseRequest(415, "Unsupported Media Type", `This address takes ${NAMES[type]}${contentType ? `, not ${contentType.slice(0, 200)}` : ""}.`);
    if (type === "json") return jsonOf(body);
    return formOf(type === "form" ? fieldsOf(body) : partsOf(body, contentType), plan.schema, wrong);
}

const NAMES: Record<BodyType, string> = {
    json: "application/json",
    form: "application/x-www-form-urlencoded",
    multipart: "multipart/form-data",
    text: "text",
    bytes: "bytes",
};

function typeOf(contentType: string): BodyType | undefined {
    const essence = contentType.split(";")[0].trim().toLowerCase();
    if (essence === "application/json" || essence.endsWith("+json")) return "json";
    if (essence === "application/x-www-form-urlencoded") return "form";
    if (essence === "multipart/form-data") return "multipart";
    return essence.startsWith("text/") ? "text" : undefined;
}

function jsonOf(body: ArrayBuffer): unknown {
    const parsed = host.parseJson(body);
    const value = parsed === undefined ? parsedSlowly(body) : parsed;
    const why = unfitJson(value, parsed === undefined);
    if (why) throw refuseRequest(400, "Bad Request", `The body is refused: ${why}.`);
    return value;
}

/** Says what is wrong with it, or lets it pass for a closer look. */
function parsedSlowly(body: ArrayBuffer): unknown {
    try {
        return JSON.parse(host.utf8Decode(body));
    } catch (error) {
        throw refuseRequest(400, "Bad Request", `The body is no JSON: ${(error as Error).message.replace(/^JSON Parse error: |\.$/g, "").slice(0, 200)}.`);
    }
}

function formOf(pairs: [string, unknown][], schema: Schema | undefined, wrong: Violation[]): Names {
    const form = collect(pairs, schema, "", wrong);
    if (schema) coerce(form, schema);
    return form;
}

function fieldsOf(body: ArrayBuffer): [string, string][] {
    try {
        return host.parseForm(host.utf8Decode(body));
    } catch (error) {
        throw refuseRequest(400, "Bad Request", `The body is no form: ${(error as Error).message.slice(0, 200)}.`);
    }
}

/** Fields are texts; files {name, type, size, content}. */
function partsOf(body: ArrayBuffer, contentType: string): [string, unknown][] {
    const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
    if (!boundary) throw refuseRequest(400, "Bad Request", "The body is multipart, but its Content-Type names no boundary.");
    let parts;
    try {
        parts = host.parseMultipart(body, boundary[1] ?? boundary[2]);
    } catch (error) {
        throw refuseRequest(400, "Bad Request", `The body is no multipart form: ${(error as Error).message.slice(0, 200)}.`);
    }
    return parts.map((part) => [
        part.name,
        part.filename === undefined
            ? host.utf8Decode(part.bytes)
            : { name: part.filename, type: part.type ?? "application/octet-stream", size: part.bytes.byteLength, content: new Uint8Array(part.bytes) },
    ]);
}
