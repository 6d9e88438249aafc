// Uses each part of the library once: it is not run, only held against library.d.ts.

export async function everything({ to }: { to: string }): Promise<{ lines: string[] }> {
    const lines: string[] = [];
    const sent = await mail.send("smtps://u@h", "a@x.test", to, "subject", "<b>text</b>", true);
    lines.push(sent.message_id, ...(await mail.send({ server: "smtps://u@h", from: "a@x.test", to: [to], subject: "s", text: "t", messageId: "<1@x.test>" })).accepted);
    const { records } = await dns.resolve("x.test", "MX", { server: "192.0.2.1", timeout: 500 });
    lines.push(...records.map((record) => `${record.preference} ${record.exchange} ${record.ttl}`), (await dns.lookup("x.test")).addresses[0].address, (await dns.reverse("192.0.2.1")).names[0]);
    const answer = await http.request({ url: "https://x.test", timeout: 100, bodyType: "form", body: { a: 1 }, sample: { status: 200 } });
    lines.push(String(answer.timing.total), String(answer.certificate?.days_left));
    const response = await fetch(new Request("https://x.test", { headers: new Headers([["a", "b"]]) }), { signal: AbortSignal.timeout(50) });
    if (response.ok) lines.push((await response.json()).text);
    lines.push(String((await tcp.check("x.test", 25)).open), (await tls.certificate("x.test")).issuer);
    lines.push(await secrets.getPassword("a"), (await secrets.getBasic("b")).username, String(await secrets.check("c", to)));
    await state.put("k", { a: 1 }, { ttl: 1000, ifVersion: (await state.get("k"))?.version ?? 0 });
    for (const { key } of await state.list("k")) await state.delete(key);
    lines.push(String(await password.verify("p", await password.hash("p"))), (await flows.call("f", {})).out, (await flows.start("f")).run);
    clearTimeout(setTimeout((n: number) => lines.push(String(n)), 5, 1));
    await sleep(5);
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("k"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    lines.push(btoa(String((await crypto.subtle.sign("HMAC", key, crypto.getRandomValues(new Uint8Array(8)))).byteLength)), crypto.randomUUID());
    lines.push(String(html`<p>${to}${[html`<b>x</b>`]}</p>`), html.escape(to), new URL("/a", "https://x.test").searchParams.toString());
    log.warn("w", structuredClone({ a: new Date() }));
    console.log(new TextDecoder().decode(new Uint8Array([65])), atob("QQ=="));
    try {
        new AbortController().signal.throwIfAborted();
    } catch (error) {
        if (error instanceof Error) lines.push(error.message);
    }
    return { lines };
}
