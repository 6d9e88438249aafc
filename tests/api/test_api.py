"""The REST API of the console's listener."""
import json
import threading
import time
from urllib.parse import quote

import pytest

from peers.flowlet import Flowlet, request
from peers.process import wait_until

WORKSPACE = "/workspaces/shop"


def ask(server, method, path, value=None):
    return server.api(method, path, value)


def refused(answer, status, code, *words):
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status and problem["code"] == code
    for word in words:
        assert word in problem["detail"]


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


# Who may ask, and for what

@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic x", "Bearer", ""])
def test_a_token_is_needed(server, header):
    headers = {} if header is None else {"Authorization": header}
    answer = request("GET", f"{server.console}/api/v1/workspaces", headers=headers)
    refused(answer, 401, "unauthorized", "token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_health_needs_none(server):
    for path in "/healthz", "/readyz", "/metrics", "/":
        assert request("GET", server.console + path).status == 200
        assert request("HEAD", server.console + path).body == b""


def test_unknown_paths_methods_names_and_fields_are_named(server):
    refused(ask(server, "GET", "/nothing"), 404, "not_found", "/api/v1/nothing")
    refused(ask(server, "GET", "/workspaces/other"), 404, "not_found", "other")
    answer = ask(server, "DELETE", f"{WORKSPACE}/files")
    refused(answer, 405, "method", "GET, PUT")
    assert answer.headers["allow"] == "GET, PUT"
    refused(ask(server, "GET", f"{WORKSPACE}/runs?flwo=x"), 400, "invalid", "flwo", "flow")
    refused(ask(server, "PUT", f"{WORKSPACE}/mode", {"mood": "live"}), 400, "invalid", "mood")
    refused(ask(server, "PUT", f"{WORKSPACE}/mode", {"mode": "alive"}), 400, "invalid", "mode")
    refused(ask(server, "PUT", f"{WORKSPACE}/mode", ["mode"]), 400, "invalid", "object")
    refused(ask(server, "GET", f"{WORKSPACE}/runs?limit=0"), 400, "invalid", "limit")
    refused(ask(server, "GET", f"{WORKSPACE}/runs?state=gone"), 400, "invalid", "state")
    refused(ask(server, "GET", f"{WORKSPACE}/runs?%zz=1"), 400, "invalid", "escape")


def test_broken_json_says_where(server):
    answer = request("PUT", f"{server.console}/api/v1{WORKSPACE}/mode", b'{"mode":\n "live",}', {"Authorization": f"Bearer {server.token}"})
    refused(answer, 400, "invalid", "line 2")


# The workspace

def test_what_a_workspace_needs_is_told(server):
    assert [w["name"] for w in ask(server, "GET", "/workspaces").json["workspaces"]] == ["shop"]
    workspace = ask(server, "GET", WORKSPACE).json
    assert workspace["mode"] == "practice" and workspace["release"] >= 1
    assert workspace["settings"][0]["name"] == "salutation" and workspace["settings"][0]["set"]
    assert workspace["flows"][0] == {"id": "hello", "name": "Hello", "type": "endpoint", "durable": False, "enabled": True, "method": "GET",
                                     "path": "/hello", "answer": "end", "access": []}


def test_pushed_is_what_is_pulled(server, folder):
    pulled = ask(server, "GET", f"{WORKSPACE}/files").json
    assert pulled["files"] == files_of(folder)
    again = ask(server, "PUT", f"{WORKSPACE}/files", {"files": pulled["files"], "base_release": pulled["release"]}).json
    assert again["release"] == pulled["release"] and not again["changed"] and again["flows"] == ["hello"]


def test_a_change_is_a_new_release_unless_somebody_was_first(server, folder):
    files = files_of(folder)
    before = ask(server, "GET", WORKSPACE).json["release"]
    files["flows/greet.ts"] = files["flows/greet.ts"].replace("greeting ", "hello to ")
    refused(ask(server, "PUT", f"{WORKSPACE}/files", {"files": files, "base_release": before + 7}), 409, "conflict", str(before))
    published = ask(server, "PUT", f"{WORKSPACE}/files", {"files": files, "base_release": before})
    assert published.status == 200 and published.json["changed"] and published.json["release"] > before
    assert ask(server, "PUT", f"{WORKSPACE}/files", {"files": files_of(folder)}).json["changed"]


def test_findings_publish_nothing(server, folder):
    files = files_of(folder)
    flow = json.loads(files["flows/hello.json"])
    flow["connections"][1]["to"] = "nowhere"
    files["flows/hello.json"] = json.dumps(flow)
    before = ask(server, "GET", WORKSPACE).json["release"]
    answer = ask(server, "PUT", f"{WORKSPACE}/files", {"files": files})
    refused(answer, 400, "invalid", "findings")
    finding = next(f for f in answer.json["findings"] if f["severity"] == "error")
    assert finding["file"] == "flows/hello.json" and finding["line"] and "nowhere" in finding["text"]
    assert ask(server, "GET", WORKSPACE).json["release"] == before
    checked = ask(server, "POST", f"{WORKSPACE}/check", {"files": files}).json
    assert not checked["ok"] and checked["findings"] == answer.json["findings"]
    assert ask(server, "POST", f"{WORKSPACE}/check", {"files": files_of(folder)}).json == {"ok": True, "findings": []}


@pytest.mark.parametrize("files", [None, [], "x", {"workspace.json": 1}, {"../x": ""}, {"/etc/passwd": ""}, {"flows/a/b.json": "{}"}, {".x": ""}])
def test_what_is_no_folder_is_refused(server, files):
    answer = ask(server, "PUT", f"{WORKSPACE}/files", {"files": files})
    assert answer.status == 400 and answer.json["code"] in ("invalid", "limit")


def test_a_folder_of_another_workspace_is_refused(server, folder):
    refused(ask(server, "PUT", "/workspaces/other/files", {"files": files_of(folder)}), 400, "invalid", "shop", "other")
    assert len(ask(server, "GET", "/workspaces").json["workspaces"]) == 1


def test_a_workspace_is_made_by_its_first_push_without_errors(server, folder):
    files = files_of(folder)
    files["workspace.json"] = files["workspace.json"].replace('"shop"', '"second"').replace("{", '{"hosts": ["second.example"],', 1)
    files["flows/hello.json"] = files["flows/hello.json"].replace("/hello", "/second")
    broken = {**files, "flows/hello.json": "{}"}
    assert ask(server, "PUT", "/workspaces/second/files", {"files": broken}).status == 400
    assert ask(server, "GET", "/workspaces/second").status == 404
    assert ask(server, "PUT", "/workspaces/second/files", {"files": files}).json["mode"] == "practice"
    assert server.get("/second?name=x", headers={"Host": "second.example"}).json["greeting"] == "Hello, x"


# Runs

def started(server, value, wait=True, flow="hello"):
    return ask(server, "POST", f"{WORKSPACE}/flows/{flow}/runs" + ("?wait=true" if wait else ""), value)


def run_of(server, run):
    def recorded():
        answer = ask(server, "GET", f"{WORKSPACE}/runs/{run}")
        return answer.status == 200 and answer.json["state"] == "done" and answer.json
    return wait_until(recorded, 5, f"the record of run {run}")


def test_a_run_is_waited_for_and_recorded(server):
    answer = started(server, {"input": {"query": {"name": "Ada"}}})
    assert answer.status == 200 and answer.json["state"] == "done"
    assert answer.json["answer"]["status"] == 200 and json.loads(answer.json["answer"]["body"])["greeting"] == "Hello, Ada"
    run = run_of(server, answer.json["run"])
    assert run["flow"] == "hello" and run["trigger"] == "api" and run["mode"] == "practice"
    blocks = {b["path"]: b for b in run["history"]["blocks"]}
    assert blocks["greet"]["input"]["name"] == "Ada" and blocks["greet"]["output"]["letters"] == 3
    assert run["history"]["logs"][0]["text"] == "greeting Ada"


def test_a_run_that_is_not_waited_for_has_an_id(server):
    answer = started(server, {"input": {"query": {"name": "Bob"}}}, wait=False)
    assert answer.status == 202
    run_of(server, answer.json["run"])


def test_what_cannot_start_says_why(server):
    refused(started(server, {"input": 1}), 400, "invalid", "input")
    refused(started(server, {}, flow="nothing"), 404, "not_found", "nothing")
    refused(ask(server, "GET", f"{WORKSPACE}/runs/xyz"), 404, "not_found")
    refused(ask(server, "GET", f"{WORKSPACE}/runs/00000000000001"), 404, "not_found")
    refused(ask(server, "POST", f"{WORKSPACE}/runs/00000000000001/cancel"), 404, "not_found")


def test_runs_are_listed_in_pages_newest_first(server):
    ids = [started(server, {"input": {"query": {"name": str(i)}}}).json["run"] for i in range(5)]
    run_of(server, ids[-1])
    listed, page = [], ask(server, "GET", f"{WORKSPACE}/runs?limit=2&flow=hello&state=done").json
    while True:
        listed += [r["id"] for r in page["runs"]]
        if "next" not in page:
            break
        page = ask(server, "GET", f"{WORKSPACE}/runs?limit=2&flow=hello&state=done&before={page['next']}").json
    assert listed == sorted(listed, reverse=True) and listed[:5] == ids[::-1]
    assert ask(server, "GET", f"{WORKSPACE}/runs?flow=other").json == {"runs": []}
    detailed = ask(server, "GET", f"{WORKSPACE}/runs?limit=1&detail=true").json["runs"][0]
    assert detailed["history"]["blocks"]


def test_runs_are_found_by_text_and_time(server):
    def found(query):
        return [r["id"] for r in ask(server, "GET", f"{WORKSPACE}/runs?{query}").json["runs"]]

    first, second = (started(server, {"input": {"query": {"name": name}}}).json["run"] for name in ("Needle-1", 'Quote " and ä'))
    begun = run_of(server, first)["started_ms"]
    run_of(server, second)
    assert found("text=needle-1") == [first]
    assert found("text=" + quote('quote " AND ä')) == [second]
    assert found(f"text=needle-1&from={begun}") == found(f"text=needle-1&to={begun + 1}") == [first]
    assert found(f"text=needle-1&to={begun}") == found(f"text=needle-1&from={begun + 1}") == found("text=needle-1&state=failed") == []
    refused(ask(server, "GET", f"{WORKSPACE}/runs?text="), 400, "invalid", "text")
    refused(ask(server, "GET", f"{WORKSPACE}/runs?from=yesterday"), 400, "invalid", "from")


def test_logs_are_waited_for(server):
    newest = ask(server, "GET", f"{WORKSPACE}/logs").json["newest"]
    got = []
    waiting = threading.Thread(target=lambda: got.append(ask(server, "GET", f"{WORKSPACE}/logs?after={newest}&wait=10").json))
    waiting.start()
    time.sleep(0.3)
    assert not got
    run = started(server, {"input": {"query": {"name": "Log"}}}).json["run"]
    waiting.join(5)
    assert {e["run"] for e in got[0]["events"]} == {run}
    assert any(e["kind"] == "log" and e["text"].endswith("Log") and e["level"] == "info" for e in got[0]["events"])
    assert ask(server, "GET", f"{WORKSPACE}/logs?after={got[0]['newest']}").json["events"] == []


def test_metrics_count(server):
    before = metric(server, 'flowlet_runs_total{state="done"}')
    server.get("/hello?name=x")
    assert metric(server, 'flowlet_runs_total{state="done"}') == before + 1
    assert metric(server, "flowlet_workers") >= 1 and metric(server, "process_resident_memory_bytes") > 1e6
    assert metric(server, "flowlet_store_failing") == 0


def metric(server, name):
    for line in request("GET", f"{server.console}/metrics").text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no metric {name}")


def test_a_shutdown_answers_those_who_wait(folder, tmp_path):
    got = []
    with Flowlet(tmp_path / "data", folder, practice=True) as server:
        waiting = threading.Thread(target=lambda: got.append(ask(server, "GET", f"{WORKSPACE}/logs?wait=25")))
        waiting.start()
        time.sleep(0.5)
        began = time.monotonic()
        assert server.stop() == 0
        waiting.join(5)
    assert time.monotonic() - began < 5 and got[0].json["events"] == []
