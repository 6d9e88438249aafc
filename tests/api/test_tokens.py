"""Tokens of the API: what each may do, and where."""
import json
import re
import sqlite3
import time

import pytest

from peers.flowlet import Flowlet, request


def ask(server, token, method, path, value=None):
    body = None if value is None else json.dumps(value).encode()
    return request(method, f"{server.console}/api/v1{path}", body, {"Authorization": f"Bearer {token}"})


def made(server, *permissions, **more):
    answer = server.api("POST", "/tokens", {"name": "a test", "permissions": permissions, **more})
    assert answer.status == 201, answer.body
    return answer.json


@pytest.fixture(scope="module")
def operations(server):
    """Every operation that needs a permission: (method, path, permission)."""
    document = request("GET", f"{server.console}/api/v1/openapi.json").json
    return [(method.upper(), path.removeprefix("/api/v1"), operation["security"][0]["token"][0])
            for path, methods in document["paths"].items() for method, operation in methods.items() if operation["security"]]


def test_a_token_is_shown_once_and_kept_as_a_hash(server):
    new = made(server, "runs:read")
    assert re.fullmatch(r"flw_[A-Za-z0-9_-]{43}", new["token"]) and new["used_ms"] is None
    listed = server.api("GET", "/tokens").text
    assert new["token"] not in listed and '"a test"' in listed
    with sqlite3.connect(f"file:{server.data}/flowlet.db?mode=ro", uri=True) as store:
        for row in store.execute("SELECT * FROM tokens"):
            assert new["token"] not in str(row) and new["token"].encode() not in row[2]


def test_each_operation_wants_its_permission(server, operations):
    assert len(operations) > 20
    every = sorted({permission for _, _, permission in operations})
    for permission in every:
        rest = made(server, *(p for p in every if p != permission))
        for method, path, wanted in operations:
            if wanted == permission:
                answer = ask(server, rest["token"], method, re.sub(r"\{[^}]*\}", "x", path), {})
                assert answer.status == 403 and permission in answer.json["detail"], (method, path, answer.body)


def test_a_token_of_one_workspace_sees_no_other(server, operations):
    other = made(server, *sorted({p for _, _, p in operations}), workspaces=["elsewhere"])["token"]
    for method, path, _ in operations:
        answer = ask(server, other, method, re.sub(r"\{[^}]*\}", "x", path.replace("{workspace}", "shop")), {})
        assert answer.status == 403 or path == "/workspaces" and method == "GET", (method, path)
    assert ask(server, other, "GET", "/workspaces").json["workspaces"] == []
    mine = made(server, "workspaces:read", workspaces=["shop"])["token"]
    assert [w["name"] for w in ask(server, mine, "GET", "/workspaces").json["workspaces"]] == ["shop"]
    assert ask(server, mine, "GET", "/workspaces/shop").status == 200


def test_nobody_gives_what_he_does_not_have(server):
    soon = int(time.time() * 1000) + 3_600_000
    few = made(server, "tokens:write", "runs:read", expires_ms=soon)["token"]
    more = ask(server, few, "POST", "/tokens", {"name": "x", "permissions": ["runs:read", "runs:write"], "expires_ms": soon})
    assert more.status == 403 and "runs:write" in more.json["detail"]
    longer = ask(server, few, "POST", "/tokens", {"name": "x", "permissions": ["runs:read"]})
    assert longer.status == 403 and "outlive" in longer.json["detail"]
    assert ask(server, few, "POST", "/tokens", {"name": "x", "permissions": ["runs:read"], "expires_ms": soon}).status == 201


@pytest.mark.parametrize("value, pointer", [
    ({"permissions": ["runs:read"]}, ""), ({"name": "", "permissions": ["runs:read"]}, "/name"), ({"name": "x", "permissions": ["all"]}, "/permissions/0"),
    ({"name": "x", "permissions": ["runs:read"], "scope": "x"}, "/scope"), ({"name": "x" * 101, "permissions": ["runs:read"]}, "/name"),
    ({"name": "x", "permissions": ["runs:read"], "workspaces": ["No Name"]}, "/workspaces/0")])
def test_what_is_wrong_is_pointed_at(server, value, pointer):
    answer = server.api("POST", "/tokens", value)
    assert answer.status == 400 and pointer in [e["pointer"] for e in answer.json["errors"]], answer.body


def test_expired_and_revoked_ones_are_not_known(server):
    assert server.api("POST", "/tokens", {"name": "x", "permissions": ["runs:read"], "expires_ms": 1}).status == 400
    assert server.api("POST", "/tokens", {"name": "x", "permissions": []}).status == 400
    short = made(server, "workspaces:read", expires_ms=int(time.time() * 1000) + 700)["token"]
    assert ask(server, short, "GET", "/workspaces").status == 200
    time.sleep(0.8)
    assert ask(server, short, "GET", "/workspaces").status == 401
    new = made(server, "workspaces:read")
    assert ask(server, new["token"], "GET", "/workspaces").status == 200
    assert server.api("DELETE", f"/tokens/{new['id']}").status == 200
    assert ask(server, new["token"], "GET", "/workspaces").status == 401
    assert server.api("DELETE", f"/tokens/{new['id']}").status == 404
    assert server.api("DELETE", "/tokens/0").status == 404


def test_they_are_listed_in_pages(server):
    ids = [made(server, "runs:read")["id"] for _ in range(3)]
    listed, after = [], 0
    while after is not None:
        page = server.api("GET", f"/tokens?limit=2&after={after}").json
        listed += [t["id"] for t in page["tokens"]]
        after = page.get("next")
    assert listed == sorted(set(listed)) and set(ids) <= set(listed)


def test_they_outlive_a_restart(folder, tmp_path):
    with Flowlet(tmp_path / "data", folder, practice=True) as server:
        new = made(server, "workspaces:read", workspaces=["shop"])
        assert ask(server, new["token"], "GET", "/workspaces/shop").status == 200
        server.stop()
        server.start()
        kept = server.api("GET", "/tokens").json["tokens"]
        assert [(t["id"], t["permissions"], t["workspaces"]) for t in kept] == [(new["id"], ["workspaces:read"], ["shop"])]
        assert kept[0]["used_ms"] >= new["created_ms"]
        assert ask(server, new["token"], "GET", "/workspaces/shop").status == 200
        assert ask(server, new["token"], "DELETE", "/workspaces/shop/outbox").status == 403
