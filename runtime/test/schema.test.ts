// Validators of toolbox/schema.ts: what they say, and that they accept what ajv accepts.

import Ajv from "ajv/dist/2020";
import addFormats from "ajv-formats";
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { schema as unitOf } from "../src/toolbox/schema.ts";
import { FORMATS } from "../src/formats.ts";
import { lib, type ValidatorUnit, type Violation } from "../src/validation.ts";

type Schema = Record<string, unknown>;

function validator(schema: Schema): (value: unknown) => Violation[] {
    const made = unitOf(schema);
    if (!("js" in made)) throw new Error(`${made.findings[0].pointer}: ${made.findings[0].message}`);
    const validate = (vm.runInThisContext(made.js) as ValidatorUnit)(lib);
    return (value) => {
        const wrong: Violation[] = [];
        validate(value, "", wrong);
        return wrong;
    };
}
const told = (schema: Schema, value: unknown) => validator(schema)(value).map(({ pointer, message }) => `${pointer} ${message}`);
const fault = (schema: unknown) => (unitOf(schema as Schema) as { findings: { pointer: string; message: string }[] }).findings[0];

test("each violation has its pointer and a sentence", () => {
    const schema = {
        type: "object",
        properties: {
            name: { type: "string", minLength: 2, maxLength: 3 },
            "a/b": { type: ["string", "null"] },
            n: { type: "integer", minimum: 1, exclusiveMaximum: 5, multipleOf: 2 },
            when: { type: "string", format: "date" },
            code: { type: "string", pattern: "^[A-Z]+$" },
            tags: { type: "array", uniqueItems: true, maxItems: 3, items: { enum: ["x", "y", { z: 1 }] } },
            sure: { const: true },
        },
        required: ["name", "toString"],
        additionalProperties: false,
    };
    assert.deepEqual(told(schema, { name: "\u{1F600}\u{1F600}", "a/b": null, n: 2, when: "2028-02-29", code: "A", tags: ["x", { z: 1 }], sure: true, toString: 1 }), ["/toString is not known here"]);
    assert.deepEqual(told(schema, { name: "\u{1F600}", "a/b": 1, n: 1.5, when: "2027-02-29", code: "a", tags: ["x", "x", "w", 1], sure: 0, more: 1 }), [
        "/toString is required",
        "/name must have at least 2 characters",
        "/a~1b must be a text or null",
        "/n must be a whole number",
        "/when must be of the format date",
        "/code must match ^[A-Z]+$",
        "/tags must have at most 3 items",
        "/tags must not hold the same item twice",
        '/tags/2 must be one of "x", "y", {"z":1}',
        '/tags/3 must be one of "x", "y", {"z":1}',
        "/sure must be true",
        "/more is not known here",
    ]);
    assert.deepEqual(told(schema, { name: "abcd", n: 7, toString: 1 }), ["/name must have at most 3 characters", "/n must be less than 5", "/n must be a multiple of 2", "/toString is not known here"]);
    assert.deepEqual(told(schema, []), [" must be an object"]);
});

test("forms: none, several, and nothing is filled in before it is known which", () => {
    const either = { oneOf: [{ type: "string", minLength: 2 }, { type: "integer" }, { type: "number", minimum: 10 }] };
    assert.deepEqual(told(either, "ab"), []);
    assert.deepEqual(told(either, "a"), [" must have at least 2 characters, or must be a whole number, or must be a number"]);
    assert.deepEqual(told(either, 12), [" fits several of the forms of which it must be one"]);
    assert.deepEqual(told({ properties: { a: { anyOf: [{ items: { type: "null" } }, { const: 1 }] } } }, { a: [null, 2] }), ["/a /1 must be null, or must be 1"]);
    const value = {};
    assert.deepEqual(validator({ anyOf: [{ properties: { a: { default: 1 } }, required: ["b"] }, { properties: { c: { default: 2 } } }] })(value), []);
    assert.deepEqual(value, {});
});

test("what is left out takes its default, each value one of its own", () => {
    const check = validator({ properties: { list: { type: "array", default: [] }, deep: { type: "object", default: {}, properties: { n: { default: 3 } } } }, required: ["list"] });
    const [one, two] = [{} as Schema, {} as Schema];
    assert.deepEqual([check(one), check(two)], [[], []]);
    assert.deepEqual(one, { list: [], deep: { n: 3 } });
    assert.notEqual(one.list, two.list);
});

test("$ref inside the document, also to oneself", () => {
    const tree = { $ref: "#/$defs/node", $defs: { node: { type: "object", properties: { "a b": { type: "array", items: { $ref: "#/$defs/node" } }, size: { $ref: "#/$defs/size" } } }, size: { type: "integer" } } };
    assert.deepEqual(told(tree, { "a b": [{ "a b": [{ size: 1 }] }, { "a b": [{ size: "x" }, 5] }] }), ["/a b/1/a b/0/size must be a whole number", "/a b/1/a b/1 must be an object"]);
    assert.deepEqual(told({ type: "object", additionalProperties: { $ref: "#" } }, { a: { b: {} }, "c/d": { e: 1 } }), ["/c~1d/e must be an object"]);
    assert.match(fault({ $ref: "#/$defs/a", $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { $ref: "#/$defs/a" } } }).message, /refers to itself/);
    assert.match(fault({ $ref: "#" }).message, /refers to itself/);
});

test("what is wrong with a schema is told with its place and what to do", () => {
    for (const [schema, pointer, message] of [
        [{ properties: { a: { type: "strin" } } }, "/properties/a/type", /one of object, array, string/],
        [{ minimum: "x" }, "/minimum", /is a number/],
        [{ minLength: -1 }, "/minLength", /whole number, 0 or more/],
        [{ propertees: {} }, "/propertees", /say it by properties/],
        [{ items: { pattern: "(" } }, "/items/pattern", /regular expression/],
        [{ anyOf: [{}, { format: "dat" }] }, "/anyOf/1/format", /one of date, time/],
        [{ $ref: "#/$defs/a" }, "/$ref", /names nothing/],
        [{ $ref: "https://example.com/a" }, "/$ref", /names nothing/],
        [{ properties: { "a/b": 1 } }, "/properties/a~1b", /a schema is an object/],
        [{ enum: [] }, "/enum", /at least one/],
        [{ required: "a" }, "/required", /list of names/],
        [{ type: [] }, "/type", /name a type/],
    ] as const) {
        const found = fault(schema);
        assert.equal(found.pointer, pointer);
        assert.match(found.message, message);
    }
});

test("violations and their texts are limited", () => {
    const wrong = validator({ items: { type: "null" } })(Array.from({ length: 1000 }, () => 1));
    assert.equal(wrong.length, 100);
    assert.equal(validator({ additionalProperties: false })({ ["x".repeat(5000)]: 1 })[0].pointer.length, 500);
});

// ---- beside ajv ----

/** A generator of the same numbers each time (xorshift). */
function dice(seed: number): (below: number) => number {
    let state = seed | 1;
    return (below) => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return (state >>> 0) % below;
    };
}
const VALUES = [null, true, false, 0, 1, 2, -1, 1.5, 10, 1e3, "", "a", "ab", "abc", "\u{1F600}", "2026-01-01", "x@y.de", [], {}];
const WORDS = ["a", "b", "constructor", "x/y", "~"];

function randomValue(roll: (below: number) => number, depth: number): unknown {
    const kind = roll(depth > 0 ? 10 : 7);
    if (kind < 7) return structuredClone(VALUES[roll(VALUES.length)]);
    if (kind < 8) return Array.from({ length: roll(4) }, () => randomValue(roll, depth - 1));
    return Object.fromEntries(Array.from({ length: roll(4) }, () => [WORDS[roll(WORDS.length)], randomValue(roll, depth - 1)]));
}

function randomSchema(roll: (below: number) => number, depth: number): Schema {
    const deeper = (): unknown => (depth > 0 ? (roll(12) === 0 ? roll(2) === 0 : randomSchema(roll, depth - 1)) : {});
    const some = <T>(make: () => T): T[] => Array.from({ length: 1 + roll(3) }, make);
    const parts: Record<string, () => unknown> = {
        type: () => (roll(2) ? TYPES[roll(TYPES.length)] : [...new Set(some(() => TYPES[roll(TYPES.length)]))]),
        enum: () => some(() => randomValue(roll, 1)).filter((value, i, all) => all.findIndex((other) => lib.canonical(other) === lib.canonical(value)) === i),
        const: () => randomValue(roll, 1),
        properties: () => Object.fromEntries(some(() => [WORDS[roll(WORDS.length)], deeper()])),
        required: () => [...new Set(some(() => WORDS[roll(WORDS.length)]))],
        additionalProperties: deeper,
        items: deeper,
        anyOf: () => some(deeper),
        oneOf: () => some(deeper),
        allOf: () => some(deeper),
        $ref: () => "#/$defs/d",
        minimum: () => roll(4), maximum: () => roll(4), exclusiveMinimum: () => roll(3), exclusiveMaximum: () => roll(4), multipleOf: () => [1, 2, 0.5][roll(3)],
        minLength: () => roll(3), maxLength: () => roll(3), pattern: () => ["^a", "b$", "\\p{L}"][roll(3)], format: () => ["date", "email"][roll(2)],
        minItems: () => roll(3), maxItems: () => roll(3), uniqueItems: () => true, minProperties: () => roll(3), maxProperties: () => roll(3),
        default: () => randomValue(roll, 1),
    };
    const names = Object.keys(parts);
    return Object.fromEntries(some(() => names[roll(names.length)]).map((name) => [name, parts[name]()]));
}
const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

test("random schemas accept what ajv accepts, and fill in the same", () => {
    const roll = dice(20260101);
    const ajv = new Ajv({ strict: false, useDefaults: true, ownProperties: true, logger: false });
    addFormats(ajv);
    let accepted = 0;
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
        const schema = { ...randomSchema(roll, 3), $defs: { d: { type: ["string", "object"] } } };
        const [mine, theirs] = [validator(schema), ajv.compile(schema)];
        for (let k = 0; k < 6; k++) {
            const value = randomValue(roll, 3);
            const other = structuredClone(value);
            const [is, should] = [mine(value).length === 0, theirs(other)];
            assert.equal(is, should, `${JSON.stringify(schema)}\n${JSON.stringify(value)}`);
            // What was refused is nobody's. ajv thinks that `constructor` is there already.
            if (is && !JSON.stringify(schema).includes("constructor")) assert.deepEqual(value, other, JSON.stringify(schema));
            if (is) accepted++;
            else refused++;
        }
    }
    assert.ok(accepted > 3000 && refused > 3000, `${accepted} accepted, ${refused} refused`);
});

test("formats are those of ajv-formats", () => {
    const samples = {
        date: ["2026-11-23", "2026-02-29", "2028-02-29", "2100-02-29", "2026-13-01", "2026-00-10", "26-01-01", "2026-1-1", ""],
        time: ["12:00:00Z", "23:59:60Z", "12:59:60Z", "12:00:00.123+01:00", "00:59:60+01:00", "24:00:00Z", "12:00:00", "12:00:00+25:00", "12:00Z"],
        "date-time": ["2026-11-23T12:00:00Z", "2026-11-23t12:00:00z", "2026-11-23T12:00:00+01:30", "2026-11-23 12:00:00Z", "2026-11-23", "2026-11-23T12:00:00", "x"],
        duration: ["P1Y", "P1Y2M3DT4H5M6S", "PT1H", "P1W", "P", "PT", "P1H", "1D", "P1Y1W"],
        email: ["a@b.de", "a.b+c@x-y.example.com", "a@b", "a@", "@b.de", "a b@c.de", "a..b@c.de", "a@-b.de"],
        hostname: ["a", "a.example.com", "xn--mnchen-3ya.de", "-a.de", "a-.de", "a..b", "a_b", "x".repeat(64), ""],
        ipv4: ["1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ""],
        ipv6: ["::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1::2::3", "12345::", "1:2:3:4:5:6:7", ":::", "1:2:3:4:5:6:7:8:9", "::1.2.3", ""],
        uri: ["https://example.com/a?b#c", "mailto:a@b.de", "urn:x:y", "/a", "example.com", "https://a b", "https://a/%zz", "1a:b"],
        password: ["", "x"],
        uuid: ["123e4567-e89b-12d3-a456-426614174000", "urn:uuid:123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-42661417400", "x"],
        "uri-reference": ["/a/b?c=d#e", "../x", "https://example.com", "a b", "%zz", ""],
    };
    const ajv = addFormats(new Ajv());
    for (const [format, texts] of Object.entries(samples)) {
        const theirs = ajv.compile({ type: "string", format });
        for (const text of texts) assert.equal(FORMATS[format](text), theirs(text), `${format}: ${text}`);
    }
    assert.deepEqual(Object.keys(samples).sort(), Object.keys(FORMATS).sort());
});
