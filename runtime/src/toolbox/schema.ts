// A JSON Schema becomes a validator: a unit whose text stands alone but for what `lib` gives it.

import Ajv from "ajv/dist/2020";
import standaloneCode from "ajv/dist/standalone";
import addFormats from "ajv-formats";

export function schema(given: Record<string, unknown>): { js: string } {
    const ajv = new Ajv({
        allErrors: true,
        useDefaults: true,
        strictTypes: false,
        strictTuples: false,
        allowUnionTypes: true,
        code: { source: true, lines: false, optimize: 1 },
    });
    addFormats(ajv);
    const code = standaloneCode(ajv, ajv.compile(given)).replace(/^"use strict";/, "");
    return { js: `(function (lib) { "use strict"; const require = lib, module = {}; ${code}\nreturn module.exports; })` };
}
