// A text of TypeScript as tokens, with places for findings.

import identifyShadowedGlobals from "sucrase/dist/esm/identifyShadowedGlobals.js";
import { HelperManager } from "sucrase/dist/esm/HelperManager.js";
import NameManager from "sucrase/dist/esm/NameManager.js";
import { parse, type Scope, type Token } from "sucrase/dist/esm/parser/index.js";
import { IdentifierRole } from "sucrase/dist/esm/parser/tokenizer/index.js";
import { TokenType } from "sucrase/dist/esm/parser/tokenizer/types.js";
import TokenProcessor from "sucrase/dist/esm/TokenProcessor.js";
import RootTransformer from "sucrase/dist/esm/transformers/RootTransformer.js";

export interface Finding {
    line: number;
    column: number;
    message: string;
}

/** The text is wrong at this place. */
export class Wrong extends Error {
    constructor(readonly finding: Finding) {
        super(finding.message);
    }
}

export class Source {
    readonly tokens: Token[];
    readonly #scopes: Scope[];

    /** Throws Wrong where it is no TypeScript. `before`: characters of `text` that the author did not write. */
    constructor(
        readonly text: string,
        readonly before = 0,
    ) {
        try {
            const file = parse(text, false, true, false);
            this.tokens = file.tokens;
            this.#scopes = file.scopes;
        } catch (error) {
            const { message, pos } = error as { message: string; pos?: number };
            throw this.wrong(typeof pos === "number" ? pos : before, `${message.replace(/^.*?: |\s*\(\d+:\d+\)$/g, "")}: mend what stands here or before it`);
        }
    }

    /** The text as JavaScript: without its types, and without these tokens, whose places are left blank. Lines stay where they were. */
    javascript(without: Token[] = []): string {
        let text = this.text;
        for (const { start, end } of without) text = text.slice(0, start) + " ".repeat(end - start) + text.slice(end);
        const tokens = this.tokens.filter((token) => !without.includes(token));
        const names = new NameManager(text, tokens);
        const helpers = new HelperManager(names);
        const processor = new TokenProcessor(text, tokens, false, true, helpers);
        const context = { tokenProcessor: processor, scopes: this.#scopes, nameManager: names, importProcessor: null, helperManager: helpers };
        return new RootTransformer(context, ["typescript"], false, { transforms: ["typescript"], disableESTransforms: true }).transform().code;
    }

    wrong(position: number, message: string): Wrong {
        const lines = this.text.slice(this.before, Math.max(this.before, position)).split("\n");
        return new Wrong({ line: lines.length, column: lines[lines.length - 1].length + 1, message });
    }

    textAt(index: number): string {
        const token = this.tokens[index];
        return token === undefined ? "" : this.text.slice(token.start, token.end);
    }

    is(index: number, text: string): boolean {
        return this.textAt(index) === text;
    }

    isName(index: number): boolean {
        return this.tokens[index]?.type === TokenType.name;
    }

    /** The value of a string without anything to compute in it; undefined: it is none. */
    literal(index: number): string | undefined {
        if (this.tokens[index]?.type === TokenType.string) return unquoted(this.textAt(index));
        const plain = this.is(index, "`") && this.is(index + 2, "`");
        return plain ? unquoted(`"${this.textAt(index + 1).replace(/"/g, '\\"')}"`) : undefined;
    }

    isString(index: number): boolean {
        return this.tokens[index]?.type === TokenType.string;
    }

    isNumber(index: number): boolean {
        return this.tokens[index]?.type === TokenType.num;
    }

    isEnd(index: number): boolean {
        return index >= this.tokens.length || this.tokens[index].type === TokenType.eof;
    }

    /** Of the bracket that closes the one at `index`. */
    closing(index: number): number {
        let depth = 0;
        for (let i = index; !this.isEnd(i); i++) {
            const text = this.isString(i) ? "" : this.textAt(i);
            if (text === "(" || text === "[" || text === "{" || text === "${") depth++;
            else if ((text === ")" || text === "]" || text === "}") && --depth === 0) return i;
        }
        return this.tokens.length;
    }

    /** Which of these names the text takes from outside: neither declared in it, nor types. */
    outside(names: Set<string>): number[] {
        const nameOf = (token: Token): string => this.text.slice(token.start, token.end);
        identifyShadowedGlobals({ tokens: this.tokens, identifierNameForToken: nameOf }, this.#scopes, names);
        const own = new Set<string>();
        for (const token of this.tokens) if (token.identifierRole === IdentifierRole.TopLevelDeclaration && !token.isType) own.add(nameOf(token));
        const out: number[] = [];
        this.tokens.forEach((token, index) => {
            const reads = token.identifierRole === IdentifierRole.Access || token.identifierRole === IdentifierRole.ObjectShorthand;
            if (reads && !token.isType && !token.shadowsGlobal && names.has(nameOf(token)) && !own.has(nameOf(token))) out.push(index);
        });
        return out;
    }
}

function unquoted(text: string): string | undefined {
    // A string of JavaScript is one of JSON but for its quotes and a few escapes; with those it is left alone.
    const inner = text.slice(1, -1);
    try {
        return JSON.parse(text.startsWith("'") ? `"${inner.replace(/\\'/g, "'").replace(/"/g, '\\"')}"` : text) as string;
    } catch {
        return undefined;
    }
}
