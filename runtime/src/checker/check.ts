// All texts of a workspace in one program of the TypeScript compiler.

import ts from "typescript";
import LIBRARIES from "flowlet:libraries";
import { moduleOf, type Mapping, type Module } from "./text.ts";
import { typeOf, type Schema } from "./types.ts";

export type Item = { kind: "script"; text: string } | ({ kind: "mapping" } & Mapping);

export interface Job {
    settings: Record<string, Schema>;
    items: Item[];
}

export interface Found {
    /** Which item of the job. */
    item: number;
    severity: "error" | "warning";
    /** Inside of a script, or of an expression. */
    line?: number;
    column?: number;
    /** From a mapping's source to the part of it that is meant. */
    pointer?: string;
    message: string;
}

const FOUND_MAX = 200;
const OPTIONS: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    noLib: true,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    // A script is not made to say more than it needs to run.
    noImplicitAny: false,
    useUnknownInCatchVariables: false,
    types: [],
};

export function check(job: Job): Found[] {
    const settings = `{ ${Object.entries(job.settings).map(([name, schema]) => `${JSON.stringify(name)}: ${typeOf(schema, true)}`).join("; ")} }`;
    const modules = job.items.map((item): Module => (item.kind === "script" ? { text: item.text, parts: [] } : moduleOf(item, settings)));
    const program = programOf(modules.map(({ text }) => text));
    const found: Found[] = [];
    for (let i = 0; i < modules.length && found.length < FOUND_MAX; i++) {
        const file = program.getSourceFile(`/${i}.ts`)!;
        const seen = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
        for (const one of seen) found.push({ item: i, ...described(one, file, modules[i], job.items[i], program.getTypeChecker()) });
    }
    return found;
}

function programOf(texts: string[]): ts.Program {
    const files = new Map(texts.map((text, i) => [`/${i}.ts`, text]));
    for (const [name, text] of Object.entries(LIBRARIES)) files.set(name, text);
    const host: ts.CompilerHost = {
        getSourceFile: (name, options) => (files.has(name) ? ts.createSourceFile(name, files.get(name)!, options) : undefined),
        fileExists: (name) => files.has(name),
        readFile: (name) => files.get(name),
        getDefaultLibFileName: () => "/lib.d.ts",
        getCurrentDirectory: () => "/",
        getCanonicalFileName: (name) => name,
        useCaseSensitiveFileNames: () => true,
        getNewLine: () => "\n",
        writeFile: () => undefined,
    };
    return ts.createProgram([...files.keys()], OPTIONS, host);
}

function described(one: ts.Diagnostic, file: ts.SourceFile, module: Module, item: Item, checker: ts.TypeChecker): Omit<Found, "item"> {
    const start = one.start ?? 0;
    if (item.kind === "script") return { ...placeIn(file.text, start), ...sentenceOf(one) };
    const part = module.parts.find((each) => start >= each.start && start < each.end);
    if (part) return { ...(part.isCode ? placeIn(module.text.slice(part.start, part.end), start - part.start) : {}), pointer: part.pointer, ...sentenceOf(one) };
    return unfit(file, item, checker) ?? sentenceOf(one);
}

function placeIn(text: string, offset: number): { line: number; column: number } {
    const lines = text.slice(0, offset).split("\n");
    return { line: lines.length, column: lines[lines.length - 1].length + 1 };
}

/** The mapping's whole value against what the input takes. */
function unfit(file: ts.SourceFile, item: Mapping, checker: ts.TypeChecker): Omit<Found, "item"> | undefined {
    const output = file.statements.flatMap((statement) => (ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [])).find(({ name }) => name.getText(file) === "output");
    if (!output?.initializer || !output.type) return undefined;
    const [given, taken] = [checker.getTypeAtLocation(output.initializer), checker.getTypeFromTypeNode(output.type)];
    const shown = (type: ts.Type): string => checker.typeToString(type, undefined, ts.TypeFormatFlags.None).slice(0, 200);
    const target = `the input \`${item.input}\` takes ${shown(checker.getNonNullableType(taken))}`;
    if (checker.isTypeAssignableTo(checker.getNonNullableType(given), taken))
        return { severity: "warning", message: `${target}, and this may be missing or null: give it a fallback, in an expression with ??` };
    if (checker.isTypeAssignableTo(checker.getNonNullableType(taken), checker.getNonNullableType(given)))
        return { severity: "warning", message: `${target}, and this is ${shown(given)}, which may be something else: narrow it where it comes from, or in an expression` };
    return { severity: "error", message: `${target}, and this is ${shown(given)}: convert it in an expression, or map another value` };
}

/** What TypeScript says when a value may be undefined or null. */
const MAY_BE_MISSING = new Set([2531, 2532, 2533, 18046, 18047, 18048, 18049, 2721, 2722, 2723]);
const REMEDIES: [number[], string][] = [
    [[...MAY_BE_MISSING], "ask with ?. or give a fallback with ??"],
    [[2304, 2552, 2503, 2580, 2584, 2591], "use `input`, a name of the library, or declare it"],
    [[2339, 2551, 7053], "use one that is there, or declare it in the schema that the value comes from"],
    [[2322, 2345, 2769, 2365, 2362, 2363, 2367], "convert it, or use another value"],
    [[2554, 2555, 2556], "give it the arguments that it takes"],
    [[2353, 2561], "remove it, or write the name as the other side knows it"],
    [[2741, 2739, 2740], "add what is missing"],
    [[2355, 2366, 2847], "let every way through the function return a value"],
];

function sentenceOf(one: ts.Diagnostic): { severity: "error" | "warning"; message: string } {
    const text = ts
        .flattenDiagnosticMessageText(one.messageText, " ")
        .replace(/'/g, "`")
        .replace(/\s+/g, " ")
        .replace(/\.$| Do you need to .*$/, "")
        .replace(/`([^`]{80})[^`]+`/g, "`$1...`");
    const remedy = REMEDIES.find(([codes]) => codes.includes(one.code))?.[1] ?? "mend it";
    const message = text.endsWith("?") ? text : `${text.replace(/\.$/, "").slice(0, 500)}: ${remedy}`;
    return { severity: MAY_BE_MISSING.has(one.code) ? "warning" : "error", message };
}
