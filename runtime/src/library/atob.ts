// atob in plain JavaScript: the URL implementation unpacks its tables with it while the bundle is evaluated,
// before there is a host. The build puts it where a module mentions `atob` (build.mjs, inject).

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 (forgiving, as the HTML standard says) to characters U+0000 to U+00FF. */
export function atob(given: unknown): string {
    const text = String(given).replace(/[\t\n\f\r ]/g, "");
    const digits = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
    if (digits.length % 4 === 1) throw new TypeError("atob takes base64");
    let out = "";
    let bits = 0;
    let have = 0;
    for (const digit of digits) {
        const value = ALPHABET.indexOf(digit);
        if (value < 0) throw new TypeError("atob takes base64");
        bits = ((bits << 6) | value) & 0xffffff;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out += String.fromCharCode((bits >> have) & 255);
    }
    return out;
}
