// atob in plain JavaScript: the URL implementation unpacks its tables with it while the bundle is evaluated,
// before there is a host. The build puts it where a module mentions `atob` (build.mjs, inject).

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Base64 (forgiving, as the HTML standard says) to characters U+0000 to U+00FF. */
export function atob(given: unknown): string {
    const text = String(given).replace(/[\t\n\f\r ]/g, "");
    const digits = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
    if (digits.length % 4 === 1) throw new TypeError("atob takes base64");
    let out = "";
    let bits = 0;
    let have = 0;
    for (let i = 0; i < digits.length; i++) {
        const value = VALUES[digits.charCodeAt(i)] ?? -1;
        if (value < 0) throw new TypeError("atob takes base64");
        bits = ((bits << 6) | value) & 0xffffff;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out += String.fromCharCode((bits >> have) & 255);
    }
    return out;
}
