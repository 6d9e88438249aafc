"""The inbox: every request to a stored endpoint is kept, whatever becomes of it; flows that are switched off."""
import json
import os
import subprocess

import pytest

from peers.flowlet import BINARY, request
from peers.process import wait_until
from test_waits import ended, folder, peer, server  # noqa: F401 (fixtures)

TOKEN = "knock-knock-7"


@pytest.fixture
def hooked(server):
    assert server.api("PUT", "/workspaces/waits/secrets/hook", {"value": TOKEN}).status == 200
    return server


def hook(server, event, token=TOKEN, body=None, **headers):
    body = json.dumps({"event": event}).encode() if body is None else body
    return request("POST", f"{server.listen}/hook/site?token={token}", body, {"Content-Type": "application/json", **headers})


def inbox(server, query="", count=None):
    look = lambda: server.in_workspace(f"inbox{query}", "waits")["inbox"]
    return wait_until(lambda: (rows := look()) and len(rows) == count and rows, 5, f"{count} in the inbox") if count else look()


def whole(server, row):
    return server.in_workspace(f"inbox/{row['id']}", "waits")


def flowlet(server, *words):
    done = subprocess.run([BINARY, *words, "--server", server.console, "--data", server.data], capture_output=True, text=True, timeout=20,
                          env={**os.environ, "NO_COLOR": "1"})
    return done.returncode, done.stdout, done.stderr


def test_what_becomes_of_requests_is_told(hooked, peer):
    first = hook(hooked, "a", Authorization="Bearer theirs", **{"X-What": "ever"})
    again = hook(hooked, "a")
    wrong, none, other = hook(hooked, "b", token="guess"), hook(hooked, "", body=b'{"evnt": 1}'), hook(hooked, "", body=b"\xff{")
    assert [a.status for a in (first, again, wrong, none, other)] == [202, 202, 403, 400, 400]
    rows = inbox(hooked, count=5)
    assert sorted(r["outcome"] for r in rows) == ["accepted", "duplicate", "refused", "refused", "refused"]
    by = {r["id"]: r for r in rows}
    accepted, duplicate = by[min(by)], [r for r in rows if r["outcome"] == "duplicate"][0]
    assert accepted["run"] == duplicate["run"] == first.json["run"] and accepted["status"] is None
    assert {r["status"] for r in rows if r["outcome"] == "refused"} == {403, 400}
    assert all(r["reason"] for r in rows if r["outcome"] == "refused")
    seen = whole(hooked, accepted)
    headers = {name.lower(): value for name, value in seen["headers"]}
    assert json.loads(seen["body"]) == {"event": "a"} and headers["x-what"] == "ever" and headers["authorization"] == "***"
    assert seen["flow"] == "hook" and seen["path"] == "/hook/site" and seen["method"] == "POST" and seen["client"] == "127.0.0.1"
    assert TOKEN not in json.dumps(seen) and "token=" in seen["query"]
    assert whole(hooked, [r for r in rows if r["bytes"] == 2][0])["body"] == {"$bytes": "/3s="}
    assert [r["id"] for r in inbox(hooked, "?outcome=refused&limit=2")] == [r["id"] for r in rows if r["outcome"] == "refused"][:2]
    assert not inbox(hooked, "?flow=pause")


def test_nothing_is_shown_that_is_on_the_disk_in_clear(hooked):
    hook(hooked, "a")
    hook(hooked, "a", **{"X-Else": "visible-nowhere"})  # a duplicate: no run's history tells of it
    inbox(hooked, count=2)
    hooked.stop()
    stored = b"".join(file.read_bytes() for file in hooked.data.iterdir() if file.is_file())
    assert b"visible-nowhere" not in stored and TOKEN.encode() not in stored
    hooked.start()


def test_a_flow_that_is_switched_off_keeps_what_comes(hooked, peer):
    assert hooked.api("PUT", "/workspaces/waits/flows/hook/enabled", {"enabled": False}).json == {"enabled": False}
    hooked.kill()
    hooked.start()
    answer = hook(hooked, "late")
    assert answer.status == 503 and answer.headers["retry-after"] == "60" and "switched off" in answer.json["detail"]
    row = inbox(hooked, "?outcome=disabled", 1)[0]
    path = f"/workspaces/waits/inbox/{row['id']}/replay"
    assert hooked.api("POST", path).status == 409
    assert [f["enabled"] for f in hooked.in_workspace("flows", "waits")["flows"] if f["id"] == "hook"] == [False]
    assert hooked.api("PUT", "/workspaces/waits/flows/hook/enabled", {"enabled": True}).status == 200
    replayed = hooked.api("POST", path)
    assert replayed.status == 202, replayed.body
    found = ended(hooked, replayed.json["run"])
    assert found["state"] == "done" and found["trigger"] == f"inbox {row['id']}" and peer.told() == ["site late "]
    assert hooked.api("POST", path).status == 202, "it is no duplicate of itself"
    assert hooked.api("PUT", "/workspaces/waits/flows/none/enabled", {"enabled": False}).status == 404
    assert hooked.api("POST", "/workspaces/waits/inbox/99999/replay").status == 404


def test_the_command_line_shows_and_replays(hooked, peer):
    run = hook(hooked, "a").json["run"]
    number = str(inbox(hooked, count=1)[0]["id"])
    code, out, err = flowlet(hooked, "inbox", "list")
    assert code == 0 and f"run {run}" in out and "accepted" in out and "POST /hook/site" in out, err
    code, out, err = flowlet(hooked, "inbox", "show", number)
    assert code == 0 and '{"event": "a"}' in out and TOKEN not in out, err
    code, out, err = flowlet(hooked, "inbox", "replay", number)
    assert code == 0 and "has it" in out, err
    wait_until(lambda: len(peer.calls) == 2, 10, "both")
    assert flowlet(hooked, "disable", "hook")[0] == 0 and hook(hooked, "c").status == 503
    assert flowlet(hooked, "inbox", "replay", number)[0] == 1
    assert flowlet(hooked, "enable", "hook")[0] == 0 and hook(hooked, "c").status == 202
    assert flowlet(hooked, "inbox", "show", "x")[0] == 1 and flowlet(hooked, "inbox", "eat", "1")[0] == 2
