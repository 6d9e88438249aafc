"""Workspaces made, changed and deleted through the API; the values of their settings."""
import json
import sqlite3
import subprocess

import pytest

from peers.flowlet import BINARY, Flowlet, request
from peers.process import wait_until

WORKSPACE = {"name": "shop", "title": "A shop", "settings": {
    "lines": {"title": "Lines", "schema": {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 3}, "default": [1]},
    "team": {"title": "Team", "required": True}}}


@pytest.fixture
def server(tmp_path):
    subprocess.run([BINARY, "init", tmp_path / "shop"], check=True, capture_output=True)
    document = json.loads((tmp_path / "shop/workspace.json").read_text())
    document["settings"] = {**document["settings"], **WORKSPACE["settings"]}
    (tmp_path / "shop/workspace.json").write_text(json.dumps(document))
    with Flowlet(tmp_path / "data", tmp_path / "shop", practice=True) as server:
        yield server


def ask(server, method, path, value=None, **headers):
    body = None if value is None else json.dumps(value).encode()
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return request(method, f"{server.console}/api/v1{path}", body, {"Authorization": f"Bearer {server.token}", **headers})


def values(server):
    return {s["name"]: s.get("value") for s in ask(server, "GET", "/workspaces/shop/settings").json["settings"]}


def test_settings_are_changed_one_by_one(server):
    before = ask(server, "GET", "/workspaces/shop/settings")
    changed = ask(server, "PATCH", "/workspaces/shop/settings", {"values": {"lines": [2, 3], "salutation": "Ahoy"}}, If_Match=before.headers["etag"])
    assert changed.status == 200 and values(server)["lines"] == [2, 3] and values(server)["salutation"] == "Ahoy"
    assert server.get("/hello?name=x").json["greeting"] == "Ahoy, x"
    late = ask(server, "PATCH", "/workspaces/shop/settings", {"values": {"lines": [9]}}, If_Match=before.headers["etag"])
    assert late.status == 412 and values(server)["lines"] == [2, 3]
    assert ask(server, "PATCH", "/workspaces/shop/settings", {"values": {"lines": [9]}}, If_Match=changed.headers["etag"]).status == 200
    assert ask(server, "PATCH", "/workspaces/shop/settings", {"values": {"lines": None}}).status == 200
    assert values(server)["lines"] == [1] and values(server)["salutation"] == "Ahoy"


@pytest.mark.parametrize("value, pointer", [({"lines": [2, 0]}, "/lines/1"), ({"lines": [1, 2, 3, 4]}, "/lines"), ({"lines": "x"}, "/lines"),
                                            ({"team": 1}, "/team"), ({"nothing": 1}, "/nothing")])
def test_what_does_not_fit_its_schema_is_refused_with_its_place(server, value, pointer):
    before = values(server)
    answer = ask(server, "PATCH", "/workspaces/shop/settings", {"values": value})
    assert answer.status == 400 and pointer in [f.get("pointer") for f in answer.json["findings"]], answer.body
    assert values(server) == before


def test_a_workspace_is_made_and_gets_its_first_flow(server):
    hosts = {"hosts": ["second.example"]}
    made = ask(server, "POST", "/workspaces", {"name": "second", "title": "Another", **hosts})
    assert made.status == 201 and made.headers["location"] == "/api/v1/workspaces/second", made.body
    assert made.json["mode"] == "practice" and made.json["flows"] == [] and made.json["hosts"] == ["second.example"]
    assert ask(server, "POST", "/workspaces", {"name": "second"}).status == 409
    assert request("GET", f"{server.console}/readyz").status == 200
    assert ask(server, "POST", "/workspaces", {"name": "No Name"}).json["errors"][0]["pointer"] == "/name"
    flow = {"name": "Pong", "type": "endpoint", "start": {"method": "GET", "path": "/ping"}, "blocks": [{"id": "end", "type": "end"}],
            "connections": [{"from": "start.out", "to": "end", "map": {"body": {"value": "pong"}}}]}
    saved = ask(server, "PUT", "/workspaces/second/flows/ping", {"document": flow, "publish": True})
    assert saved.status == 200, saved.body
    assert server.get("/ping", headers={"Host": "second.example"}).text == "pong"


def test_a_workspace_is_changed(server):
    before = ask(server, "GET", "/workspaces/shop")
    changed = ask(server, "PATCH", "/workspaces/shop", {"title": "Renamed", "description": "for tests"}, If_Match=before.headers["etag"])
    assert changed.status == 200 and changed.json["title"] == "Renamed" and changed.json["description"] == "for tests"
    assert ask(server, "PATCH", "/workspaces/shop", {"title": "Late"}, If_Match=before.headers["etag"]).status == 412
    assert ask(server, "PATCH", "/workspaces/shop", {"description": None}).json["description"] is None
    assert ask(server, "PATCH", "/workspaces/shop", {"name": "other"}).json["errors"][0]["pointer"] == "/name"
    assert server.get("/hello?name=x").status == 200


def test_a_deleted_workspace_is_gone_with_all_it_had(server, tmp_path):
    for i in range(3):
        assert server.get("/hello?name=x").status == 200
    wait_until(lambda: len(ask(server, "GET", "/workspaces/shop/runs").json["runs"]) == 3, 5, "the records of the runs")
    workers = set(server.workers())
    assert ask(server, "DELETE", "/workspaces/shop").status == 200
    wait_until(lambda: not workers & set(server.workers()), 10, "the end of its workers")
    assert ask(server, "GET", "/workspaces/shop").status == 404 and server.get("/hello?name=x").status == 404
    assert ask(server, "GET", "/workspaces").json["workspaces"] == []
    server.workspace = None
    server.stop()
    with sqlite3.connect(server.data / "flowlet.db") as store:
        tables = [t for (t,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%workspace INTEGER%'")]
        assert "versions" in tables and all(not store.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables)
    server.start()
    assert ask(server, "GET", "/workspaces").json["workspaces"] == []
    server.command("push", tmp_path / "shop")
    assert server.get("/hello?name=x").status == 200
    assert [v["version"] for v in ask(server, "GET", "/workspaces/shop/flows/hello/versions").json["versions"]] == [1]
    wait_until(lambda: len(ask(server, "GET", "/workspaces/shop/runs").json["runs"]) == 1, 5, "the record of the run")


def test_what_is_live_or_runs_is_not_deleted(server):
    ask(server, "PATCH", "/workspaces/shop/settings", {"values": {"team": "Night shift"}})
    assert ask(server, "PUT", "/workspaces/shop/mode", {"mode": "live"}).status == 200
    refused = ask(server, "DELETE", "/workspaces/shop")
    assert refused.status == 409 and "practice" in refused.json["detail"]
    ask(server, "PUT", "/workspaces/shop/mode", {"mode": "practice"})
    flow = {"name": "Later", "type": "reusable", "blocks": [{"id": "wait", "type": "wait"}, {"id": "end", "type": "end"}],
            "connections": [{"from": "start.out", "to": "wait", "map": {"ms": {"value": 60000}}}, {"from": "wait.out", "to": "end"}]}
    assert ask(server, "PUT", "/workspaces/shop/flows/later", {"document": flow, "publish": True}).status == 200
    run = ask(server, "POST", "/workspaces/shop/flows/later/runs", {}).json["run"]
    refused = ask(server, "DELETE", "/workspaces/shop")
    assert refused.status == 409 and "runs" in refused.json["detail"]
    assert ask(server, "POST", f"/workspaces/shop/runs/{run}/cancel").status == 202
    wait_until(lambda: ask(server, "DELETE", "/workspaces/shop").status == 200, 10, "the run's end")
