"""PSS of an idle server that has answered a few requests: the server, a worker, and what idle connections add."""
import http.client
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from . import processes, servers, w1
from .report import show

IDLE_SECONDS = 3
SERVER_MB, WORKER_MB, CONNECTIONS_MB = 24, 40, 40
CONNECTIONS = 2000
COOKIE = "session=" + "x" * 7168


def connections_mb(server):
    """So many kept alive after one request each, with a large cookie."""
    before = processes.memory_mb(server.pid)[0]
    (host, port), kept = server.url.split("//")[1].split(":"), []
    for _ in range(CONNECTIONS):
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request("GET", w1.WORKLOAD.path, headers={"Cookie": COOKIE})
        answer = connection.getresponse()
        if answer.status != 200 or not answer.read():
            raise SystemExit(f"bench: connection {len(kept) + 1} was answered {answer.status}")
        kept.append(connection)
    after = processes.memory_mb(server.pid)[0]
    for connection in kept:
        connection.close()
    return after - before


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
        return {"server_mb": own, "worker_mb": max(workers), "workers": len(workers), "idle_cpu_ms_s": cpu * 1000 / IDLE_SECONDS,
                "connections_mb": connections_mb(server)}


def run(options):
    seen = [one_start() for _ in range(options.rounds)]
    figures = {figure: round(median(row[figure] for row in seen), 2) for figure in seen[0]}
    show("memory", {"flowlet": figures}, options.json, f"PSS idle, medians of {options.rounds}",
         [("server", figures["server_mb"], SERVER_MB), ("worker", figures["worker_mb"], WORKER_MB),
          (f"{CONNECTIONS} idle connections", figures["connections_mb"], CONNECTIONS_MB)])
