"""Flows as they are edited: drafts, publishing, versions, what changed, restoring; nobody overwrites what he never saw."""
import copy
import json
import subprocess

import pytest

from peers.flowlet import BINARY, Flowlet, request

FLOWS = "/workspaces/shop/flows"


@pytest.fixture
def server(tmp_path):
    subprocess.run([BINARY, "init", tmp_path / "shop"], check=True, capture_output=True)
    with Flowlet(tmp_path / "data", tmp_path / "shop", practice=True) as server:
        yield server


def ask(server, method, path, value=None, **headers):
    body = None if value is None else json.dumps(value).encode()
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return request(method, f"{server.console}/api/v1{path}", body, {"Authorization": f"Bearer {server.token}", **headers})


def read(server, flow="hello"):
    answer = ask(server, "GET", f"{FLOWS}/{flow}")
    assert answer.status == 200, answer.body
    return answer.json, answer.headers["etag"]


def renamed(flow, name):
    document = copy.deepcopy(flow["document"])
    document["name"] = name
    return {"document": document, "scripts": flow["scripts"]}


def greeting(server):
    return server.get("/hello?name=x").json["greeting"]


def test_a_draft_runs_once_it_is_published(server):
    flow, etag = read(server)
    assert flow["state"] == "published" and flow["version"] == 1 and flow["author"] == "server" and list(flow["scripts"]) == ["flows/greet.ts"]
    edited = {"document": flow["document"], "scripts": {"flows/greet.ts": flow["scripts"]["flows/greet.ts"].replace("`${salutation}, ", "`Ahoy ")}}
    draft = ask(server, "PUT", f"{FLOWS}/hello", {**edited, "message": "as sailors say"}, If_Match=etag)
    assert draft.status == 200 and draft.json["state"] == "changed" and draft.json["version"] == 2 and draft.json["published_version"] == 1
    assert greeting(server) == "Hello, x" and read(server)[0]["scripts"] == edited["scripts"]
    published = ask(server, "POST", "/workspaces/shop/publish", {})
    assert published.status == 200, published.body
    assert greeting(server) == "Ahoy x"
    flow, after = read(server)
    assert flow["state"] == "published" and flow["version"] == 2 and flow["message"] == "as sailors say" and after != draft.headers["etag"]


def test_the_second_of_two_editors_is_told(server):
    flow, etag = read(server)
    assert ask(server, "PUT", f"{FLOWS}/hello", renamed(flow, "One"), If_Match=etag).status == 200
    late = ask(server, "PUT", f"{FLOWS}/hello", renamed(flow, "Two"), If_Match=etag)
    assert late.status == 412 and late.json["code"] == "stale"
    assert ask(server, "PUT", f"{FLOWS}/hello", renamed(flow, "Two")).status == 428
    assert ask(server, "DELETE", f"{FLOWS}/hello").status == 428
    assert ask(server, "DELETE", f"{FLOWS}/hello", If_Match=etag).status == 412
    assert ask(server, "PUT", f"{FLOWS}/hello", renamed(flow, "Two"), If_None_Match="*").status == 412
    assert ask(server, "PUT", f"{FLOWS}/new", renamed(flow, "Two"), If_Match="*").status == 412
    assert read(server)[0]["document"]["name"] == "One"
    assert ask(server, "PUT", f"{FLOWS}/hello", renamed(flow, "Two"), If_Match="*").status == 200


def test_what_is_known_is_not_sent_again(server):
    _, etag = read(server)
    again = ask(server, "GET", f"{FLOWS}/hello", If_None_Match=etag)
    assert again.status == 304 and again.body == b"" and again.headers["etag"] == etag
    workspaces = ask(server, "GET", "/workspaces")
    assert ask(server, "GET", "/workspaces", If_None_Match=workspaces.headers["etag"]).status == 304
    assert ask(server, "GET", "/workspaces", If_None_Match='"x"').status == 200


def test_a_draft_may_be_broken_and_is_not_published_so(server):
    flow, etag = read(server)
    broken = copy.deepcopy(flow["document"])
    broken["connections"][0]["to"] = "nowhere"
    answer = ask(server, "PUT", f"{FLOWS}/hello", {"document": broken, "scripts": flow["scripts"]}, If_Match=etag)
    assert answer.status == 200 and any(f["severity"] == "error" and "nowhere" in f["text"] for f in answer.json["findings"])
    assert not ask(server, "POST", "/workspaces/shop/check", {}).json["ok"]
    for refused in (ask(server, "POST", "/workspaces/shop/publish", {}),
                    ask(server, "PUT", f"{FLOWS}/hello", {"document": broken, "scripts": flow["scripts"], "publish": True}, If_Match="*")):
        assert refused.status == 400 and refused.json["findings"]
    assert greeting(server) == "Hello, x" and read(server)[0]["version"] == 2


def test_every_save_is_a_version(server, tmp_path):
    flow, etag = read(server)
    for name in "Two", "Three":
        etag = ask(server, "PUT", f"{FLOWS}/hello", {**renamed(flow, name), "publish": True, "message": name}, If_Match=etag).headers["etag"]
    text = (tmp_path / "shop/flows/hello.json").read_text()
    (tmp_path / "shop/flows/hello.json").write_text(text.replace('"Hello"', '"Four"'))
    server.command("push", tmp_path / "shop")
    server.command("push", tmp_path / "shop")
    versions = ask(server, "GET", f"{FLOWS}/hello/versions").json["versions"]
    assert [(v["version"], v["message"], v["author"]) for v in versions] == [
        (4, "", "server"), (3, "Three", "server"), (2, "Two", "server"), (1, "--workspace", "server")]
    assert all(v["release"] for v in versions) and versions[0]["time_ms"] >= versions[1]["time_ms"]
    page = ask(server, "GET", f"{FLOWS}/hello/versions?limit=2").json
    assert [v["version"] for v in ask(server, "GET", f"{FLOWS}/hello/versions?before={page['next']}").json["versions"]] == [2, 1]
    assert ask(server, "GET", f"{FLOWS}/hello/versions/2").json["document"]["name"] == "Two"
    for wrong in "0", "5", "x", "-1", "9223372036854775807":
        assert ask(server, "GET", f"{FLOWS}/hello/versions/{wrong}").status == 404
    assert ask(server, "GET", f"{FLOWS}/other/versions").status == 404


def test_the_author_is_the_token(server):
    token = ask(server, "POST", "/tokens", {"name": "Ada", "permissions": ["flows:write"]}).json["token"]
    flow, etag = read(server)
    saved = request("PUT", f"{server.console}/api/v1{FLOWS}/hello", json.dumps(renamed(flow, "Hers")).encode(),
                    {"Authorization": f"Bearer {token}", "If-Match": etag})
    assert saved.json["author"] == "Ada"


def test_what_changed_is_told_part_by_part(server):
    flow, etag = read(server)
    document = copy.deepcopy(flow["document"])
    document["name"] = "Other"
    block = next(b for b in document["blocks"] if b["type"] == "script")
    block["note"] = "says hello"
    mapped = next(c for c in document["connections"] if c.get("map"))
    name = next(iter(mapped["map"]))
    mapped["map"][name] = {"value": "fixed"}
    document["blocks"].append({"id": "extra", "type": "fail"})
    document.pop("layout", None)
    lines = flow["scripts"]["flows/greet.ts"].split("\n")
    lines.insert(1, "    // a line more")
    etag = ask(server, "PUT", f"{FLOWS}/hello", {"document": document, "scripts": {"flows/greet.ts": "\n".join(lines)}}, If_Match=etag).headers["etag"]
    changes = ask(server, "GET", f"{FLOWS}/hello/diff?from=1&to=2").json["changes"]
    told = {(c["kind"], c["change"], c["at"]): c for c in changes}
    at = f"{mapped['from']} -> {mapped['to']}"
    assert told[("flow", "changed", "name")]["after"] == "Other"
    assert told[("block", "changed", block["id"])]["fields"] == ["note"]
    assert told[("block", "added", "extra")]["after"] == {"id": "extra", "type": "fail"}
    assert told[("mapping", "changed", at)]["input"] == name and told[("mapping", "changed", at)]["after"] == {"value": "fixed"}
    script = told[("script", "changed", "flows/greet.ts")]
    assert script["line"] == 2 and script["before"] == "" and script["after"] == "    // a line more\n"
    assert ask(server, "GET", f"{FLOWS}/hello/diff?from=2&to=2").json["changes"] == []
    back = {(c["kind"], c["change"], c["at"]) for c in ask(server, "GET", f"{FLOWS}/hello/diff?from=2&to=1").json["changes"]}
    assert ("block", "removed", "extra") in back
    assert ask(server, "GET", f"{FLOWS}/hello/diff?from=1&to=9").status == 404
    assert ask(server, "GET", f"{FLOWS}/hello/diff?from=1").status == 400


def test_an_older_version_comes_back(server):
    flow, etag = read(server)
    ask(server, "PUT", f"{FLOWS}/hello", {**renamed(flow, "Worse"), "publish": True}, If_Match=etag)
    assert ask(server, "POST", f"{FLOWS}/hello/versions/1/restore", {}, If_Match=etag).status == 412
    restored = ask(server, "POST", f"{FLOWS}/hello/versions/1/restore", {"publish": True, "message": "it was better"})
    assert restored.json["version"] == 3 and restored.json["state"] == "published"
    assert read(server)[0]["document"] == flow["document"]
    assert ask(server, "GET", f"{FLOWS}/hello/diff?from=1&to=3").json["changes"] == []


def test_a_flow_is_made_and_deleted_and_brought_back(server):
    flow, _ = read(server)
    document = copy.deepcopy(flow["document"])
    document["start"]["path"] = "/second"
    new = ask(server, "PUT", f"{FLOWS}/second", {"document": document, "scripts": flow["scripts"]})
    assert new.status == 200 and new.json["state"] == "draft" and server.get("/second?name=x").status == 404
    assert [(f["id"], f["state"]) for f in ask(server, "GET", FLOWS).json["flows"]] == [("hello", "published"), ("second", "draft")]
    assert ask(server, "POST", "/workspaces/shop/publish", {}).status == 200
    assert server.get("/second?name=x").json["greeting"] == "Hello, x"
    gone = ask(server, "DELETE", f"{FLOWS}/second", If_Match=read(server, "second")[1])
    assert gone.status == 200 and gone.json["state"] == "deleted"
    assert server.get("/second?name=x").status == 404 and ask(server, "GET", f"{FLOWS}/second").status == 404
    assert [f["id"] for f in ask(server, "GET", FLOWS).json["flows"]] == ["hello"]
    assert ask(server, "GET", f"{FLOWS}/second/versions").json["versions"][0]["deleted"]
    assert ask(server, "POST", f"{FLOWS}/second/versions/2/restore", {}).status == 409
    assert ask(server, "POST", f"{FLOWS}/second/versions/1/restore", {"publish": True}).status == 200
    assert server.get("/second?name=x").json["greeting"] == "Hello, x"
    draft = ask(server, "PUT", f"{FLOWS}/third", {"document": {}})
    assert draft.status == 200 and ask(server, "DELETE", f"{FLOWS}/third", If_Match=draft.headers["etag"]).json["state"] == "deleted"
    assert ask(server, "DELETE", f"{FLOWS}/third", If_Match="*").status == 412


@pytest.mark.parametrize("flow, value", [("hello", {"document": []}), ("hello", {"document": {}, "scripts": {"workspace.json": "{}"}}),
                                         ("hello", {"document": {}, "scripts": {"flows/../x.ts": ""}}), ("No Id", {"document": {}}),
                                         ("hello", {"document": {}, "message": "x" * 501}), ("hello", {"scripts": {}})])
def test_what_is_no_flow_is_refused(server, flow, value):
    answer = ask(server, "PUT", f"{FLOWS}/{flow.replace(' ', '%20')}", value, If_Match="*")
    assert answer.status == 400 if flow == "hello" else answer.status in (400, 412), answer.body
    assert read(server)[0]["version"] == 1


def test_drafts_and_versions_outlive_a_restart(server):
    flow, etag = read(server)
    ask(server, "PUT", f"{FLOWS}/hello", renamed(flow, "Draft"), If_Match=etag)
    server.stop()
    server.workspace = None
    server.start()
    flow, _ = read(server)
    assert flow["state"] == "changed" and flow["document"]["name"] == "Draft" and flow["version"] == 2


def test_flows_are_listed_in_pages(server):
    for name in "abc":
        assert ask(server, "PUT", f"{FLOWS}/{name}", {"document": {}}).status == 200
    listed, query = [], ""
    while query is not None:
        page = ask(server, "GET", f"{FLOWS}?limit=3{query}").json
        listed += [flow["id"] for flow in page["flows"]]
        query = f"&after={page['next']}" if "next" in page else None
    assert listed == ["a", "b", "c", "hello"]
    assert ask(server, "GET", f"{FLOWS}?after=gone").status == 400
    assert ask(server, "GET", f"{FLOWS}?after=hello").json == {"flows": []}
