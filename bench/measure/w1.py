"""W1: GET /hello?name=World gives {"message": "Hello World"}, through a mapping and a script."""
import sys
import tempfile
from pathlib import Path
from statistics import median

from . import load, processes, servers
from .report import show

FIGURES = "cpu_us rps p50_ms p99_ms pss_mb recorded".split()
KINDS = [servers.FlowletServer, servers.Fastify, servers.NodeRed, servers.Epoll]


def sum_mb(pid):
    own, others = processes.memory_mb(pid)
    return own + sum(others)


def round_of(kind, seconds, warmup, connections):
    """Starts a server anew, warms it up, loads it, and looks what is left."""
    with tempfile.TemporaryDirectory(prefix="flowlet-bench-") as folder, kind(Path(folder)) as server:
        asked = load.check(server)
        load.settle(server.pid)
        before = sum_mb(server.pid)
        asked += load.wrk(server, warmup, connections)["requests"]
        load.settle(server.pid)
        cpu = processes.cpu_seconds(server.pid)
        seen = load.wrk(server, seconds, connections)
        load.settle(server.pid)
        cpu = processes.cpu_seconds(server.pid) - cpu
        figures = {"cpu_us": cpu * 1e6 / seen["requests"], "rps": seen["requests"] / seen["seconds"], "p50_ms": seen["p50_ms"],
                   "p99_ms": seen["p99_ms"], "pss_mb": sum_mb(server.pid), "idle_mb": before}
        recorded = server.recorded(asked + seen["requests"])
        return figures if recorded is None else {**figures, "recorded": recorded}


def run(kinds, seconds, rounds, warmup, connections, as_json):
    seen = {kind.name: [] for kind in kinds}
    for n in range(rounds):  # in turns: what disturbs this machine disturbs all alike
        for kind in kinds:
            row = round_of(kind, seconds, warmup, connections)
            seen[kind.name].append(row)
            print(f"round {n + 1} of {rounds}: {kind.name:9} {row['cpu_us']:7.1f} us a request", file=sys.stderr)
    results = {name: {f: round(median(row[f] for row in rows), 3) for f in FIGURES if f in rows[0]} for name, rows in seen.items()}
    if not as_json:
        add_spread(results, seen)
    show("W1", results, as_json, f"{connections} connections, medians of {rounds} rounds of {seconds} s", targets(results))


def add_spread(results, seen):
    """What people want to see as well: how far the rounds differ, and the memory before the load."""
    for name, rows in seen.items():
        cpu = [row["cpu_us"] for row in rows]
        results[name] |= {"cpu_least": min(cpu), "cpu_most": max(cpu), "idle_mb": median(row["idle_mb"] for row in rows)}


def targets(results):
    ours = results.get("flowlet")
    if not ours:
        return []
    found = [("share of runs not recorded", 1 - ours["recorded"], 0.01)]
    if "fastify" in results:
        found.append(("CPU, flowlet / fastify", ours["cpu_us"] / results["fastify"]["cpu_us"], 1))
    if "node-red" in results:
        found.append(("CPU, 12 flowlets / node-red", 12 * ours["cpu_us"] / results["node-red"]["cpu_us"], 1))
    return found
