// The parts of sucrase that are used beyond its published types.
declare module "sucrase/dist/esm/parser/index.js" {
    export interface Token {
        type: number;
        start: number;
        end: number;
        scopeDepth: number;
        isType: boolean;
        identifierRole: number | null;
        shadowsGlobal: boolean;
    }
    export interface Scope {
        startTokenIndex: number;
        endTokenIndex: number;
        isFunctionScope: boolean;
    }
    export function parse(text: string, jsx: boolean, typescript: boolean, flow: boolean): { tokens: Token[]; scopes: Scope[] };
}
declare module "sucrase/dist/esm/parser/tokenizer/types.js" {
    export const TokenType: Record<"name" | "string" | "num" | "eof", number>;
}
declare module "sucrase/dist/esm/parser/tokenizer/index.js" {
    export const IdentifierRole: Record<"Access" | "ObjectShorthand" | "TopLevelDeclaration" | "ObjectKey", number>;
}
declare module "sucrase/dist/esm/identifyShadowedGlobals.js" {
    import type { Scope, Token } from "sucrase/dist/esm/parser/index.js";
    export default function (tokens: { tokens: Token[]; identifierNameForToken(token: Token): string }, scopes: Scope[], names: Set<string>): void;
}
declare module "sucrase/dist/esm/NameManager.js" {
    import type { Token } from "sucrase/dist/esm/parser/index.js";
    export default class NameManager {
        constructor(text: string, tokens: Token[]);
    }
}
declare module "sucrase/dist/esm/HelperManager.js" {
    import type NameManager from "sucrase/dist/esm/NameManager.js";
    export class HelperManager {
        constructor(names: NameManager);
    }
}
declare module "sucrase/dist/esm/TokenProcessor.js" {
    import type { Token } from "sucrase/dist/esm/parser/index.js";
    import type { HelperManager } from "sucrase/dist/esm/HelperManager.js";
    export default class TokenProcessor {
        constructor(text: string, tokens: Token[], isFlow: boolean, keepsSyntax: boolean, helpers: HelperManager);
    }
}
declare module "sucrase/dist/esm/transformers/RootTransformer.js" {
    export default class RootTransformer {
        constructor(context: object, transforms: string[], legacy: boolean, options: object);
        transform(): { code: string };
    }
}
