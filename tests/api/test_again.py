"""Running a run again, from its start or from one of its blocks."""
from pathlib import Path

import pytest

from peers.flowlet import Flowlet
from peers.process import wait_until

TRIAL = Path(__file__).resolve().parents[1] / "workspaces/trial"
RUNS = "/workspaces/trial/runs"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("server") / "data", TRIAL, practice=True) as server:
        yield server


def start(server, flow, **input):
    answer = server.api("POST", f"/workspaces/trial/flows/{flow}/runs?wait=true", {"input": input})
    assert answer.status == 200 and answer.json["state"] == "done", answer.body
    return server.record(answer.json["run"], "trial")


def again(server, run, block=None, wait="?wait=true"):
    answer = server.api("POST", f"{RUNS}/{run['id']}/again{wait}", {"from": block} if block else {})
    assert answer.status in (200, 202), answer.body
    return server.record(answer.json["run"], "trial")


def possible(server, run):
    answer = server.api("GET", f"{RUNS}/{run['id']}/again")
    assert answer.status == 200, answer.body
    return {**{b["block"]: b.get("reason", True) for b in answer.json["blocks"]}, "start": answer.json["start"].get("reason", True)}


def ran(run):
    """Blocks and what they left with, those that were repeated in brackets."""
    return [f"[{b['path']}]" if b.get("repeated") else b["path"] for b in run["history"]["blocks"]]


def output(run, path):
    return next(b["output"] for b in run["history"]["blocks"] if b["path"] == path)


def test_from_the_start_with_the_same_input(server):
    run = start(server, "order", shop="north", query={"urgent": True}, requestBody={"item": "atlas"})
    repeated = again(server, run)
    assert repeated["repeats"] == run["id"] and repeated["trigger"] == f"again {run['id']}"
    assert output(repeated, "start") == output(run, "start")
    assert output(run, "count") == {"orders": 1} and output(repeated, "count") == {"orders": 2}


def test_from_a_block_of_a_run_that_is_not_durable(server):
    run = start(server, "order", shop="south", query={}, requestBody={"item": "globe"})
    assert possible(server, run) == {"start": True, "count": True, "page": True, "tell": True, "end": True, "failed": "it was not reached"}
    repeated = again(server, run, "page")
    assert ran(repeated) == ["start", "[count]", "page", "tell", "end"]
    assert output(repeated, "count") == {"orders": 1} and "number 1" in str(repeated["history"]["blocks"][3]["input"])
    assert [e["id"] for e in repeated["history"]["effects"]] == ["page#1", "tell#1"]
    assert repeated["trigger"] == f"again {run['id']} from page"


def test_from_a_block_of_a_durable_run_with_a_failure_a_loop_and_a_join_before_it(server):
    run = start(server, "steps", requestBody={"ms": 1})
    assert output(run, "last")["times"] == 1
    repeated = again(server, run, "last")
    assert sorted(ran(repeated)) == sorted(["start", "[first]", "[beside]", "[call]", "[list]", "[pause]", "last", "end"])
    assert output(repeated, "last") == {"times": 2, "seen": {"status": 404, "why": {"why": "not there"}, "first": 1, "beside": 1}}
    assert "effects" not in repeated["history"] and repeated["durable"]
    third = again(server, repeated, "pause")  # of one that repeats itself
    assert output(third, "last")["times"] == 3 and output(third, "first") == {"times": 1, "seen": None}


def test_what_was_repeated_survives_a_crash(tmp_path):
    with Flowlet(tmp_path / "data", TRIAL, practice=True) as server:
        run = start(server, "steps", requestBody={"ms": 1500})
        answer = server.api("POST", f"{RUNS}/{run['id']}/again", {"from": "pause"})
        assert answer.status == 202
        wait_until(lambda: server.api("GET", f"{RUNS}/{answer.json['run']}").json["state"] in ("running", "accepted", "waiting"), 5)
        server.kill()
        server.start()
        repeated = server.record(answer.json["run"], "trial")
        assert repeated["state"] == "done" and output(repeated, "first")["times"] == 1
        assert output(repeated, "last") == {"times": 2, "seen": {"status": 404, "why": {"why": "not there"}, "first": 1, "beside": 1}}
        assert "[list]" in ran(repeated) and "list[0].turn" not in ran(repeated)


def test_why_not_is_told(server):
    run = start(server, "steps", requestBody={"ms": 1})
    assert possible(server, run)["never"] == "it was not reached" and "Join" in possible(server, run)["both"]
    assert "turn" not in possible(server, run)
    masked = start(server, "order", shop="north", query={}, requestBody={"item": "hunter2-practice"})
    assert "masks" in possible(server, masked)["start"]
    cut = start(server, "order", shop="north", query={}, requestBody={"item": "pen", "note": "x" * 5000})
    assert "too long" in possible(server, cut)["start"] and "too long" in possible(server, cut)["tell"]
    for of, block, status, word in ((cut, None, 409, "too long"), (run, "never", 409, "not reached"), (run, "turn", 404, "turn"), (run, "nothing", 404, "nothing")):
        answer = server.api("POST", f"{RUNS}/{of['id']}/again", {"from": block} if block else {})
        assert answer.status == status and word in answer.json["detail"], answer.body
    tested = server.api("POST", "/workspaces/trial/test-runs?wait=true", {"flow": "many", "request": {"query": {"turns": 1}}}).json
    server.record(tested["run"], "trial")
    assert "test" in possible(server, {"id": tested["run"]})["start"]
    assert server.api("GET", f"{RUNS}/00000000000001/again").status == 404
    assert server.api("GET", f"{RUNS}/x/again").status == 404


def test_a_long_loop_before_a_block_is_repeated_as_a_whole(server):
    run = start(server, "many", query={"turns": 300})
    assert run["history"]["omitted"] > 0 and possible(server, run)["end"] is True
    repeated = again(server, run, "end")
    assert ran(repeated) == ["start", "[each]", "end"] and output(repeated, "end")["body"] == {"turns": 300}


def test_a_flow_that_changed_before_the_block_is_not_gone_on_with(tmp_path):
    with Flowlet(tmp_path / "data", TRIAL, practice=True) as server:
        run = start(server, "order", shop="north", query={}, requestBody={"item": "ink"})
        files = server.in_workspace("files", "trial")["files"]
        script = files["flows/count.ts"]
        files["flows/count.ts"] = script.replace("+ 1", "+ 10")
        assert server.api("PUT", "/workspaces/trial/files", {"files": files}).status == 200
        assert output(again(server, run, "count"), "count") == {"orders": 11}, "the block as it is now"
        files["flows/order.json"] = files["flows/order.json"].replace('"count"', '"counted"').replace('"count.out"', '"counted.out"')
        assert server.api("PUT", "/workspaces/trial/files", {"files": files}).status == 200
        told = possible(server, run)
        assert told["start"] is True and "changed" in told["counted"] and "changed" in told["tell"]
        del files["flows/order.json"], files["flows/count.ts"]
        assert server.api("PUT", "/workspaces/trial/files", {"files": files}).status == 200
        assert "not there any more" in possible(server, run)["start"]


def test_the_command_line_repeats_and_says_why_not(server):
    run = start(server, "order", shop="east", query={}, requestBody={"item": "map"})
    listed = server.command("again", run["id"], "--list").stdout
    assert "(the start)          possible\n" in listed and "failed               no: it was not reached\n" in listed
    assert "is done" in server.command("again", run["id"], "--from", "tell").stdout
    repeated = server.command("again", run["id"], "--json")
    assert '"state": "done"' in repeated.stdout
    refused = server.command("again", run["id"], "--from", "failed", check=False)
    assert refused.returncode == 1 and "not reached" in refused.stderr
