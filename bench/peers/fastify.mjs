// W1 by hand: routing, a schema for the query, a schema for the answer, nothing else.
import Fastify from "fastify";

const server = Fastify();
const schema = {
    querystring: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
    response: { 200: { type: "object", properties: { message: { type: "string" } } } },
};
server.get("/hello", { schema }, async (request) => ({ message: `Hello ${request.query.name}` }));
await server.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
