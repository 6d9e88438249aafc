"""W7: a loop of 10,000 turns, each through a mapping and a script, one request at a time; and one of a tenth of them, which tells
whether its time grows with its turns alone. The record holds the first and the last 100 turns."""
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from . import load, processes, records, servers
from .report import show

TURNS, FEWER = 10_000, 1_000
KEPT = 100
ASKED = 5
KINDS = (servers.FlowletServer, servers.Fastify, servers.NodeRed)
MOST_MS, MOST_GROWTH = 1000, 1.3


def ask(server, turns):
    began = time.monotonic()
    answer = servers.request("GET", f"{server.url}/loop?turns={turns}", timeout=60)
    taken = (time.monotonic() - began) * 1000
    if answer.status != 200 or answer.json != {"turns": turns, "sum": turns * (turns + 1)}:
        sys.exit(f"bench: {server.name} answered {answer.status} {answer.body[:300]!r} to a loop of {turns} turns")
    return taken


def recorded(server):
    """The share of the turns to be kept that the record of the newest run tells."""
    newest = server.flowlet.in_workspace("runs?limit=1", "bench")["runs"][0]["id"]
    blocks = records.blocks_of(server.flowlet, "bench", newest)
    kept = [*range(KEPT), *range(TURNS - KEPT, TURNS)]
    told = [n for n in kept if blocks.get(f"turns[{n}].turn", {}).get("output") == {"value": 2 * n + 2}]
    return len(told) / len(kept)


def round_of(kind):
    with tempfile.TemporaryDirectory(prefix="flowlet-bench-") as folder, kind(Path(folder), servers.BENCH_WORKSPACE) as server:
        for _ in range(ASKED):
            ask(server, FEWER)
        fewer = median(ask(server, FEWER) for _ in range(ASKED))
        load.settle(server.pid)
        cpu = processes.cpu_seconds(server.pid)
        all_ms = median(ask(server, TURNS) for _ in range(ASKED))
        load.settle(server.pid)
        cpu = (processes.cpu_seconds(server.pid) - cpu) / ASKED
        figures = {"cpu_us": cpu * 1e6, "ms": all_ms, "turn_us": all_ms * 1000 / TURNS, "growth": all_ms / fewer / (TURNS / FEWER)}
        if kind is servers.FlowletServer:
            figures["recorded"] = recorded(server)
        return figures


def run(options):
    kinds = servers.chosen(KINDS, options)
    seen = {kind.name: [] for kind in kinds}
    for _ in range(options.rounds):
        for kind in kinds:
            seen[kind.name].append(round_of(kind))
    results = {name: {figure: round(median(row[figure] for row in rows), 3) for figure in rows[0]} for name, rows in seen.items()}
    ours = results.get("flowlet")
    targets = [("ms for 10,000 turns", ours["ms"], MOST_MS), ("growth beyond linear", ours["growth"], MOST_GROWTH),
               ("share of turns not recorded", 1 - ours["recorded"], 0)] if ours else []
    show("W7", results, options.json, f"{TURNS:,} turns a request, one at a time; medians of {options.rounds} rounds", targets)
