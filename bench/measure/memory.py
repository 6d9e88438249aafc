"""PSS of an idle server that has answered a few requests: the server, and a worker."""
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from . import processes, servers, w1
from .report import show

IDLE_SECONDS = 3
SERVER_MB, WORKER_MB = 24, 40


def one_start():
    with tempfile.TemporaryDirectory(prefix="flowlet-bench-") as folder, servers.FlowletServer(Path(folder)) as server:
        w1.check(server)
        time.sleep(IDLE_SECONDS)
        own, workers = processes.memory_mb(server.pid)
        cpu = processes.cpu_seconds(server.pid)
        time.sleep(IDLE_SECONDS)
        cpu = processes.cpu_seconds(server.pid) - cpu
        others = processes.sharers(server.pid)
        if others:
            print(f"note: {len(others)} more processes run flowlet, so that shared pages count for less than alone", file=sys.stderr)
        return {"server_mb": own, "worker_mb": max(workers), "workers": len(workers), "idle_cpu_ms_s": cpu * 1000 / IDLE_SECONDS}


def run(options):
    seen = [one_start() for _ in range(options.rounds)]
    figures = {figure: round(median(row[figure] for row in seen), 2) for figure in seen[0]}
    show("memory", {"flowlet": figures}, options.json, f"PSS idle, medians of {options.rounds}",
         [("server", figures["server_mb"], SERVER_MB), ("worker", figures["worker_mb"], WORKER_MB)])
