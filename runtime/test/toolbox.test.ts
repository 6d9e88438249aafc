import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { Frame } from "../src/host.ts";

declare const BUNDLES: string;

// As in the toolbox's process: a realm with nothing in it.
const realm = vm.createContext({});
const boot = vm.runInContext(readFileSync(`${BUNDLES}/toolbox.js`, "utf8"), realm);
let answer = "";
const toolbox = boot({ send: (_kind: number, _run: number, text: string) => void (answer = text) });

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function ask(item: object): any {
    toolbox.frame(Frame.JOB, 0, JSON.stringify({ items: [{ key: "k", ...item }] }));
    return JSON.parse(answer).items[0];
}
const script = (text: string) => ask({ kind: "script", text });
const expression = (text: string) => ask({ kind: "expression", text });
const evaluate = (text: string): unknown => vm.runInThisContext(text);

test("a script loses its types and keeps its lines", async () => {
    const text = `// greets
interface Who { name: string; title?: "Dr" | "Prof" | undefined }

export async function greet({name, title}: Who): Promise<{message: string; at: Date}> {
    const unused: number = 1 as number;
    if (!name) throw new Error("who?");
    return {message: \`Hello \${title ?? ""}\${name}\`, at: new Date()};
}`;
    const got = script(text);
    assert.equal(got.findings, undefined);
    assert.deepEqual(got.signature, {
        function: "greet",
        inputs: { type: "object", properties: { name: { type: "string" }, title: { enum: ["Dr", "Prof"] } }, required: ["name"] },
        output: { type: "object", properties: { message: { type: "string" }, at: { type: "string", format: "date-time" } }, required: ["message", "at"] },
    });
    assert.deepEqual(got.uses, { names: ["Date"], input: [], secrets: [], flows: [], links: [], dynamic: [] });
    const lines = got.js.split("\n");
    assert.match(lines[5], /throw new Error/);
    const unit = evaluate(got.js) as ($: object) => (a: object) => Promise<{ message: string }>;
    assert.equal((await unit({ Date })({ name: "Ada", title: "Dr" })).message, "Hello DrAda");
});

test("what a script takes from the library is told, with the literal names", () => {
    const got = script(`
export async function f() {
    const mail = {send() {}};          // its own
    mail.send();
    await secrets.getPassword("a"); await secrets.check(\`b\`, "x"); await flows.start('c', {}); flows.link("d"); flows.link(mail);
    const {log: say} = {log}; say.info(Math.random());
    return {};
}
function g(dns: string) { return dns; }`);
    assert.equal(got.findings, undefined);
    assert.deepEqual(got.uses, { names: ["Math", "flows", "log", "secrets"], input: [], secrets: ["a", "b"], flows: ["c"], links: ["d"], dynamic: [] });
    assert.deepEqual(script(`export function f() { const s = secrets; return flows.call("x" + 1); }`).uses.dynamic, ["flows", "secrets"]);
});

test("types of every known shape", () => {
    const types = (text: string) => script(`${text}\nexport async function f(input: In) {}`).signature.inputs.properties;
    assert.deepEqual(types(`type Id = string | number;
        interface Base { id: Id }
        interface In extends Base {
            list: string[]; more: Array<{n: number}>; map: Record<string, boolean>; open: {[key: string]: number};
            maybe: string | null; both: {a: 1} & {b?: "x"}; readonly tuple: [string, number]; any: any; f: () => void; u: Unknown<string>;
            self?: In; nested: {deep: {er: boolean}[]}
            "quoted name": -1
            part: Partial<Base>; kind: Foo["bar"];
        }`), {
        id: { type: ["string", "number"] },
        list: { type: "array", items: { type: "string" } },
        more: { type: "array", items: { type: "object", properties: { n: { type: "number" } }, required: ["n"] } },
        map: { type: "object", additionalProperties: { type: "boolean" } },
        open: { type: "object", additionalProperties: { type: "number" } },
        maybe: { type: ["string", "null"] },
        both: { type: "object", properties: { a: { const: 1 }, b: { const: "x" } }, required: ["a"] },
        tuple: { type: "array" },
        any: {},
        f: {},
        u: {},
        self: {},
        nested: {
            type: "object",
            properties: { deep: { type: "array", items: { type: "object", properties: { er: { type: "boolean" } }, required: ["er"] } } },
            required: ["deep"],
        },
        "quoted name": { const: -1 },
        part: { type: "object", properties: { id: { type: ["string", "number"] } } },
        kind: {},
    });
});

test("arrow functions, default exports, functions without types", () => {
    assert.equal(script("export const f = async ({a}: {a: string}): Promise<number> => 1;").signature.function, "f");
    assert.deepEqual(script("export const f = async ({a}: {a: string}): Promise<number> => 1;").signature.output, { type: "number" });
    assert.deepEqual(script("export default function f({a, b = [1, 2], ...c}) {}").signature.inputs, {});
    assert.deepEqual(script("function f({a, b: {c} = {}, d = [1, 2]}) {}").signature.inputs, { type: "object", properties: { a: {}, b: {}, d: {} } });
    assert.deepEqual(script("function helper() {}\nexport function f(): void {}").signature, {
        function: "f",
        inputs: { type: "object", properties: {} },
        output: { type: "object", properties: {} },
    });
});

test("what is wrong with a script is told with its place", () => {
    const first = (text: string) => script(text).findings[0];
    assert.deepEqual([first("export function f() {\n  return {a: ;\n}").line, first("export function f() {\n  return {a: ;\n}").column], [2, 14]);
    assert.match(first('import x from "y";\nexport function f() {}').message, /imports nothing/);
    assert.match(first("const x = 1;").message, /a function is missing/);
    assert.match(first("export function f() {}\nexport function g() {}").message, /several functions/);
    assert.match(first("function f() {}\nfunction g() {}").message, /write `export`/);
    assert.match(first("export function f(a: string, b: string) {}").message, /ONE object/);
    assert.match(first("export function f(a: string) {}").message, /takes an object/);
    assert.equal(typeof first("export function f() { let a; let a; }").message, "string");
});

test("an expression is ONE expression", () => {
    assert.deepEqual(expression("input.a + (input.error?.message as string).length // why"), {
        key: "k",
        js: "input.a + (input.error?.message ).length // why\n",
        await: false,
        uses: { names: [], input: ["a", "error"], secrets: [], flows: [], links: [], dynamic: [] },
    });
    assert.equal(expression("await dns.lookup(`${input['host']}`)").await, true);
    assert.deepEqual(expression("await dns.lookup(`${input['host']}`)").uses.names, ["dns"]);
    assert.equal(expression("Object.keys(input)").uses.input, null);
    assert.deepEqual(expression("{a: 1,\n b: [2, 3]}").js, "{a: 1,\n b: [2, 3]}");
    for (const bad of ["", "a; b", "a) + (b", "a, b", "return 1", "a /*", "const x = 1", "a b", ")(", "1}", "let"]) {
        const finding = expression(bad).findings?.[0];
        assert.ok(finding, bad);
        assert.ok(finding.line >= 1 && finding.column >= 1 && finding.message.length > 3, JSON.stringify(finding));
    }
    assert.deepEqual([expression("1 +\n  * 2").findings[0].line, expression("1 +\n  * 2").findings[0].column], [2, 3]);
});

test("all items of a job are answered", () => {
    toolbox.frame(Frame.JOB, 7, JSON.stringify({ items: [{ kind: "expression", key: "a", text: "1" }, { kind: "expression", key: "b", text: ";" }] }));
    assert.deepEqual(JSON.parse(answer).items.map((item: { key: string }) => item.key), ["a", "b"]);
});

test("a value fits its schema, or it is told where not", () => {
    const check = (schema: object, value: unknown) => ask({ kind: "value", schema: { schema, value } });
    assert.deepEqual(check({ type: "array", items: { type: "integer", minimum: 1 } }, [1, 2]), { key: "k", js: "" });
    assert.deepEqual(check({ type: "array", items: { type: "integer", minimum: 1 } }, [1, 0]).findings.map((it: { pointer: string }) => it.pointer), ["/1"]);
    assert.match(check({ type: "strange" }, 1).findings[0].message, /its schema/);
});
