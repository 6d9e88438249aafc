// Every way out. What it answers is what the operation gave, or the error's code.
function attempt(by: string, host: string, port: number): Promise<any> {
    switch (by) {
        case "http":
            return http.request({url: `http://${host}:${port}/`, timeout: 2000});
        case "https":
            return http.request({url: `https://${host}:${port}/`, timeout: 2000});
        case "fetch":
            return fetch(`http://${host}:${port}/`, {signal: AbortSignal.timeout(2000)}).then((answer) => answer.status);
        case "mail":
            return mail.send(`smtp://${host}:${port}`, "a@example.com", "b@example.com", "x", "y", false);
        case "tcp":
            return tcp.check(host, port);
        case "tls":
            return tls.certificate(host, port);
        default:
            return dns.resolve("example.com", "A", {server: `${host}:${port}`, timeout: 500});
    }
}

export async function tryIt({by, host, port}: {by: string; host: string; port: number}): Promise<any> {
    try {
        return {got: await attempt(by, host, port)};
    } catch (error: any) {
        return {code: error.code ?? error.name, message: error.message};
    }
}
