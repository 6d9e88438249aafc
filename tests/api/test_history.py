"""What is kept of runs: bodies by the flow's wish, the blocks of canceled runs, the workspace's own limits."""
import json
import sqlite3
import subprocess

import pytest

from peers.flowlet import BINARY, Flowlet
from peers.process import wait_until

SECRET_WORDS = "words-of-the-body"


def flow(bodies):
    """Echoes; where its query has `fail` it fails."""
    start = {"method": "GET", "path": f"/{bodies}"}
    if bodies != "standard":
        start["bodies"] = bodies
    return {"name": bodies, "type": "endpoint", "start": start,
            "blocks": [{"id": "which", "type": "condition"}, {"id": "bad", "type": "fail"}, {"id": "end", "type": "end"}],
            "connections": [
                {"from": "start.out", "to": "which", "map": {"condition": {"code": "input.query.fail !== undefined"}}},
                {"from": "which.true", "to": "bad", "map": {"message": {"value": "as asked"}}},
                {"from": "which.false", "to": "end", "map": {"body": {"from": "query.text"}}}]}


SLOW = {"name": "slow", "type": "endpoint", "start": {"method": "GET", "path": "/slow"},
        "blocks": [{"id": "pause", "type": "wait"}, {"id": "end", "type": "end"}],
        "connections": [{"from": "start.out", "to": "pause", "map": {"ms": {"value": 25000}}}, {"from": "pause.out", "to": "end"}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspaces") / "kept"
    (folder / "flows").mkdir(parents=True)
    (folder / "workspace.json").write_text(json.dumps({"name": "kept", "history": {"days": 3, "mb": 7}}))
    for bodies in ("standard", "keep", "sample", "drop"):
        (folder / f"flows/{bodies}.json").write_text(json.dumps(flow(bodies)))
    (folder / "flows/slow.json").write_text(json.dumps(SLOW))
    subprocess.run([BINARY, "check", folder], check=True, capture_output=True)
    with Flowlet(tmp_path_factory.mktemp("server") / "data", folder, practice=True) as server:
        yield server


def runs(server, name, count):
    """All runs of that flow, once there are so many."""
    def listed():
        got = json.loads(server.command("runs", "--flow", name, "--limit", "1000", "--json").stdout)["runs"]
        return len(got) >= count and got
    return wait_until(listed, 5, f"{count} records of {name}")


def kept(server, run):
    return json.loads(server.command("runs", run["id"], "--json").stdout)["history"]


def has_bodies(history):
    assert {b["path"] for b in history["blocks"]} >= {"start", "which"}
    has = SECRET_WORDS in json.dumps(history)
    assert has == any("input" in b or "output" in b for b in history["blocks"])
    assert (history.get("bodies") == "dropped") == (not has)
    return has


def test_bodies_are_kept_unless_the_flow_says_otherwise(server):
    for name, expected in (("standard", True), ("keep", True), ("drop", False)):
        server.get(f"/{name}?text={SECRET_WORDS}")
        server.get(f"/{name}?text={SECRET_WORDS}&fail=1")
        found = runs(server, name, 2)
        assert {r["state"] for r in found} == {"done", "failed"}
        assert [has_bodies(kept(server, r)) for r in found] == [expected] * 2, name
    assert SECRET_WORDS not in json.dumps([kept(server, r) for r in runs(server, "drop", 2)])


def test_of_a_sampled_flow_one_in_ten_and_each_failure(server):
    for i in range(150):
        server.get(f"/sample?text={SECRET_WORDS}")
    for i in range(3):
        server.get(f"/sample?text={SECRET_WORDS}&fail=1")
    found = runs(server, "sample", 153)
    assert all(has_bodies(kept(server, r)) for r in found if r["state"] == "failed")
    text = ["runs", "--flow", "sample", "--state", "done", "--limit", "1000", "--text", SECRET_WORDS, "--json"]
    sampled = len(json.loads(server.command(*text).stdout)["runs"])
    assert 2 <= sampled <= 40, f"{sampled} of 150"


def test_a_canceled_run_tells_of_the_blocks_that_ended(server):
    run = json.loads(server.command("run", "slow", "--no-wait", "--json").stdout)["run"]
    wait_until(lambda: server.api("GET", f"/workspaces/kept/runs/{run}").json["state"] == "running", 5, "the run to begin")
    assert server.api("POST", f"/workspaces/kept/runs/{run}/cancel").status == 202
    record = server.record(run, "kept")
    assert (record["state"], record["error"]) == ("canceled", "canceled by a user")
    assert "start" in {b["path"] for b in record["history"]["blocks"]}


def test_the_workspace_says_how_much_is_kept(server):
    with sqlite3.connect(f"file:{server.data}/flowlet.db?mode=ro", uri=True) as db:
        assert db.execute("SELECT keep_ms, keep_bytes FROM history").fetchall() == [(3 * 86400 * 1000, 7 << 20)]
