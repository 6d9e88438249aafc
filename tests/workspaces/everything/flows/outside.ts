/** Every operation that reaches outside, against the tests' peers. */
export async function outside({ server, site, nameServer }: { server: string; site: string; nameServer: string }):
    Promise<{ result: Record<string, unknown> }> {
    const [host, port] = site.split(":");
    const long = await mail.send({ server, from: "a@peer.test", to: ["b@peer.test"], subject: "Long", text: "form" });
    const short = await mail.send(server, "a@peer.test", "b@peer.test", "Short", "<b>form</b>", true);
    const mx = await dns.resolve("customer.example", "MX", { server: nameServer });
    const reverse = await dns.reverse("127.0.0.1", { server: nameServer }).catch((error: Error) => ({ names: [error.message] }));
    const answer = await http.request({ url: `http://${site}/numbers`, query: { a: 1 } });
    const fetched = await fetch(`http://${site}/numbers`, { method: "POST", body: "x", signal: AbortSignal.timeout(5000) });
    const certificate = await tls.certificate("api.github.com");
    return {
        result: {
            mails: [long.accepted, short.accepted],
            mx: mx.records.map(({ preference, exchange }) => `${preference} ${exchange}`),
            reverse: Array.isArray(reverse.names),
            lookup: (await dns.lookup("localhost")).addresses.length > 0,
            answer: [answer.status, JSON.parse(String(answer.body))],
            fetched: [fetched.ok, await fetched.json()],
            open: (await tcp.check(host, Number(port))).open,
            certificate: [certificate.names, certificate.trusted],
        },
    };
}
