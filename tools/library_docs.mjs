// Prints docs/library.md from runtime/library.d.ts, section by section: `make docs`.
import { readFileSync } from "node:fs";

const [head, ...rest] = readFileSync("runtime/library.d.ts", "utf8").split(/^\/\/ ---- (.*) ----$/m);
const comment = /^\/\*\*\n([\s\S]*?) \*\/\n/.exec(head);
const intro = comment[1].replace(/^ \* ?/gm, "").replace(/\{@link (\w+)\}/g, "`$1`");
const block = (text) => "```ts\n" + text.trim() + "\n```\n";
const title = (name) => name[0].toUpperCase() + name.slice(1);

console.log(`# The library of scripts\n\nMade by \`make docs\` from \`runtime/library.d.ts\`. [scripts.md](scripts.md) is the overview.\n`);
console.log(intro);
console.log(block(head.slice(comment[0].length)));
for (let i = 0; i < rest.length; i += 2) console.log(`## ${title(rest[i])}\n\n${block(rest[i + 1])}`.trimEnd() + (i + 2 < rest.length ? "\n" : ""));
