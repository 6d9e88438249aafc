"""What a flow that misbehaves costs its neighbours: hello's latency alone, and while somebody calls the bad one again and again."""
import tempfile
import threading
from pathlib import Path
from statistics import median

from .load import Wrk
from .report import show
from .servers import ROOT, FlowletServer, request

WORKSPACE = ROOT / "tests/workspaces/limits"
BAD = ["loop", "promises", "regex", "array", "gigabyte", "starts"]
CONNECTIONS = 4
MOST = 2


class Caller(threading.Thread):
    """Calls one bad flow until it is left, a request at a time."""

    def __init__(self, server, what):
        super().__init__()
        self.url, self.left = f"{server.url}/abuse/{what}", threading.Event()

    def run(self):
        while not self.left.is_set():
            request("GET", self.url, timeout=30)

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.left.set()
        self.join()


def latencies(wrk, seconds):
    seen = wrk.run(seconds)
    return {"p50_ms": seen["p50_ms"], "p99_ms": seen["p99_ms"], "rps": seen["requests"] / seen["seconds"]}


def one_round(options, rows):
    with tempfile.TemporaryDirectory(prefix="flowlet-bench-") as folder, FlowletServer(Path(folder), WORKSPACE) as server:
        wrk = Wrk(server, Path(folder), "/hello/1", None, CONNECTIONS)
        wrk.run(options.warmup)
        for what in BAD:
            rows.setdefault("alone", []).append(latencies(wrk, options.seconds))
            with Caller(server, what):
                rows.setdefault(what, []).append(latencies(wrk, options.seconds))


def run(options):
    rows = {}
    for _ in range(options.rounds):
        one_round(options, rows)
    figures = {name: {figure: round(median(row[figure] for row in seen), 3) for figure in seen[0]} for name, seen in rows.items()}
    show("neighbours", figures, options.json, f"hello with {CONNECTIONS} connections beside a flow that misbehaves, medians of {options.rounds}",
         [(f"p99 beside {what}, times alone", figures[what]["p99_ms"] / figures["alone"]["p99_ms"], MOST) for what in BAD])
