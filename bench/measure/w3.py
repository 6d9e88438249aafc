"""W3 and W3p: five HTTP requests to a server on loopback, in order or at once, and what they answered as one list."""
import sys

from . import servers, workload

MESSAGES = [f"Hello {n}" for n in range(1, 6)]


def expect(path):
    def check(server):
        answer = servers.request("GET", server.url + path)
        if answer.status != 200 or answer.json != {"messages": MESSAGES}:
            sys.exit(f"bench: {server.name} answered {answer.status} {answer.body[:300]!r} to {path}")
        return 1
    return check


def tells(blocks):
    return all(blocks.get(f"get{n}", {}).get("output", {}).get("response", {}).get("body") == {"message": MESSAGES[n - 1]} for n in range(1, 6))


def workload_of(name, path, how):
    return workload.Workload(name=name, title=f"five requests to a server on loopback, {how}", path=path, check=expect(path), tells=tells,
                             kinds=(servers.FlowletServer, servers.Node, servers.Fastify), most=(("node", 0.8),), asks_upstream=True)


def run(options):
    workload.run(workload_of("W3", "/fan", "in order"), options)


class AtOnce:
    """W3p."""

    @staticmethod
    def run(options):
        workload.run(workload_of("W3p", "/fan-at-once", "at once"), options)
