// Writes the workspaces that `flowlet init` knows as one JSON document: {"NAME": {"PATH": "TEXT", ...}, ...}
//
//     node tools/templates.mjs FILE
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

function filesOf(folder) {
    const paths = readdirSync(folder, { recursive: true }).filter((path) => /^[^.][^/]*$|^(flows|examples)\/[^./][^/]*$/.test(path));
    return Object.fromEntries(
        paths.filter((path) => path !== "flows" && path !== "examples").sort().map((path) => [path, readFileSync(`${folder}/${path}`, "utf8")]),
    );
}

const recipes = readdirSync("workspaces/recipes").sort();
const folders = ["hello", "emergency-response", ...recipes.map((name) => `recipes/${name}`)];
const templates = folders.map((folder) => [folder.replace(/.*\//, ""), filesOf(`workspaces/${folder}`)]);
writeFileSync(process.argv[2], JSON.stringify(Object.fromEntries(templates)));
