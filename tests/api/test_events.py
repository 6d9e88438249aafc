"""Runs as they go: server-sent events of a workspace and of one run."""
import json
from pathlib import Path

import pytest

from events import Events
from peers.flowlet import SANITIZED, Flowlet
from peers.process import wait_until

TRIAL = Path(__file__).resolve().parents[1] / "workspaces/trial"
ALL = "/workspaces/trial/events"
many_events = pytest.mark.skipif(SANITIZED, reason="under the sanitizer what is freed counts as well, and a worker's memory limit comes first")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("server") / "data", TRIAL, practice=True) as server:
        yield server


def order(server, item="book"):
    answer = server.api("POST", "/workspaces/trial/flows/order/runs?wait=true",
                        {"input": {"shop": "north", "query": {}, "requestBody": {"item": item}}})
    assert answer.status == 200 and answer.json["state"] == "done", answer.body
    return answer.json["run"]


def test_a_run_tells_of_its_blocks_as_it_goes(server):
    with Events(server, ALL) as events:
        run = order(server)
        seen = events.until("run-ended")
    assert {e.data["run"] for e in seen} == {run} and {e.data["flow"] for e in seen} == {"order"}
    told = [(e.name, e.data.get("path") or e.data.get("id")) for e in seen if e.name != "log"]
    assert told == [("run-started", None), ("block-started", "count"), ("block-ended", "count"), ("block-started", "page"),
                    ("effect", "page#1"), ("block-ended", "page"), ("block-started", "tell"), ("effect", "tell#1"),
                    ("block-ended", "tell"), ("block-started", "end"), ("block-ended", "end"), ("run-ended", None)]
    count = next(e.data for e in seen if e.name == "block-ended")
    assert count["pin"] == "out" and count["output"] == {"orders": 1} and count["attempts"] == 1 and count["ms"] >= 0
    assert next(e.data for e in seen if e.name == "log")["text"] == "order 1 of book"
    assert seen[-1].data["state"] == "done"


def test_values_are_cut_and_secrets_masked(server):
    with Events(server, ALL) as events:
        order(server, "hunter2-practice " + 1000 * "x")
        seen = events.until("run-ended")
    text = json.dumps([e.data for e in seen])
    assert "hunter2" not in text and "«token»" in json.dumps([e.data for e in seen], ensure_ascii=False)
    page = next(e.data for e in seen if e.name == "block-started" and e.data["path"] == "page")
    assert page["input"]["length"] > 1000 and len(page["input"]["$cut"]) <= 410


def test_two_thousand_events_of_a_run_are_watched_without_loss(server):
    with Events(server, ALL) as events:
        assert server.get("/many?turns=1000").json == {"turns": 1000}
        seen = events.until("run-ended")
    assert "missed" not in {e.name for e in seen}
    ended = [e.data["path"] for e in seen if e.name == "block-ended"]
    assert ended == [f"each[{i}].twice" for i in range(1000)] + ["each", "end"]
    assert len([e for e in seen if e.name == "block-started"]) == 1002
    numbers = [int(e.id.split("-")[1], 16) for e in seen]
    assert numbers == sorted(set(numbers))


def test_who_comes_back_goes_on_where_he_was(server):
    with Events(server, ALL) as events:
        order(server)
        first = events.until("block-ended")[-1].id
    run = order(server, "pen")  # while nobody is there, but soon enough
    with Events(server, ALL, last=first) as events:
        seen = []
        while not seen or seen[-1].data["run"] != run:
            seen += events.until("run-ended")
    assert "missed" not in {e.name for e in seen}
    assert [e.data["path"] for e in seen if e.name == "block-ended"] == ["page", "tell", "end", "count", "page", "tell", "end"]


@pytest.mark.parametrize("last", ["1-1", "nonsense", "-", "1-zz"])
def test_who_cannot_be_told_everything_is_told_so(server, last):
    with Events(server, ALL, last=last) as events:
        assert events.until("missed")[0].data["reason"]


@many_events
def test_more_than_is_kept_is_said_to_be_missed(server):
    with Events(server, ALL) as events:
        first = order(server) and events.until("run-ended")[-1].id
        for _ in range(5):
            assert server.get("/many?turns=1000").json == {"turns": 1000}
    with Events(server, ALL, last=first) as events:
        assert events.until("run-ended", "missed")[0].name == "missed"


def test_one_run_is_watched_to_its_end(server):
    run = order(server)
    with Events(server, f"/workspaces/trial/runs/{run}/events") as events:
        seen = list(events)  # the stream ends by itself
    assert seen[-1].name == "run-ended" and seen[-1].data["state"] == "done" and {e.data["run"] for e in seen} == {run}
    assert server.api("GET", "/workspaces/trial/runs/00000000000001/events").status == 404
    assert server.api("GET", "/workspaces/trial/runs/x/events").status == 404


def test_a_run_of_long_ago_tells_its_end(server, tmp_path):
    with Flowlet(tmp_path / "data", TRIAL, practice=True) as other:
        run = order(other)
        other.record(run, "trial")
        other.stop()
        other.start()
        with Events(other, f"/workspaces/trial/runs/{run}/events") as events:
            assert [(e.name, e.data["state"]) for e in events] == [("run-ended", "done")]


def test_nobody_listening_costs_nothing(server, tmp_path):
    with Flowlet(tmp_path / "data", TRIAL, practice=True) as other:
        order(other)
        kinds = {e["kind"] for e in other.in_workspace("logs", "trial")["events"]}
        assert kinds == {"log", "done"}


def test_a_server_ends_while_somebody_listens(tmp_path):
    with Flowlet(tmp_path / "data", TRIAL, practice=True) as other, Events(other, ALL) as events:
        assert other.stop() == 0
        assert list(events) == []



def test_listeners_that_hang_up_are_let_go(server):
    readers = [Events(server, ALL) for _ in range(200)]
    assert Events(server, ALL).answer.status == 503
    for events in readers:
        events.__exit__()
    wait_until(lambda: Events(server, ALL).answer.status == 200, 10, "room for a reader")


@many_events
def test_a_slow_reader_is_told_that_it_missed_something_and_the_server_keeps_nothing_for_it(server):
    with Events(server, ALL) as events:
        for _ in range(20):  # far more than the connection's buffers and the ring hold
            assert server.get("/many?turns=1000").json == {"turns": 1000}
        last = order(server)
        seen = []
        while not seen or seen[-1].data.get("run") != last:
            seen += events.until("run-ended")
    assert "slowly" in next(e.data["reason"] for e in seen if e.name == "missed")
    assert [e.data.get("path") for e in seen if e.data.get("run") == last and e.name == "block-ended"] == ["count", "page", "tell", "end"]


@many_events
def test_a_run_of_very_many_blocks_says_when_it_tells_no_more(server):
    with Events(server, ALL) as events:
        assert server.get("/many?turns=6000", timeout=60).json == {"turns": 6000}
        seen = events.until("run-ended")
    blocks = [e for e in seen if e.name.startswith("block-")]
    assert len(blocks) == 9999 and seen[-2].name == "many", (len(blocks), seen[-2])
