"""W5: three effects in a row, each journaled and synced to the disk before it leaves; beside the same flow that is not durable."""
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from . import load, processes, servers
from .report import show

ALONE_RUNS = 40
FLOWS = {"durable": "/durable", "not durable": "/not-durable"}
EXPECTED = {"messages": [f"Hello {n}" for n in (1, 2, 3)]}


def _ask(server, path):
    answer = servers.request("GET", server.url + path)
    if answer.status != 200 or answer.json != EXPECTED:
        sys.exit(f"bench: {path} was answered {answer.status} {answer.body[:300]!r}")


def _commits(server):
    return int(re.search(r"^flowlet_store_commits_total (\d+)", servers.request("GET", f"{server.flowlet.console}/metrics").text, re.M).group(1))


def _alone(server, folder):
    """Commits of one run, nobody else being there; fsync and fdatasync as strace counts them, checkpoints included."""
    seen = folder / "strace"
    with subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", seen, "-p", str(server.pid)],
                          stderr=subprocess.DEVNULL) as tracer:
        load.settle(server.pid)  # until it has taken hold, and the records of before are written
        before, commits = seen.read_text().count("sync("), _commits(server)
        for _ in range(ALONE_RUNS):
            _ask(server, FLOWS["durable"])
        commits = _commits(server) - commits
        load.settle(server.pid)
        tracer.terminate()
    # To a tenth: one or two of them may be of something else, such as what the API notes of a token.
    return {"commits_alone": round(commits / ALONE_RUNS, 1), "syncs_alone": (seen.read_text().count("sync(") - before) / ALONE_RUNS}


def _loaded(server, folder, path, connections, seconds):
    ask = load.Wrk(server, folder, path, None, connections)
    ask.run(1)
    load.settle(server.pid)
    cpu, commits = processes.cpu_seconds(server.pid), _commits(server)
    seen = ask.run(seconds)
    commits = _commits(server) - commits
    load.settle(server.pid)
    own, others = processes.memory_mb(server.pid)
    return {"cpu_us": (processes.cpu_seconds(server.pid) - cpu) * 1e6 / seen["requests"], "rps": seen["requests"] / seen["seconds"],
            "p50_ms": seen["p50_ms"], "p99_ms": seen["p99_ms"], "pss_mb": own + sum(others),
            "commits_a_run": commits / seen["requests"]}


def _round(options):
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlet-bench-")))
        asked_folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlet-bench-")))
        server = servers.FlowletServer(folder, servers.BENCH_WORKSPACE)
        server.upstream = stack.enter_context(servers.Upstream(asked_folder)).url
        stack.enter_context(server)
        for path in FLOWS.values():
            _ask(server, path)
        rows = {name: _loaded(server, folder, path, options.connections, options.seconds) for name, path in FLOWS.items()}
        again = _loaded(server, folder, FLOWS["durable"], options.connections, options.seconds)
        rows["durable"]["grown_mb"] = again["pss_mb"] - rows["durable"]["pss_mb"]
        rows["durable"] |= _alone(server, folder)
        # Each run waits for its commits one after the other: whatever shares one commit is of different runs.
        rows["durable"]["runs_a_commit"] = rows["durable"]["commits_alone"] / rows["durable"]["commits_a_run"]
        return rows


def run(options):
    seen = [_round(options) for _ in range(options.rounds)]
    results = {name: {f: round(median(row[name][f] for row in seen), 3) for f in seen[0][name]} for name in FLOWS}
    durable, plain = results["durable"], results["not durable"]
    title = f"three effects in a row; {options.connections} connections, medians of {options.rounds} rounds of {options.seconds} s"
    share = min(8 / durable["runs_a_commit"], 2000 / durable["rps"])
    show("W5", results, options.json, title,
         [("commits of a run alone", durable["commits_alone"], 5), ("CPU, durable / not durable", durable["cpu_us"] / plain["cpu_us"], 2),
          ("of 8 runs a commit, or 2,000/s", share, 1), ("MB more after a second load", durable["grown_mb"], 5)])
