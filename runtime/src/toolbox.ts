// The toolbox: TypeScript to JavaScript, schemas to validators (docs/internals.md, section 3). One job, one answer.
//
// Unlike the runtime it needs the realm's eval: to hear what the engine says of a text.

import { Frame, type Host, type Runtime } from "./host.ts";
import { expression } from "./toolbox/expression.ts";
import { schema } from "./toolbox/schema.ts";
import { script } from "./toolbox/script.ts";
import { value } from "./toolbox/value.ts";
import { Wrong, type Finding } from "./toolbox/source.ts";

interface Item {
    kind: "script" | "expression" | "schema" | "value";
    key: string;
    text?: string;
    /** Of a value: that with its own schema. */
    schema?: Record<string, unknown>;
}

export function boot(host: Host): Runtime {
    return {
        frame(kind, run, ...sections) {
            if (kind !== Frame.JOB) throw new Error(`frame ${kind} is not expected here`);
            const job = JSON.parse(sections[0] as string) as { items: Item[] };
            host.send(Frame.JOB_DONE, run, JSON.stringify({ items: job.items.map(answer) }));
        },
    };
}

function answer(item: Item): object {
    try {
        return { key: item.key, ...made(item) };
    } catch (error) {
        const finding: Finding = error instanceof Wrong ? error.finding : { line: 1, column: 1, message: (error as Error).message };
        return { key: item.key, findings: [finding] };
    }
}

function made(item: Item): object {
    switch (item.kind) {
        case "script":
            return script(item.text ?? "");
        case "expression":
            return expression(item.text ?? "");
        case "schema":
            return schema(item.schema ?? {});
        case "value":
            return value(item.schema as { schema: Record<string, unknown>; value: unknown });
    }
}
