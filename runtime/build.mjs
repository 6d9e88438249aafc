// Bundles the TypeScript that lives in a worker.
//
//     node build.mjs        writes runtime.js, toolbox.js and checker.js into $OUT   ($OUT: ../build/gen)
//     node build.mjs test   bundles test/*.test.ts beside them and runs them with node's test runner
//
// Each bundle is one script whose completion value is its `boot` function, and it leaves
// no global behind: the worker evaluates it in a bare realm and then locks that realm.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(here, process.env.OUT ?? "../build/gen");

/** Parts of sucrase for languages and old engines that are not ours: what is not there need not be read at each start. */
const UNUSED = /sucrase.dist.esm.(CJSImportProcessor|parser.plugins.(flow|jsx.index)|transformers.(CJSImport|Flow|JestHoist|JSX|NumericSeparator|OptionalCatchBinding|OptionalChainingNullish|ReactDisplayName|ReactHotLoader)Transformer)\.js$/;
const withoutUnused = {
    name: "without-unused",
    setup: (bundle) => bundle.onLoad({ filter: UNUSED }, () => ({ contents: "module.exports = {};" })),
};

/** The declarations of ECMAScript 2023 in one text, without comments. */
function language() {
    const seen = new Set();
    const read = (name) => {
        if (seen.has(name)) return "";
        seen.add(name);
        const text = readFileSync(path.join(here, `node_modules/typescript/lib/lib.${name}.d.ts`), "utf8");
        const before = [...text.matchAll(/^\/\/\/ <reference lib="(.*)" \/>/gm)].map((found) => read(found[1]));
        return before.join("") + text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").replace(/\n\s*/g, "\n");
    };
    return read("es2023");
}
const libraries = {
    name: "libraries",
    setup(bundle) {
        bundle.onResolve({ filter: /^flowlet:libraries$/ }, () => ({ path: "libraries", namespace: "flowlet" }));
        bundle.onLoad({ filter: /.*/, namespace: "flowlet" }, () => ({
            loader: "json",
            contents: JSON.stringify({ "/lib.d.ts": language(), "/library.d.ts": readFileSync(path.join(here, "library.d.ts"), "utf8") }),
        }));
    },
};

const script = (name, more = {}) =>
    build({
        plugins: [withoutUnused, libraries],
        entryPoints: [path.join(here, `src/${name}.ts`)],
        outfile: path.join(out, `${name}.js`),
        bundle: true,
        format: "iife",
        globalName: "bundle",
        banner: { js: '(function () { "use strict";' },
        footer: { js: "return bundle.boot; })()" },
        target: "es2022",
        inject: [path.join(here, "src/library/atob.ts")],
        charset: "ascii", // the engine keeps such a text in one byte a character
        minifyWhitespace: true,
        minifySyntax: true,
        logLevel: "warning",
        ...more,
    });

await Promise.all([
    script("runtime"),
    script("toolbox"),
    script("checker", { minifyIdentifiers: true, external: ["fs", "path", "os", "inspector", "perf_hooks"], logLevel: "error" }),
]);

if (process.argv[2] === "test") {
    const tests = readdirSync(path.join(here, "test")).filter((f) => f.endsWith(".test.ts"));
    const folder = path.join(out, "runtime-tests");
    await build({
        entryPoints: tests.map((f) => path.join(here, "test", f)),
        outdir: folder,
        bundle: true,
        format: "esm",
        platform: "node",
        target: "node18",
        outExtension: { ".js": ".mjs" },
        sourcemap: "inline",
        define: { BUNDLES: JSON.stringify(out), TOOLS: JSON.stringify(path.join(here, "../build/release/tests/tools/check_graph")) },
        logLevel: "warning",
    });
    const files = tests.map((f) => path.join(folder, f.replace(/\.ts$/, ".mjs")));
    const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
    process.exit(run.status ?? 1);
}
