// html`<p>${text}</p>`: what is put in is escaped, unless it is html itself; lists are joined.

export class Html {
    readonly #text: string;

    constructor(text: string) {
        this.#text = text;
    }

    toString(): string {
        return this.#text;
    }

    /** Handed over it is a text. */
    toJSON(): string {
        return this.#text;
    }
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escape(value: unknown): string {
    return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function put(value: unknown): string {
    if (value === undefined || value === null || value === false) return "";
    if (value instanceof Html) return value.toString();
    return Array.isArray(value) ? value.map(put).join("") : escape(value);
}

export function html(parts: TemplateStringsArray, ...values: unknown[]): Html {
    let out = parts[0];
    values.forEach((value, i) => (out += put(value) + parts[i + 1]));
    return new Html(out);
}
html.escape = escape;
