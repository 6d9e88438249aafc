/** What needs nobody else: the web's names for text, bytes, addresses and crypto. */
export async function text(): Promise<{ result: Record<string, unknown> }> {
    const bytes = new TextEncoder().encode("Grüße");
    const random = crypto.getRandomValues(new Uint8Array(8));
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("key"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    const signature = await crypto.subtle.sign("HMAC", key, bytes);
    const copied = structuredClone({ list: [1, { two: 2 }] });
    let later = "not yet";
    queueMicrotask(() => (later = "came"));
    await Promise.resolve();
    return {
        result: {
            escaped: html.escape("<a & b>"),
            page: String(html`<p>${["<", html`<b>x</b>`]}</p>`),
            url: new URL("../b?x=1#f", "https://user@example.com:8443/a/c").href,
            query: new URLSearchParams({ a: "1 2", b: "ü" }).toString(),
            decoded: new TextDecoder().decode(bytes),
            base64: [btoa("abc"), atob("YWJj")],
            copied,
            later,
            digest: hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))),
            signature: hex(signature).length,
            verified: await crypto.subtle.verify("HMAC", key, signature, bytes),
            random: random.length,
            uuid: crypto.randomUUID().length,
            headers: [...new Headers({ "X-B": "2", "X-A": "1" })],
            request: new Request("https://example.com/", { method: "POST", body: "b" }).method,
            response: await Response.json({ ok: true }, { status: 201 }).json(),
            aborted: aborted(),
            exception: new DOMException("gone", "AbortError").name,
            error: new OperationError({ code: "mine", message: "x" }).code,
        },
    };
}

function aborted(): boolean[] {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
    const before = signal.aborted;
    controller.abort();
    return [before, signal.aborted, AbortSignal.abort().aborted];
}

function hex(buffer: ArrayBuffer): string {
    return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
