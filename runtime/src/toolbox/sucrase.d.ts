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
