// W3 by hand: node's own http module, an agent that keeps connections, nothing else.
import http from "node:http";

const [port, upstream] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });

const get = (n) =>
    new Promise((resolve, reject) => {
        http.get(`${upstream}/?name=${n}`, { agent }, (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (piece) => (text += piece));
            response.on("end", () => resolve(JSON.parse(text).message));
            response.on("error", reject);
        }).on("error", reject);
    });

const routes = {
    "/fan": async () => [await get(1), await get(2), await get(3), await get(4), await get(5)],
    "/fan-at-once": () => Promise.all([1, 2, 3, 4, 5].map(get)),
};

http.createServer((request, response) => {
    const route = routes[request.url];
    if (!route) {
        response.writeHead(404).end();
        return;
    }
    route().then(
        (messages) => {
            response.writeHead(200, { "Content-Type": "application/json" });
            response.end(JSON.stringify({ messages }));
        },
        () => response.writeHead(502).end(),
    );
}).listen(Number(port), "127.0.0.1");
