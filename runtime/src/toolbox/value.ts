// Whether a value fits a schema, for what is known before anything runs: settings.

import { lib, type ValidatorUnit, type Violation } from "../validation.ts";
import { schema } from "./schema.ts";

export function value(given: { schema: Record<string, unknown>; value: unknown }): object {
    const unit = schema(given.schema);
    if ("findings" in unit) return { findings: unit.findings.map((it) => ({ ...it, pointer: "", message: `its schema, ${it.pointer || "as a whole"}: ${it.message}` })) };
    const wrong: Violation[] = [];
    ((0, eval)(unit.js) as ValidatorUnit)(lib)(given.value, "", wrong);
    return wrong.length > 0 ? { findings: wrong } : { js: "" };
}
