"""From the start of the process to its first right answer; all on one core."""
import tempfile
import time
from pathlib import Path
from statistics import median

from . import servers
from .report import show

TARGET_MS = 150


def first_answer_ms(start, url):
    """start() launches; then the answer is asked for until it is there."""
    began = time.monotonic()
    with servers.on_core(servers.SERVER_CORE):
        start()
    while True:
        try:
            answer = servers.request("GET", url + "/hello?name=World")
            if answer.status == 200 and answer.json == {"message": "Hello World"}:
                return (time.monotonic() - began) * 1000
        except OSError:
            pass
        if time.monotonic() - began > servers.START_SECONDS:
            raise SystemExit(f"bench: {url} did not answer within {servers.START_SECONDS} s")
        time.sleep(0.001)


def flowlet(folder):
    """With a new data directory, which publishes the workspace, and again with what that left."""
    server = servers.Flowlet(folder / "data", servers.HELLO_WORKSPACE)
    figures = {}
    for which in "new_ms", "again_ms":
        server.listen = f"http://127.0.0.1:{servers.free_port()}"
        figures[which] = first_answer_ms(server.launch, server.listen)
        server.stop()
    return figures


def program(kind):
    def measure(folder):
        server, url = kind(folder), f"http://127.0.0.1:{(port := servers.free_port())}"
        command = server.command(port)
        try:
            return {"again_ms": first_answer_ms(lambda: server.launch(command), url)}
        finally:
            server.stop()
    return measure


def run(options):
    measures = {"flowlet": flowlet}
    if servers.with_peers(options):
        measures |= {kind.name: program(kind) for kind in (servers.Fastify, servers.NodeRed)}
    seen = {name: [] for name in measures}
    for _ in range(options.rounds):
        for name, measure in measures.items():
            with tempfile.TemporaryDirectory(prefix="flowlet-bench-") as folder:
                seen[name].append(measure(Path(folder)))
    results = {name: {figure: round(median(row[figure] for row in rows), 1) for figure in rows[0]} for name, rows in seen.items()}
    show("cold", results, options.json, f"ms from the start to the first answer, medians of {options.rounds}",
         [("flowlet, new data directory", results["flowlet"]["new_ms"], TARGET_MS),
          ("flowlet, started again", results["flowlet"]["again_ms"], TARGET_MS)])
