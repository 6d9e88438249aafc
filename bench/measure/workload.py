"""One request, asked of each server as often as it answers: what it costs, how long it takes, and what is recorded of it."""
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import load, processes, servers
from .report import show

FIGURES = "cpu_us rps p50_ms p99_ms pss_mb recorded".split()


@dataclass(frozen=True)
class Workload:
    """check and tells end the bench, or say False, where a server does not do what is asked of it."""

    name: str
    title: str
    path: str  # with its query
    check: Callable  # check(server): asks, looks at the answers, and tells how often it asked
    tells: Callable  # tells({path: block}): the record of a run says what its script got and gave
    kinds: tuple
    body: bytes | None = None  # of a POST; JSON
    workspace: Path = servers.BENCH_WORKSPACE
    most: tuple = ()  # (peer, at most this many times its CPU)
    asks_upstream: bool = False  # the servers ask another one in turn
    beside: tuple | None = None  # (figure, path): its CPU is reported as well


def run(workload, options):
    kinds = servers.chosen(workload.kinds, options)
    seen = {kind.name: [] for kind in kinds}
    for n in range(options.rounds):  # in turns: what disturbs this machine disturbs all alike
        for kind in kinds:
            row = _round(workload, kind, options)
            seen[kind.name].append(row)
            print(f"round {n + 1} of {options.rounds}: {kind.name:9} {row['cpu_us']:7.1f} us a request", file=sys.stderr)
    figures = FIGURES + ([workload.beside[0]] if workload.beside else [])
    results = {name: {f: round(median(row[f] for row in rows), 3) for f in figures if f in rows[0]} for name, rows in seen.items()}
    if not options.json:
        _add_spread(results, seen)
    title = f"{workload.title}; {options.connections} connections, medians of {options.rounds} rounds of {options.seconds} s"
    show(workload.name, results, options.json, title, _targets(workload, results))


def _sum_mb(pid):
    own, others = processes.memory_mb(pid)
    return own + sum(others)


def _round(workload, kind, options):
    """Starts a server anew, warms it up, loads it, and looks what is left."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlet-bench-"))
        server = kind(Path(folder), workload.workspace)
        if workload.asks_upstream:
            asked_folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlet-bench-"))
            server.upstream = stack.enter_context(servers.Upstream(Path(asked_folder))).url
        stack.enter_context(server)
        asked = workload.check(server)
        load.settle(server.pid)
        before = _sum_mb(server.pid)
        ask = load.Wrk(server, Path(folder), workload.path, workload.body, options.connections)
        asked += ask.run(options.warmup)["requests"]
        load.settle(server.pid)
        cpu_us, seen = _loaded(server, ask, options.seconds)
        figures = {"cpu_us": cpu_us, "rps": seen["requests"] / seen["seconds"], "p50_ms": seen["p50_ms"], "p99_ms": seen["p99_ms"],
                   "pss_mb": _sum_mb(server.pid), "idle_mb": before}
        recorded = server.recorded(asked + seen["requests"], workload.tells)
        if recorded is not None:
            figures["recorded"] = recorded
        if workload.beside:
            name, path = workload.beside
            figures[name], _ = _loaded(server, load.Wrk(server, Path(folder), path, None, options.connections), options.warmup)
        return figures


def _loaded(server, ask, seconds):
    """CPU microseconds a request, what was put off included; what wrk saw."""
    cpu = processes.cpu_seconds(server.pid)
    seen = ask.run(seconds)
    load.settle(server.pid)
    return (processes.cpu_seconds(server.pid) - cpu) * 1e6 / seen["requests"], seen


def _add_spread(results, seen):
    """What people want to see as well: how far the rounds differ, and the memory before the load."""
    for name, rows in seen.items():
        cpu = [row["cpu_us"] for row in rows]
        results[name] |= {"cpu_least": min(cpu), "cpu_most": max(cpu), "idle_mb": median(row["idle_mb"] for row in rows)}


def _targets(workload, results):
    ours = results.get("flowlet")
    if not ours:
        return []
    found = [("share of runs not recorded", 1 - ours["recorded"], 0.01)]
    for peer, times in workload.most:
        if peer in results:
            found.append((f"CPU, flowlet / {peer}", ours["cpu_us"] / results[peer]["cpu_us"], times))
    return found
