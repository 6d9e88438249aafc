import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

declare const BUNDLES: string;

for (const name of ["runtime", "toolbox"])
    test(`${name}.js evaluates to boot in a bare realm and leaves no global`, () => {
        const realm = vm.createContext({});
        const before = vm.runInContext("Object.getOwnPropertyNames(globalThis).join()", realm);
        const boot = vm.runInContext(readFileSync(`${BUNDLES}/${name}.js`, "utf8"), realm, { filename: `${name}.js` });
        assert.equal(typeof boot, "function");
        assert.equal(vm.runInContext("Object.getOwnPropertyNames(globalThis).join()", realm), before);
    });
