"""`flowlet serve` as a process: how it starts and ends, what connections cost it."""
import http.client
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peers.flowlet import SANITIZED, Flowlet, request
from peers.process import wait_until
from test_api import metric
from test_endpoints import endpoint, workspace


def script(text, **start):
    """A flow that answers with what this function's text returns."""
    return {"name": "Script", "type": "endpoint", "start": start, "blocks": [{"id": "do", "type": "script", "script": text}, {"id": "end", "type": "end"}],
            "connections": [{"from": "start.out", "to": "do"}, {"from": "do.out", "to": "end", "map": {"body": {"from": "result"}}}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    flows = {"nap": script("nap.ts", method="POST", path="/nap"), "kept": script("nap.ts", method="POST", path="/kept", durable=True),
             "short": script("short.ts", method="GET", path="/short"), "large": script("large.ts", method="GET", path="/large"),
             "hello": endpoint("GET", "/hello")}
    folder = workspace(tmp_path_factory.mktemp("workspaces") / "shop", "shop", flows)
    (folder / "flows/nap.ts").write_text("async function nap() {\n    await sleep(20000);\n    return 'rested';\n}\n")
    (folder / "flows/short.ts").write_text("async function short() {\n    await sleep(300);\n    return 'rested';\n}\n")
    (folder / "flows/large.ts").write_text("function large() {\n    return 'x'.repeat(3_000_000);\n}\n")
    return folder


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("server") / "data", folder, practice=True) as server:
        yield server


# Starting

@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_folder_that_is_no_workspace_is_an_error(content, tmp_path):
    folder = tmp_path / "none"
    if content is not None:
        folder.mkdir()
        (folder / "workspace.json").write_text(content)
    server = Flowlet(tmp_path / "data", folder)
    server.launch()
    wait_until(lambda: server.process.child.poll() is not None, 20, "the end")
    said = server.process.tail()
    assert server.process.child.returncode == 1 and str(folder) in said and "cannot go on" not in said and "Sanitizer" not in said


# Ending

def test_a_second_sigterm_ends_it_at_once(folder, tmp_path):
    """Whoever waits is answered: callers of flows, of the API, of a publication that is under way."""
    server = Flowlet(tmp_path / "data", folder, practice=True).start()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(server.post, "/nap", b""), pool.submit(server.post, "/kept", b""),
                   pool.submit(server.api, "POST", "/workspaces/shop/flows/nap/runs?wait=true", {}),
                   pool.submit(server.api, "GET", "/workspaces/shop/logs?wait=25")]
        wait_until(lambda: metric(server, "flowlet_runs_open") == 3, 10, "the runs")
        began = time.monotonic()
        server.process.child.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.process.child.poll() is None
        assert server.stop() == 0 and time.monotonic() - began < 5
        answers = [one.result() for one in waiting]
    assert [answer.status for answer in answers[:2]] == [503, 503], [answer.status for answer in answers]
    assert answers[3].json["events"] is not None and "Sanitizer" not in server.process.tail()


# Connections

@pytest.mark.parametrize("path, size", [("/hello", 10), ("/short", 8), ("/large", 3_000_000)])
def test_a_caller_who_closes_its_sending_half_gets_its_answer(path, size, server):
    host, port = server.listen.split("//")[1].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        got = b""
        while piece := connection.recv(1 << 20):
            got += piece
    assert got.startswith(b"HTTP/1.1 200 ") and len(got) > size


@pytest.mark.skipif(SANITIZED, reason="allocations are padded")
def test_idle_connections_are_cheap(server):
    def memory():
        return sum(int(line.split()[1]) for line in Path(f"/proc/{server.process.pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    host, port = server.listen.split("//")[1].rsplit(":", 1)
    cookie = {"Cookie": "session=" + "x" * 7168}
    assert server.get("/hello", headers=cookie).status == 200
    before, connections = memory(), []
    for _ in range(2000):
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request("GET", "/hello", headers=cookie)
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        connections.append(connection)
    assert (memory() - before) / 1024 < 40
    connections[0].request("GET", "/hello", headers=cookie)
    assert connections[0].getresponse().status == 200, "they are still there"
    assert server.get("/hello", headers={"Cookie": "x" * 20000}).status == 431
    for connection in connections:
        connection.close()
