"""W4: one script of sorting, Map, strings, regular expressions, JSON and integer arithmetic. Beside it a loop of 1e6 steps in
unsigned 32 bits, in which JavaScriptCore is slower than V8."""
import sys

from . import servers, workload

ANSWERS = {"/compute?seed=7": {"sorted": 55, "words": 998, "found": 56, "json": 1731, "hash": -258620639},
           "/uint32?seed=7": {"hash": 4294967288}}


def check(server):
    for path, expected in ANSWERS.items():
        answer = servers.request("GET", server.url + path)
        if answer.status != 200 or answer.json != expected:
            sys.exit(f"bench: {server.name} answered {answer.status} {answer.body[:300]!r} to {path}")
    return len(ANSWERS)


def tells(blocks):
    compute = blocks.get("compute", {})
    return compute.get("input") == {"seed": 7} and compute.get("output", {}).get("result") == ANSWERS["/compute?seed=7"]


WORKLOAD = workload.Workload(
    name="W4", title="sorting, Map, strings, regular expressions, JSON, integers in a script", path="/compute?seed=7", check=check,
    tells=tells, kinds=(servers.FlowletServer, servers.Fastify, servers.NodeRed), most=(("fastify", 1.6),),
    beside=("uint32_us", "/uint32?seed=7"))


def run(options):
    workload.run(WORKLOAD, options)
