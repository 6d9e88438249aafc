// An endpoint's answer, from what its End or Respond got: body, status, headers.
//
// An object becomes JSON; a string HTML or text; bytes stay what they are; a file, {name, type, content} as a form brings
// it, is sent to be saved under its name; nothing reached is 204. What
// HTTP could not carry is refused here: a line break in a header would let its value end the head (RFC 9110, 5.5).

import { refuse } from "./fault.ts";
import type { Section } from "./host.ts";
import { bufferOf, json, toBytes, type Names } from "./values.ts";

export interface Answer {
    /** JSON: {"status", "headers": [[name, value]]}. */
    head: string;
    body: Section;
}

const JSON_HEAD = '{"status":200,"headers":[["Content-Type","application/json"]]}';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MEDIA_TYPE = /^[!#$&^_.+\-0-9A-Za-z]+\/[!#$&^_.+\-0-9A-Za-z]+(?:;[ -~]*)?$/;
/** What belongs to the connection is the server's. */
const RESERVED = new Set(["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "date"]);

export function answerOf(output: Names | undefined): Answer {
    if (output === undefined) return { head: '{"status":204,"headers":[]}', body: undefined };
    const { status, headers, body } = output;
    if (status === undefined && headers === undefined && typeof body === "object" && body !== null && !toBytes(body) && !fileOf(body))
        return { head: JSON_HEAD, body: json(body) };
    const code = statusOf(status);
    const fields = fieldsOf(headers);
    const file = fileOf(body);
    if (file && !fields.some(([name]) => name.toLowerCase() === "content-disposition")) fields.push(["Content-Disposition", dispositionOf(file.name)]);
    const [type, content]: [string, Section] = file ? [file.type, bufferOf(file.bytes)] : contentOf(body);
    if (type && !fields.some(([name]) => name.toLowerCase() === "content-type")) fields.push(["Content-Type", type]);
    return { head: `{"status":${code},"headers":${json(fields)}}`, body: content };
}

interface File {
    name: string;
    type: string;
    bytes: Uint8Array;
}

function fileOf(body: unknown): File | undefined {
    if (typeof body !== "object" || body === null) return undefined;
    const { name, type, content } = body as Names;
    const bytes = typeof name === "string" ? toBytes(content) : undefined;
    return bytes && { name: name as string, type: typeof type === "string" && MEDIA_TYPE.test(type) ? type : "application/octet-stream", bytes };
}

/** RFC 6266, 4.3: a name for everybody, and the true one. */
function dispositionOf(name: string): string {
    const plain = name.replace(/[^ !#-[\]-~]/g, "_");
    const whole = encodeURIComponent(name.replace(/[\ud800-\udfff]/gu, "\ufffd")).replace(/['()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
    return `attachment; filename="${plain}"` + (plain === name ? "" : `; filename*=UTF-8''${whole}`);
}

function statusOf(status: unknown): number {
    if (status === undefined || status === null || status === "") return 200;
    const code = typeof status === "string" ? Number(status) : status;
    if (typeof code !== "number" || !Number.isInteger(code) || code < 200 || code > 599)
        throw refuse("mapping", `input "status": ${json(status)} is no status of an answer (200 to 599)`);
    return code;
}

function fieldsOf(headers: unknown): [string, string][] {
    const out: [string, string][] = [];
    if (headers === undefined || headers === null) return out;
    if (typeof headers !== "object" || Array.isArray(headers)) throw refuse("mapping", 'input "headers": an object of names and values is needed');
    for (const [name, value] of Object.entries(headers)) {
        if (!TOKEN.test(name)) throw refuse("mapping", `input "headers": ${json(name)} is no name of a header`);
        if (RESERVED.has(name.toLowerCase())) throw refuse("mapping", `input "headers": ${name} is set by the server itself`);
        for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) out.push([name, fieldText(name, one)]);
    }
    return out;
}

function fieldText(name: string, value: unknown): string {
    if (typeof value === "object") throw refuse("mapping", `input "headers": the value of ${name} is no text`);
    const text = String(value).trim();
    // eslint-disable-next-line no-control-regex
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(text)) throw refuse("mapping", `input "headers": the value of ${name} holds a line break or another control character`);
    return text;
}

function contentOf(body: unknown): [string, Section] {
    if (body === undefined || body === null) return ["", undefined];
    if (typeof body === "string") return [/^\s*<(?:!doctype html|html|head|body|!--)/i.test(body) ? "text/html; charset=utf-8" : "text/plain; charset=utf-8", body];
    const bytes = toBytes(body);
    if (bytes) return ["application/octet-stream", bufferOf(bytes)];
    return ["application/json", json(body)];
}

export function problem(status: number, title: string, more: Names): Answer {
    return {
        head: `{"status":${status},"headers":[["Content-Type","application/problem+json"]]}`,
        body: json({ type: "about:blank", title, status, ...more }),
    };
}

/** An uncaught failure: the run's id, and nothing from inside. */
export function failedAnswer(run: number): Answer {
    return problem(500, "Internal Server Error", {
        detail: "The flow behind this address failed. Its operator finds out why under the run's id.",
        run: run.toString(16).padStart(14, "0"),
    });
}

/** The request is refused with this answer. */
export class Refused {
    constructor(readonly answer: Answer) {}
}

export function refuseRequest(status: number, title: string, detail: string): Refused {
    return new Refused(problem(status, title, { detail }));
}
