"""Test runs: drafts with an input, effects captured or real, without publishing."""
import json
from pathlib import Path

import pytest

from events import Events
from peers.flowlet import Flowlet, request
from peers.process import wait_until

TRIAL = Path(__file__).resolve().parents[1] / "workspaces/trial"
ORDER = {"path": "/orders/north?urgent=true", "body": {"item": "book"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("server") / "data", TRIAL, practice=True) as server:
        yield server


def start(server, wait=True, **body):
    return server.api("POST", f"/workspaces/trial/test-runs{'?wait=true' if wait else ''}", body)


def try_out(server, **body):
    answer = start(server, **body)
    assert answer.status == 200, answer.body
    return answer.json


def body_of(run):
    return json.loads(run["answer"]["body"])


def test_a_published_flow_without_its_access(server):
    run = try_out(server, flow="order", request=ORDER)
    assert run["state"] == "done" and run["answer"]["status"] == 201
    assert body_of(run) == {"orders": 1, "page": 7, "shop": "north"}
    blocks = {b["path"]: b for b in run["history"]["blocks"]}
    assert blocks["count"]["input"] == {"item": "book"} and blocks["start"]["output"]["query"] == {"urgent": True}
    record = server.record(run["run"], "trial")
    assert record["test"] is True and record["durable"] is False and record["trigger"] == "test POST /orders/north"
    assert record["history"] == run["history"]
    assert not server.api("GET", "/workspaces/trial/runs?limit=1").json["runs"][0]["release"] == 0


def test_effects_are_captured_in_the_run_and_nothing_stays(server):
    runs = [try_out(server, flow="order", request=ORDER) for _ in range(2)]
    assert [body_of(run)["orders"] for run in runs] == [1, 1], "state is a copy that is thrown away"
    page, mail = [e for e in runs[0]["history"]["effects"] if "captured" in e]
    assert (page["id"], page["captured"], page["to"]) == ("page#1", "page", "on-call")
    content = json.loads(page["content"])
    assert content["method"] == "POST" and json.loads(content["body"]) == {"item": "book", "orders": 1}
    assert "hunter2" not in json.dumps(runs)
    assert mail["to"] == "boss@example.com" and "Subject: Order of book in north" in mail["content"]
    assert server.in_workspace("outbox", "trial")["outbox"] == []


def test_state_that_is_there_is_seen_and_what_the_test_writes_too(server, tmp_path):
    script = """export async function f({}: {}): Promise<{seen: unknown[]}> {
        const seen: unknown[] = [await state.get("kept"), await state.put("kept", 2), await state.get("kept"), await state.put("new", 1)];
        seen.push((await state.list("")).length, await state.delete("new"), await state.delete("new"), await state.get("new"));
        return {seen};
    }"""
    flow = {"name": "F", "type": "reusable", "start": {}, "blocks": [{"id": "f", "type": "script", "script": "f.ts"}, {"id": "end", "type": "end"}],
            "connections": [{"from": "start.out", "to": "f"}, {"from": "f.out", "to": "end", "map": {"seen": {"from": "seen"}}}]}
    files = {"flows/f.json": json.dumps(flow), "flows/f.ts": script}
    seen = try_out(server, flow="f", files=files, effects="real")["output"]["seen"]
    assert seen[0] is None
    for _ in range(2):
        seen = try_out(server, flow="f", files=files)["output"]["seen"]
        assert seen[0]["value"] == 2 and seen[2]["value"] == 2 and seen[2]["version"] > seen[0]["version"]
        assert seen[5:] == [True, False, None]


def test_a_draft_is_run_without_being_published(server):
    draft = {"flows/twice.ts": "export function twice({n}: {n: number}): {twice: number} { return {twice: n + 40}; }"}
    run = try_out(server, flow="many", files=draft, request={"query": {"turns": 2}})
    assert [b["output"] for b in run["history"]["blocks"] if b["path"].endswith(".twice")] == [{"twice": 40}, {"twice": 41}]
    assert server.record(run["run"], "trial")["release"] == 0
    gone = start(server, flow="many", files={"flows/many.json": None}, request={"query": {"turns": 2}})
    assert gone.status == 404 and "many" in gone.json["detail"]
    assert server.api("POST", "/workspaces/trial/flows/many/runs?wait=true", {"input": {"query": {"turns": 1}}}).json["state"] == "done"


def test_a_draft_with_errors_tells_them(server):
    answer = start(server, flow="many", files={"flows/twice.ts": "export function twice({n}: {n: number}) { return {"})
    assert answer.status == 400 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json["findings"][0]["file"] == "flows/twice.ts" and "nothing was run" in answer.json["detail"]


@pytest.mark.parametrize("body, status, words", [
    ({}, 400, "flow"),
    ({"flow": "nothing"}, 404, "nothing"),
    ({"flow": "many", "at": "2027-01-01T00:00:00Z"}, 400, "cron"),
    ({"flow": "many", "input": {}, "request": {}}, 400, "enough"),
    ({"flow": "many", "request": {"path": "/orders/x", "method": "POST"}}, 400, "order"),
    ({"request": {"path": "/nowhere"}}, 400, "/nowhere"),
    ({"flow": "many", "effects": "some"}, 400, "effects"),
    ({"flow": "many", "files": {"flows/x.txt": "x"}}, 400, "x.txt"),
    ({"flow": "many", "files": {"flows/x.ts": 5}}, 400, "x.ts"),
    ({"flow": "many", "speed": 5}, 400, "speed"),
])
def test_what_is_wrong_is_told(server, body, status, words):
    answer = start(server, **body)
    assert answer.status == status and words in answer.text, answer.body


def test_a_request_that_does_not_fit_is_answered_as_its_caller_would_be(server):
    run = try_out(server, flow="order", request={"path": "/orders/north", "body": {"amount": "two"}})
    assert run["answer"]["status"] == 400 and {e["pointer"] for e in body_of(run)["errors"]} == {"/item", "/amount"}


def test_operations_are_answered_as_told(server):
    run = try_out(server, flow="order", request=ORDER, answers={"page": {"status": 503}})
    assert run["answer"]["status"] == 502 and body_of(run) == {"code": "http_status"}
    run = try_out(server, flow="order", request=ORDER, answers={"page#1": {"status": 200, "body": {"page": 99}}})
    assert body_of(run)["page"] == 99
    run = try_out(server, flow="order", request=ORDER, answers={"tell": {"$error": {"code": "timeout", "message": "too slow"}}})
    assert run["state"] == "failed" and "too slow" in run["error"]["message"]


def test_the_same_seed_gives_the_same(server):
    files = {"flows/dice.json": json.dumps({
        "name": "Dice", "type": "reusable", "start": {}, "blocks": [{"id": "end", "type": "end"}],
        "connections": [{"from": "start.out", "to": "end", "map": {"dice": {"code": "[Math.random(), crypto.randomUUID()]"}}}]})}
    one, two, other = (try_out(server, flow="dice", files=files, seed=s)["output"] for s in ("a", "a", "b"))
    assert one == two != other


def test_it_is_watched_from_its_start(server):
    run = start(server, wait=False, flow="many", request={"query": {"turns": 300}})
    assert run.status == 202
    with Events(server, f"/workspaces/trial/runs/{run.json['run']}/events") as events:
        seen = list(events)
    assert "missed" not in {e.name for e in seen} and len([e for e in seen if e.name == "block-ended"]) == 302


def test_flows_that_a_test_starts_are_tests_too(server):
    files = {"flows/outer.json": json.dumps({
        "name": "Outer", "type": "reusable", "start": {}, "blocks": [{"id": "inner", "type": "call", "flow": "inner", "mode": "start"}, {"id": "end", "type": "end"}],
        "connections": [{"from": "start.out", "to": "inner"}, {"from": "inner.out", "to": "end", "map": {"run": {"from": "run"}}}]}),
        "flows/inner.json": json.dumps({
            "name": "Inner", "type": "reusable", "start": {}, "blocks": [{"id": "call", "type": "http"}],
            "connections": [{"from": "start.out", "to": "call", "map": {"method": {"value": "POST"}, "url": {"setting": "peer"}}}]})}
    run = try_out(server, flow="outer", files=files)
    inner = server.record(run["output"]["run"], "trial")
    assert inner["test"] and inner["state"] == "done" and inner["history"]["effects"][0]["captured"] == "other"


def test_tests_have_no_part_in_what_is_durable(server):
    """A cron flow is durable always; its test is not, and does not count as one of its due times."""
    files = {"flows/tick.json": json.dumps({"name": "Tick", "type": "cron", "start": {"every": "1 hour"}, "blocks": [{"id": "note", "type": "script", "script": "note.ts"}],
                                            "connections": [{"from": "start.out", "to": "note", "map": {"at": {"from": "scheduledAt"}}}]}),
             "flows/note.ts": "export function note({at}: {at: string}): {at: string} { return {at}; }"}
    run = try_out(server, flow="tick", files=files, at="2027-01-31T18:00:00.000Z")
    note = next(b for b in run["history"]["blocks"] if b["path"] == "note")
    assert run["state"] == "done" and note["output"] == {"at": "2027-01-31T18:00:00.000Z"}
    assert wait_until(lambda: server.record(run["run"], "trial"), 5)["durable"] is False


def test_clock_and_state_are_as_told(server):
    files = {"flows/see.json": json.dumps({
        "name": "See", "type": "reusable", "start": {}, "blocks": [{"id": "see", "type": "script", "script": "see.ts"}, {"id": "end", "type": "end"}],
        "connections": [{"from": "start.out", "to": "see"}, {"from": "see.out", "to": "end", "map": {"all": {"from": "all"}}}]}),
        "flows/see.ts": """export async function see({}: {}): Promise<{all: unknown[]}> {
            const before = Date.now(), list = await state.list("");
            await state.put("b", 2);
            return {all: [before, Date.now(), list.map((one) => [one.key, one.value]), (await state.list("")).length]};
        }"""}
    for _ in range(2):
        run = try_out(server, flow="see", files=files, state={"a": {"x": 1}}, now_ms=1800000000000)
        assert run["output"]["all"] == [1800000000000, 1800000000000, [["a", {"x": 1}]], 2]
    assert try_out(server, flow="see", files=files, state={})["output"]["all"][2] == []
    assert start(server, flow="see", files=files, state={"a": "x" * 100000}).status == 413
    assert start(server, flow="see", files=files, state={}, effects="real").status == 400


def test_a_saved_draft_is_run(server):
    flow = server.api("GET", "/workspaces/trial/flows/many")
    edited = {"document": flow.json["document"], "scripts": {**flow.json["scripts"], "flows/twice.ts": "export function twice({n}: {n: number}): {twice: number} { return {twice: n - 7}; }"}}
    saved = request("PUT", f"{server.console}/api/v1/workspaces/trial/flows/many", json.dumps(edited).encode(),
                    {"Authorization": f"Bearer {server.token}", "If-Match": flow.headers["etag"]})
    assert saved.status == 200, saved.body
    twice = lambda run: next(b["output"] for b in run["history"]["blocks"] if b["path"] == "each[0].twice")
    assert twice(try_out(server, flow="many", drafts=True, request={"query": {"turns": 1}})) == {"twice": -7}
    assert twice(try_out(server, flow="many", request={"query": {"turns": 1}})) == {"twice": 0}
