"""W1: GET /hello?name=World gives {"message": "Hello World"}, through a mapping and a script."""
import sys

from . import servers, workload


def check(server):
    """The answers are right, and made for each request."""
    for name, greeting in ("World", "Hello World"), ("Ada", "Hello Ada"):
        answer = servers.request("GET", f"{server.url}/hello?name={name}")
        if answer.status != 200 or answer.json != {"message": greeting}:
            sys.exit(f"bench: {server.name} answered {answer.status} {answer.body[:300]!r} to /hello?name={name}")
    return 2


def tells(blocks):
    greet = blocks.get("greet", {})
    name = greet.get("input", {}).get("name")
    return bool(name) and greet.get("output") == {"message": f"Hello {name}"}


WORKLOAD = workload.Workload(
    name="W1", title="GET /hello through a mapping and a script", path="/hello?name=World", check=check, tells=tells,
    kinds=(servers.FlowletServer, servers.Fastify, servers.NodeRed, servers.Epoll), workspace=servers.HELLO_WORKSPACE,
    most=(("fastify", 0.85), ("node-red", 1 / 12)))


def run(options):
    workload.run(WORKLOAD, options)
