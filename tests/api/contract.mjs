// The server's own OpenAPI document, validated, and the server held to it: requests made from the schemas, fitting and not,
// for every operation; each answer must be one that the document describes, and none may be a 5xx.
//
//     node contract.mjs CONSOLE TOKEN ['{"workspace": "shop", ...}' what paths may name] [REQUESTS each] [SEED]
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import jsf from "json-schema-faker";

const [console_, token, known = "{}", each = "12", seed = String(Date.now() % 1e6)] = process.argv.slice(2);
const names = JSON.parse(known);
let state = Number(seed);

/** mulberry32: the same numbers for the same seed. */
function random() {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const one = (list) => list[Math.floor(random() * list.length)];
jsf.option({ random, alwaysFakeOptionals: false, maxItems: 5, maxLength: 60, failOnInvalidTypes: false, useDefaultValue: false });

const problems = [];
const answered = {};
const complain = (where, what) => problems.push(`${where}: ${what}`);

// ---- the document ----

const document = await (await fetch(`${console_}/api/v1/openapi.json`)).json();
const verdict = await new Validator().validate(document);
if (!verdict.valid) complain("openapi.json", JSON.stringify(verdict.errors, null, 1).slice(0, 3000));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(document, "document");
const pointer = (text) => text.replaceAll("~", "~0").replaceAll("/", "~1");
const described = (path, method, status) =>
    ajv.getSchema(`document#/paths/${pointer(path)}/${method}/responses/${status}/content/${pointer("application/json")}/schema`);
const problem = ajv.getSchema("document#/components/schemas/Problem");
const fake = (schema) => jsf.generate({ ...schema, components: document.components });

// ---- requests: paths that a client does not itself rewrite, as it would ".." ----

const ODD = ["x", "%00", "%ff", "ffffffffffffff", "00000000000001", "0", "-1", "99999999999999999999", "a".repeat(300), "%20", "é"];

function pathOf(path, fitting) {
    return path.replace(/\{([^}]*)\}/g, (_, name) => {
        const values = [].concat(names[name] ?? []);
        return values.length && (fitting || random() < 0.6) ? encodeURIComponent(one(values)) : one(ODD).replace("é", "%C3%A9");
    });
}

/** Nobody waits here: for news, or for a run's end. */
const patience = (name, value) => (name === "wait" && typeof value === "number" ? 0 : value);

function queryOf(operation, fitting) {
    const query = new URLSearchParams();
    for (const it of operation.parameters.filter((p) => p.in === "query"))
        if (it.required || random() < 0.5) query.set(it.name, String(patience(it.name, fake(it.schema))));
    if (!fitting) {
        const first = operation.parameters.find((p) => p.in === "query");
        if (first && random() < 0.5) query.set(first.name, one(["", "x".repeat(5000), "-1", "1e9", "null", "NaN", "9223372036854775808"]));
        else query.set(one(["unknown", "limit ", "__proto__", "constructor"]), "1");
    }
    const text = query.toString();
    return text ? `?${text}` : "";
}

function spoiled(value) {
    const copy = structuredClone(value) ?? {};
    const keys = Object.keys(copy);
    const kind = random();
    if (kind < 0.3 || !keys.length) copy[one(["unknown", "__proto_", "constructor", "a/b~c"])] = 1;
    else if (kind < 0.6) copy[one(keys)] = one([null, [], {}, 17.5, true, "", "x".repeat(2000), 1e300]);
    else if (kind < 0.8) return one(["[]", "null", "17", '"x"', "{", '{"a":1,"a":2}', "\u0000", "[".repeat(500), '{"x":"\ud800"}', ""]);
    else delete copy[one(keys)];
    return copy;
}

function bodyOf(operation, fitting) {
    const schema = operation.requestBody?.content["application/json"].schema;
    if (!schema) return undefined;
    const value = fake(schema);
    const sent = fitting ? value : spoiled(value);
    return typeof sent === "string" ? sent : JSON.stringify(sent);
}

function headersOf(operation, fitting) {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    if (!fitting && random() < 0.1) headers.Authorization = one(["", "Bearer", "Bearer x", "Basic eDp5"]);
    for (const { name } of operation.parameters.filter((p) => p.in === "header"))
        if (name !== "If-Match" || random() < 0.8) headers[name] = name === "If-Match" && fitting ? "*" : one(["*", '"x"', "W/", '"v1-1", "v2-2"', ","]);
    if (headers["If-None-Match"] && random() < 0.7) delete headers["If-None-Match"];
    return headers;
}

// ---- answers ----

async function ask(path, method, operation, fitting) {
    const url = `${console_}${pathOf(path, fitting)}${queryOf(operation, fitting)}`;
    const request = { method: method.toUpperCase(), headers: headersOf(operation, fitting), body: bodyOf(operation, fitting) };
    const where = `${request.method} ${url.slice(console_.length, console_.length + 200)} ${(request.body ?? "").slice(0, 300)}`;
    const cut = new AbortController();
    const answer = await fetch(url, { ...request, signal: cut.signal });
    const expected = operation.responses[answer.status];
    const type = (answer.headers.get("content-type") ?? "").split(";")[0];
    answered[operation.operationId] ??= new Set();
    answered[operation.operationId].add(answer.status);
    if (type === "text/event-stream") return cut.abort();
    const text = await answer.text();
    if (answer.status >= 500) return complain(where, `${answer.status} ${text.slice(0, 300)}`);
    if (answer.status === 404 && !path.includes("{") && !fitting) return;
    if (!expected) return complain(where, `${answer.status} is not described: ${text.slice(0, 300)}`);
    if (answer.status !== 304 && !expected.content?.[type]) return complain(where, `${answer.status} is of type ${type}`);
    const check = type === "application/problem+json" ? problem : type === "application/json" ? described(path, method, answer.status) : undefined;
    if (answer.status !== 304 && type.endsWith("json") && !check) complain(where, `${answer.status} has no schema`);
    if (check && !check(JSON.parse(text))) complain(where, `${answer.status} does not fit: ${ajv.errorsText(check.errors).slice(0, 600)} in ${text.slice(0, 400)}`);
}

/** What takes away what the others need comes last. */
const rank = (method, path) => (method === "delete" ? (path.endsWith("{workspace}") ? 2 : 1) : 0);
const operations = Object.entries(document.paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
    .sort((a, b) => rank(a.method, a.path) - rank(b.method, b.path));
let requests = 0;
for (const { path, method, operation } of operations)
    for (let i = 0; i < Number(each); i++, requests++) await ask(path, method, operation, i % 2 === 0);

for (const text of problems.slice(0, 30)) console.error(text);
console.log(JSON.stringify({ seed, operations: operations.length, requests, problems: problems.length,
    answered: Object.fromEntries(Object.entries(answered).map(([name, set]) => [name, [...set].sort()])) }));
process.exit(problems.length ? 1 : 0);
