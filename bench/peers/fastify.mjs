// The workloads by hand: routing, a schema for what comes in, a schema for the answer, nothing else.
import Fastify from "fastify";
import work from "./work.cjs";

const integer = { type: "integer" };
const text = { type: "string" };
const object = (properties) => ({ type: "object", properties, required: Object.keys(properties) });
const answers = (schema) => ({ 200: schema });

const server = Fastify();

server.get(
    "/hello",
    { schema: { querystring: object({ name: text }), response: answers({ type: "object", properties: { message: text } }) } },
    async (request) => ({ message: `Hello ${request.query.name}` }),
);

const order = object({ id: text, customer: text, country: text, paid: { type: "boolean" }, quantity: integer, price: { type: "number" } });
const sums = object({
    count: integer,
    total: { type: "number" },
    countries: { type: "object", additionalProperties: { type: "number" } },
    top: { type: "array", items: object({ id: text, country: text, total: { type: "number" } }) },
});
server.post("/transform", { schema: { body: object({ orders: { type: "array", items: order } }), response: answers(sums) } }, async (request) =>
    work.transform(request.body),
);

const seeded = object({ seed: integer });
const computed = object({ sorted: integer, words: integer, found: integer, json: integer, hash: integer });
server.get("/compute", { schema: { querystring: seeded, response: answers(computed) } }, async (request) => work.compute(request.query));
server.get("/uint32", { schema: { querystring: seeded, response: answers(object({ hash: integer })) } }, async (request) => work.uint32(request.query));

const turned = object({ turns: integer, sum: integer });
server.get("/loop", { schema: { querystring: object({ turns: integer }), response: answers(turned) } }, async (request) => {
    const results = [];
    for (let item = 0; item < request.query.turns; item++) results.push((await work.turn({ n: item + 1 })).value);
    return { turns: results.length, sum: results.reduce((sum, value) => sum + value, 0) };
});

const upstream = process.argv[3];
const get = async (n) => (await (await fetch(`${upstream}/?name=${n}`)).json()).message;
const told = { schema: { response: answers(object({ messages: { type: "array", items: text } })) } };
server.get("/fan", told, async () => ({ messages: [await get(1), await get(2), await get(3), await get(4), await get(5)] }));
server.get("/fan-at-once", told, async () => ({ messages: await Promise.all([1, 2, 3, 4, 5].map(get)) }));

await server.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
