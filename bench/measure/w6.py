"""W6: 100,000 stored runs in a Wait. What one costs the server's memory; how late they end with their due times spread over 100 s;
how fast they end when all were due while the server was down. Due times and ends are read from its store."""
import json
import re
import sqlite3
import tempfile
import time
from pathlib import Path

from . import load, servers
from .report import show

RUNS, SPREAD_MS = 100_000, 100_000
SMOKE_RUNS, SMOKE_SPREAD_MS = 2_000, 4_000
CONNECTIONS = 64
LEAD_SECONDS = 5  # after the last one was started
STARTS_A_SECOND = 2_000  # at least
MOST_BYTES, MOST_LATE_MS, MOST_FIRST_MS, FEWEST_A_SECOND = 300, 2_000, 1_000, 1_500


class Store:
    def __init__(self, folder):
        self.url = f"file:{folder}/data/flowlet.db?mode=ro"

    def rows(self, statement):
        store = sqlite3.connect(self.url, uri=True, timeout=20)
        try:
            return store.execute(statement).fetchall()
        finally:
            store.close()

    def one(self, statement):
        return self.rows(statement)[0][0]

    def await_(self, statement, seconds):
        end = time.monotonic() + seconds
        while self.one(statement):
            if time.monotonic() > end:
                raise SystemExit(f"bench: W6: not within {seconds:.0f} s: {statement}")
            time.sleep(0.2)


OPEN = "SELECT count(*) FROM accepted"
AWAKE = "SELECT count(*) FROM accepted WHERE run NOT IN (SELECT run FROM waits)"


def anonymous_bytes(pid):
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def begin(server, folder, runs, spread_ms):
    """Starts them, all to be due after the last one has begun; how many."""
    lead = runs / STARTS_A_SECOND + LEAD_SECONDS
    body = json.dumps({"ms": int(lead * 1000), "spread": spread_ms}).encode()
    wrk, begun, end = load.Wrk(server, folder, "/wait", body, CONNECTIONS), 0, time.monotonic() + lead - LEAD_SECONDS
    while begun < runs and time.monotonic() < end:
        begun += wrk.run(1)["requests"]
    return begun


def spread(folder, runs, spread_ms):
    with servers.FlowletServer(folder, servers.BENCH_WORKSPACE) as server:
        store = Store(folder)
        begin(server, folder, 1, 1)
        store.await_(OPEN, 30)
        load.settle(server.pid)
        before = anonymous_bytes(server.pid)
        begin(server, folder, runs, spread_ms)
        store.await_(AWAKE, 30)
        load.settle(server.pid)
        due = dict(store.rows("SELECT run, due_ms FROM waits"))
        each = (anonymous_bytes(server.pid) - before) / len(due)
        store.await_(OPEN, spread_ms / 1000 + 120)
        late = sorted(ended - due[run] for run, ended in store.rows("SELECT id, ended_ms FROM runs") if run in due)
        assert len(late) == len(due), "each has ended"
        return {"runs": len(due), "bytes_each": each, "late_p50_ms": late[len(late) // 2], "late_p99_ms": late[len(late) * 99 // 100]}


def overdue(folder, runs):
    with servers.FlowletServer(folder, servers.BENCH_WORKSPACE) as server:
        store = Store(folder)
        begin(server, folder, runs, 1)
        store.await_(AWAKE, 30)
        server.flowlet.kill()
        waiting, last = store.rows("SELECT count(*), max(due_ms) FROM waits")[0]
        time.sleep(max(0, last / 1000 - time.time()) + 0.5)
        began = time.time() * 1000
        with servers.on_core(server.core):
            server.flowlet.start(servers.START_SECONDS)
        store.await_(OPEN, 120)
        ends = sorted(ended - began for (ended,) in store.rows("SELECT ended_ms FROM runs") if ended > began)
        assert len(ends) >= waiting, "each has ended"
        return {"first_ms": ends[0], "ends_a_second": len(ends) * 1000 / max(1, ends[-1] - ends[0])}


def run(options):
    runs, spread_ms = (SMOKE_RUNS, SMOKE_SPREAD_MS) if options.smoke else (RUNS, SPREAD_MS)
    figures = {}
    for measure in (lambda folder: spread(folder, runs, spread_ms), lambda folder: overdue(folder, runs)):
        with tempfile.TemporaryDirectory(prefix="flowlet-bench-") as folder:
            figures |= measure(Path(folder))
    ours = {figure: round(value, 1) for figure, value in figures.items()}
    targets = [] if options.smoke else [
        ("bytes of memory a waiting run", ours["bytes_each"], MOST_BYTES), ("ms late, 99 of 100", ours["late_p99_ms"], MOST_LATE_MS),
        ("ms to the first end after a start", ours["first_ms"], MOST_FIRST_MS),
        ("ms an end, when all are overdue", round(1000 / ours["ends_a_second"], 2), round(1000 / FEWEST_A_SECOND, 2))]
    show("W6", {"flowlet": ours}, options.json, f"runs in Wait, due over {spread_ms / 1000:.0f} s; then all of them overdue at a start", targets)
