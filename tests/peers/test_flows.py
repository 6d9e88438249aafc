"""What flows mean, on the real binary: mappings, ways, loops, calls, retries, answers, and runs that are cut off (docs/semantics.md)."""
import json
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from peers.flowlet import ROOT, Flowlet
from peers.http_peer import DROPPED, SILENT, Answer, HttpPeer
from peers.process import wait_until

WORKSPACE = "features"
FOLDER = ROOT / "tests/workspaces" / WORKSPACE
SECRET = "s3cret-of-the-peer"


class Peer(HttpPeer):
    """Gives back the JSON it got. Turns of loops take {"ms"} and fail where they say so."""

    def __init__(self):
        super().__init__()
        self.open, self.most_open = 0, 0

    def act(self, call):
        value = json.loads(call.body or b"null")
        item = value.get("item") if isinstance(value, dict) else None
        with self.lock:
            self.open += 1
            self.most_open = max(self.open, self.most_open)
        time.sleep(item.get("ms", 0) / 1000 if isinstance(item, dict) else 0)
        with self.lock:
            self.open -= 1
        failing = isinstance(item, dict) and item.get("fail")
        return Answer.of_json(404 if failing else 200, {**value, "item": item and item["n"]} if item else value)


@pytest.fixture(scope="module")
def shared():
    with Peer() as peer:
        yield peer


@pytest.fixture
def peer(shared):
    shared.calls.clear()
    shared.most_open = 0
    yield shared
    shared.fault_always(None)


@pytest.fixture(scope="module")
def options(shared):
    return ["--allow-address", "127.0.0.0/8", "--resolve", f"peer.example:80=127.0.0.1:{shared.port}"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, options):
    with Flowlet(tmp_path_factory.mktemp("features") / "data", FOLDER, options=options) as flowlet:
        flowlet.command("secret", "set", "token", "--workspace", WORKSPACE, text=SECRET)
        yield flowlet


def post(server, path, value):
    return server.post(path, json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def newest(server, flow, since):
    """The record of the newest run of this flow, begun since then (time.time())."""
    def over():
        runs = server.in_workspace(f"runs?flow={flow}&limit=1&detail=true", WORKSPACE)["runs"]
        return runs and runs[0]["started_ms"] >= int(since * 1000) and runs[0]["ended_ms"] and runs[0]
    return wait_until(over, 10, f"the end of a run of {flow}")


def test_every_kind_of_source(server, peer):
    began = time.time()
    answer = post(server, "/mapping", {"items": [{"name": "first"}, {"name": "second"}], "any key": {"a.b": "dotted"}}).json
    assert answer["given"] == {
        "path": "second", "keyed": "dotted", "constant": {"deep": [1, 2]}, "lines": "2-4-6", "template": "Token token=first", "setting": 7,
        "composed": {"a": {"b": "first"}, "c": "xxx"}, "list": [1, "POST", 7]}
    assert answer["missing"] is True
    call, = peer.calls
    assert call.headers["authorization"] == "Token token=first" and call.headers["x-secret"] == SECRET
    assert call.json == {"secret": SECRET, "twice": [SECRET]}
    assert SECRET not in json.dumps(newest(server, "mapping", began)) and SECRET not in server.log.read_text()


def test_names(server):
    assert server.get("/names").json == {"n": 3, "seen": "number 1", "later": "number 2"}


def test_branches_run_side_by_side_and_join(server):
    began = time.time()
    assert server.get("/branches/1").json == {"left": "L", "right": "R"}
    naps = [block for block in newest(server, "branches", began)["history"]["blocks"] if block["path"] in ("left", "right")]
    assert abs(naps[0]["t"] - naps[1]["t"]) < 250, "one began before the other was over"
    assert server.get("/branches/11").json == {"only": "big"}


def items(*flags, ms=0):
    return [{"n": n, "ms": ms, "fail": bool(flag)} for n, flag in enumerate(flags)]


def test_loops_in_order(server, peer):
    assert post(server, "/loop-stop", items(0, 0, 0, ms=20)).json == {"results": ["0: 0", "1: 1", "2: 2"]}
    assert [call.json["index"] for call in peer.calls] == [0, 1, 2] and peer.most_open == 1
    assert post(server, "/loop-stop", []).json == {"results": []}


def test_loops_several_at_once(server, peer):
    answer = post(server, "/loop-collect", items(0, 1, 0, 0, 1, 0, 0, ms=100)).json
    assert answer["results"] == ["0: 0", None, "2: 2", "3: 3", None, "5: 5", "6: 6"]
    assert [(failure["index"], failure["error"]["code"], failure["error"]["status"]) for failure in answer["failures"]] == [(1, "http_status", 404), (4, "http_status", 404)]
    assert peer.most_open == 3 and len(peer.calls) == 7


def test_loops_that_stop(server, peer):
    answer = post(server, "/loop-stop", items(0, 1, 0))
    assert answer.status == 502 and answer.json["index"] == 1 and answer.json["code"] == "http_status" and len(peer.calls) == 2
    peer.calls.clear()
    listed = items(0, 0, 1, 1, 0, 0, 0, 0)
    listed[2]["ms"] = 150  # fails after its neighbour did
    answer = post(server, "/loop-stop-three", listed)
    assert answer.status == 502 and answer.json["index"] == 2 and len(peer.calls) < 8, "the lowest failed index; no more turns"


def test_calls(server):
    assert server.get("/calls/12").json == {"half": 6, "quarter": 3}
    odd = server.get("/calls/5")
    assert odd.status == 422 and (odd.json["code"], odd.json["message"]) == ("odd", "5 is odd")
    failed = server.get("/calls/6")
    assert failed.status == 500 and "3 is odd" in server.record(failed.json["run"], WORKSPACE)["error"]


def test_recursion_has_a_bottom(server):
    assert server.get("/deep/10").json == {"n": 10}
    failed = server.get("/deep/100000")
    assert failed.status == 500 and "nested" in server.record(failed.json["run"], WORKSPACE)["error"]


def test_scripts_call_and_start_flows(server):
    answer = server.get("/script-calls/8").json
    assert answer["half"] == 4 and answer["message"] == "odd: 9 is odd"
    child = server.record(answer["child"], WORKSPACE)
    assert child["state"] == "done" and child["flow"] == "child" and child["durable"] and child["history"]["logs"][0]["text"] == "child of script 8"


@pytest.mark.parametrize("faults, status, pauses", [
    ([Answer(500, {}, b"")], 200, [0.05]),
    ([Answer(503, {}, b""), Answer(502, {}, b"")], 200, [0.05, 0.1]),
    ([Answer(429, {"Retry-After": "1"}, b"")], 200, [1]),
    ([Answer(429, {"ratelimit-reset": "1"}, b"")], 200, [1]),
    ([DROPPED], 200, [0.05]),
    ([Answer(500, {}, b"broken")] * 4, 502, [0.05, 0.1, 0.2]),
    ([Answer(400, {}, b"never")], 502, []),
], ids=["500", "twice", "retry-after", "ratelimit-reset", "dropped", "gave up", "not worth it"])
def test_retries(server, peer, faults, status, pauses):
    peer.fault_next(*faults)
    began = time.time()
    answer = post(server, "/retry", {"a": 1})
    assert answer.status == status and len(peer.calls) == len(pauses) + 1
    for before, after, pause in zip(peer.calls, peer.calls[1:], pauses):
        assert pause - 0.02 < after.at - before.at < pause + 2
    call = next(block for block in newest(server, "retry", began)["history"]["blocks"] if block["path"] == "call")
    assert call.get("attempts", 1) == len(pauses) + 1 and call["pin"] == ("out" if status == 200 else "error")
    if status == 502:
        assert answer.json["error"]["status"] == faults[-1].status and answer.json["body"] == faults[-1].body.decode()


def test_time_outs_leave_by_error(server, peer):
    peer.fault_next(SILENT)
    began = time.monotonic()
    answer = server.get("/timeout").json
    assert (answer["call"]["code"], answer["nap"]["code"]) == ("timeout", "timeout") and time.monotonic() - began < 5
    assert (answer["call"]["block"], answer["nap"]["block"]) == ("call", "nap")


def test_an_answer_and_then_more_work(server, peer):
    def slow(call):
        time.sleep(0.5)
    peer.fault_always(slow)
    began = time.time()
    answer = post(server, "/respond", {"a": 1})
    assert answer.status == 201 and answer.text == "early" and answer.headers["x-early"] == "yes"
    assert all(call.outcome is None for call in peer.calls), "the caller did not wait for the rest"
    record = newest(server, "respond", began)
    assert record["state"] == "failed" and "too late for the caller" in record["error"] and record["durable"]


def test_a_journal_of_some_size(server):
    """What a run hands from block to block is journaled: the server takes it, or ends that run alone."""
    assert post(server, "/bulk", [1, 2]).text == "done"
    large = post(server, "/bulk", list(range(150)))
    assert large.text == "done" or (large.status == 500 and server.record(large.json["run"], WORKSPACE)["error"])
    assert post(server, "/bulk", [1]).text == "done"


def test_effects_are_not_repeated(tmp_path, options, peer):
    """kill -9 between effects and in the middle of them: what was done is not done again; what was under way may be, once a kill."""
    def slowly(call):
        time.sleep(0.03)
    peer.fault_always(slowly)
    sent, rng, kills = [], random.Random(5), 8
    over = threading.Event()

    def press(n):
        for i in range(12):
            name = f"{n}-{i}"
            try:
                if post(server, "/effects", {"id": name}).status == 202:
                    sent.append(name)
            except OSError:
                time.sleep(0.1)
            over.wait(0.1)

    with Flowlet(tmp_path / "data", FOLDER, options=options) as server, ThreadPoolExecutor(3) as pool:
        pressers = [pool.submit(press, n) for n in range(3)]
        for _ in range(kills):
            time.sleep(rng.uniform(0.05, 0.5))
            server.kill()
            server.start()
        for presser in pressers:
            presser.result()

        def all_over():
            runs = server.in_workspace("runs?limit=1000", WORKSPACE)["runs"]
            return all(run["ended_ms"] for run in runs) and runs
        runs = wait_until(all_over, 20, "the end of all runs")
        calls = Counter((call.json["id"], call.json["step"]) for call in peer.calls)
        names = {name for name, _ in calls}
        assert names >= set(sent) and len(sent) > 5
        assert set(calls) == {(name, step) for name in names for step in range(1, 8)}, "nothing is lost"
        assert all(run["state"] == "done" for run in runs), "state.put twice would have been a conflict"
        assert Counter(run["flow"] for run in runs) == {"effects": len(names), "child": len(names)}, "each started once"
        for name in names:
            assert sum(calls[name, step] - 1 for step in range(1, 8)) <= kills, "one operation under way a kill"
