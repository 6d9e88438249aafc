"""Runs that wait: without a worker, on time, over restarts and kill -9. On the real binary, with a peer that counts."""
import json
import random
import shutil
import time

import pytest

from peers.flowlet import ROOT, Flowlet
from peers.http_peer import Answer, HttpPeer
from peers.process import wait_until

WORKSPACE = "waits"


class Peer(HttpPeer):
    def act(self, call):
        return Answer(200, {"Content-Type": "text/plain"}, b"yes")

    def told(self):
        return [call.body.decode() for call in self.calls]


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def folder(tmp_path, peer):
    folder = tmp_path / "workspace"
    shutil.copytree(ROOT / "tests/workspaces" / WORKSPACE, folder)
    (folder / "settings.json").write_text(json.dumps({"peer": f"http://127.0.0.1:{peer.port}/"}))
    return folder


@pytest.fixture
def server(tmp_path, folder):
    with Flowlet(tmp_path / "data", folder, options=["--allow-address", "127.0.0.0/8"]) as server:
        yield server


def begin(server, path):
    answer = server.post(path)
    assert answer.status == 202, answer.body
    return answer.json["run"]


def state(server, run):
    return server.in_workspace(f"runs/{run}", WORKSPACE)["state"]


def is_parked(server, run, seconds=5):
    wait_until(lambda: state(server, run) == "waiting", seconds, "the run without a worker")


def ended(server, run, seconds=20):
    def look():
        found = server.in_workspace(f"runs/{run}", WORKSPACE)
        return found if found["state"] in ("done", "failed", "canceled") else None
    return wait_until(look, seconds, f"the end of run {run}")


def test_a_wait_holds_no_worker_and_ends_on_time(server, peer):
    run = begin(server, "/pause?ms=4000")
    is_parked(server, run, 2)
    found = ended(server, run)
    assert found["state"] == "done", found["error"]
    assert peer.told() == ["before", "after"]
    assert 3.99 <= peer.calls[1].at - peer.calls[0].at < 6
    assert [b["path"] for b in found["history"]["blocks"] if b["path"] in ("before", "pause", "after")] == ["before", "pause", "after"]


def test_a_short_wait_keeps_its_worker(server):
    run = begin(server, "/pause?ms=800")
    seen = set()
    wait_until(lambda: seen.add(state(server, run)) or "done" in seen, 10, "the end")
    assert "waiting" not in seen


def test_waits_side_by_side_in_loops_and_called_flows(server, peer):
    run, rng = begin(server, "/many"), random.Random(3)
    is_parked(server, run, 2)
    for _ in range(4):
        time.sleep(rng.uniform(0.3, 1.2))
        server.kill()
        server.start()
    found = ended(server, run, 30)
    assert found["state"] == "done", found["error"]
    assert sorted(peer.told()) == sorted(["short", "long", "4000", "4500", "5000", "last"]) and peer.told()[-1] == "last"


def test_all_that_were_due_meanwhile_end_at_the_start(server, peer):
    runs = [begin(server, "/pause?ms=3500") for _ in range(20)]
    for run in runs:
        is_parked(server, run)
    server.kill()
    time.sleep(3.5)
    assert len(peer.calls) == 20
    server.start()
    started = time.monotonic()
    wait_until(lambda: len(peer.calls) == 40, 5, "all of them")
    assert peer.calls[20].at - started < 1
    assert all(ended(server, run)["state"] == "done" for run in runs)
    assert len(peer.calls) == 40


def test_a_waiting_run_can_be_canceled(server, peer):
    run = begin(server, "/pause?ms=3600000")
    is_parked(server, run)
    answer = server.api("POST", f"/workspaces/{WORKSPACE}/runs/{run}/cancel")
    assert answer.status == 202, answer.body
    found = ended(server, run, 5)
    assert found["state"] == "canceled" and [e["op"] for e in found["history"]["effects"]] == ["http.request"]
    server.stop()
    server.start()
    assert state(server, run) == "canceled" and len(peer.calls) == 1


def test_a_waiting_run_goes_on_with_its_own_release(server, peer, folder):
    run = begin(server, "/pause?ms=4000")
    is_parked(server, run)
    server.stop()
    flow = folder / "flows/pause.json"
    flow.write_text(flow.read_text().replace('"value": "after"', '"value": "newer"'))
    server.start()
    assert ended(server, run)["state"] == "done" and peer.told() == ["before", "after"]
    assert ended(server, begin(server, "/pause?ms=10"))["state"] == "done" and peer.told()[-1] == "newer"


def test_who_is_waited_for_stays(server):
    started = time.monotonic()
    answer = server.post("/awaited")
    assert (answer.status, answer.text) == (200, "slept") and 3.4 < time.monotonic() - started < 6
