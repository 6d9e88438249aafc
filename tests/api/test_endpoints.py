"""The public listener: who may call, methods, other origins, host names, limits, what is answered."""
import gzip
import hashlib
import hmac
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peers.flowlet import Flowlet, request

GUARDED = [
    ("github", {"type": "github-hmac", "secret": "key"}),
    ("header-token", {"type": "shared-token", "secret": "token", "header": "X-Gitlab-Token"}),
    ("query-token", {"type": "shared-token", "secret": "token", "query": "key"}),
]


def endpoint(method, path, answer=None, **start):
    """A flow that answers with these inputs of its End."""
    return {"name": path, "type": "endpoint", "start": {"method": method, "path": path, **start}, "blocks": [{"id": "end", "type": "end"}],
            "connections": [{"from": "start.out", "to": "end", "map": answer or {"body": {"value": {"path": path}}}}]}


def workspace(folder: Path, name, flows, **more):
    """Writes a folder; flows: id -> document."""
    (folder / "flows").mkdir(parents=True)
    (folder / "workspace.json").write_text(json.dumps({"name": name, **more}))
    for id, flow in flows.items():
        (folder / "flows" / f"{id}.json").write_text(json.dumps(flow))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flows = {name: endpoint("POST", f"/{name}", access=[rule]) for name, rule in GUARDED}
    flows["item"] = endpoint("GET", "/item/{id}", {"body": {"object": {"id": {"from": "id"}, "method": {"from": "method"}}}},
                             cors={"origins": ["https://shop.example"], "credentials": True, "headers": ["X-Key"]})
    flows["item-put"] = endpoint("PUT", "/item/{id}", access=[GUARDED[1][1]], cors={"origins": ["*"]})
    flows["client"] = endpoint("GET", "/client", {"body": {"from": "client"}})
    flows["few"] = endpoint("GET", "/few", limits={"requests_per_minute": 3})
    flows["few-each"] = endpoint("GET", "/few-each", access=[GUARDED[1][1]], limits={"requests_per_minute": 2, "per": "client"})
    flows["one"] = {"name": "One at a time", "type": "endpoint", "start": {"method": "GET", "path": "/one", "limits": {"at_once": 1}},
                    "blocks": [{"id": "nap", "type": "script", "script": "nap.ts"}, {"id": "end", "type": "end"}],
                    "connections": [{"from": "start.out", "to": "nap"}, {"from": "nap.out", "to": "end", "map": {"body": {"value": "rested"}}}]}
    flows["echo"] = endpoint("POST", "/echo", {"body": {"from": "requestBody"}}, body={"type": "bytes"})
    flows["file"] = endpoint("POST", "/file", {"body": {"from": "requestBody.file"}}, body={"type": "multipart"})
    flows["text"] = endpoint("POST", "/text", {"body": {"from": "requestBody"}}, body={"type": "text"}, cors={"origins": ["https://a.example"]})
    flows["own-options"] = endpoint("OPTIONS", "/own", {"status": {"value": 299}})
    secrets = {"key": {"type": "signing-key", "practice": "s3cret-key"}, "token": {"type": "password", "practice": "t0ken"}}
    folder = workspace(tmp_path_factory.mktemp("workspaces") / "shop", "shop", flows, secrets=secrets)
    (folder / "flows/nap.ts").write_text("async function nap() {\n    await sleep(700);\n}\n")
    with Flowlet(tmp_path_factory.mktemp("server") / "data", folder, practice=True) as server:
        yield server


# Who may call

def test_github_signs_the_raw_body(server):
    body = b'{"zen": "Speak like a human."}'
    signature = "sha256=" + hmac.new(b"s3cret-key", body, hashlib.sha256).hexdigest()
    assert server.post("/github", body, headers={"X-Hub-Signature-256": signature}).status == 200
    assert server.post("/github", body + b" ", headers={"X-Hub-Signature-256": signature}).status == 403
    assert server.post("/github", body, headers={"X-Hub-Signature-256": signature[7:]}).status == 400
    assert "missing" in server.post("/github", body).json["detail"]


def test_a_shared_token_stands_in_a_header_or_the_query(server):
    assert server.post("/header-token", b"", headers={"X-Gitlab-Token": "t0ken"}).status == 200
    assert server.post("/header-token", b"", headers={"X-Gitlab-Token": "t0ke"}).status == 403
    assert server.post("/header-token?key=t0ken", b"").status == 403
    assert server.post("/query-token?key=t%30ken", b"").status == 200
    assert server.post("/query-token?key=wrong", b"").status == 403


# Methods that the server answers, and other origins

def options(server, path, **headers):
    return request("OPTIONS", server.listen + path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_head_is_get_without_the_body(server):
    got, head = server.get("/item/5"), request("HEAD", server.listen + "/item/5")
    assert got.json == {"id": "5", "method": "GET"}
    assert (head.status, head.body) == (200, b"") and head.headers["content-type"] == "application/json"
    assert int(head.headers["content-length"]) == len(b'{"id":"5","method":"HEAD"}')
    assert request("HEAD", server.listen + "/github").status == 405


def test_options_is_answered_without_a_run(server):
    before = len(server.in_workspace("runs", "shop")["runs"])
    answer = options(server, "/item/5")
    assert (answer.status, answer.body, answer.headers["allow"]) == (204, b"", "GET, HEAD, OPTIONS, PUT")
    assert options(server, "/github").headers["allow"] == "OPTIONS, POST"
    assert options(server, "/nothing").status == 404
    assert options(server, "/own").status == 299, "a flow of its own goes first"
    assert server.post("/item/5", b"").headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    assert len(server.in_workspace("runs", "shop")["runs"]) <= before + 1


def test_a_preflight_is_answered_for_the_flow_that_is_meant(server):
    answer = options(server, "/item/5", Origin="https://shop.example", Access_Control_Request_Method="GET")
    assert answer.status == 204 and "allow" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["access-control-allow-headers"] == "X-Key"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    other = options(server, "/item/5", Origin="https://evil.example", Access_Control_Request_Method="GET")
    assert other.status == 204 and not any(name.startswith("access-control") for name in other.headers)
    put = options(server, "/item/5", Origin="https://evil.example", Access_Control_Request_Method="PUT", Access_Control_Request_Headers="a, b")
    assert put.headers["access-control-allow-origin"] == "*" and "vary" not in put.headers
    closed = options(server, "/github", Origin="https://shop.example", Access_Control_Request_Method="POST")
    assert closed.headers["allow"] == "OPTIONS, POST" and "access-control-allow-origin" not in closed.headers


def test_answers_and_refusals_may_be_read_by_listed_origins(server):
    answer = server.get("/item/5", headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example" and answer.headers["vary"] == "Origin"
    assert server.get("/item/5").headers["vary"] == "Origin"
    refused = request("PUT", server.listen + "/item/5", b"", {"Origin": "https://any.example"})
    assert refused.status == 403 and refused.headers["access-control-allow-origin"] == "*"


def test_settings_that_cannot_work_are_found(server, tmp_path):
    flows = {"a": endpoint("GET", "/a", cors={"origins": ["*"], "credentials": True}),
             "b": endpoint("GET", "/b", cors={"origins": ["https://Shop.example/"]}),
             "c": endpoint("GET", "/c", access=[{"type": "shared-token", "secret": "t"}])}
    folder = workspace(tmp_path / "bad", "bad", flows, secrets={"t": {"type": "password"}})
    said = server.command("check", folder, check=False)
    assert said.returncode == 1
    for words in "list the origins", "is no origin", "exactly one of `header` and `query`":
        assert words in said.stdout + said.stderr


# Several workspaces on one listener, and reverse proxies

@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    folders = tmp_path_factory.mktemp("hosted")
    flows = {"who": endpoint("GET", "/who", {"body": {"from": "client"}})}
    rest = workspace(folders / "rest", "rest", {"who": endpoint("GET", "/who", {"body": {"value": "rest"}})})
    shop = workspace(folders / "shop", "shop", flows, hosts=["shop.example.com", "shop.example"])
    with Flowlet(folders / "data", rest, options=["--workspace", shop, "--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8"]) as server:
        yield server


def ask_host(server, host, path="/who", **headers):
    return server.get(path, headers={"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})


def test_the_host_name_chooses_the_workspace(hosted):
    assert ask_host(hosted, "shop.example.com").text == "127.0.0.1"
    assert ask_host(hosted, "SHOP.example:8080").text == "127.0.0.1"
    assert ask_host(hosted, "other.example").text == "rest"
    assert hosted.get("/who").text == "rest"
    assert ask_host(hosted, "shop.example", "/.flowlet/who").status == 404
    assert ask_host(hosted, "inside", X_Forwarded_Host="shop.example").text == "127.0.0.1"


def test_the_caller_behind_a_trusted_proxy(hosted):
    assert ask_host(hosted, "shop.example", X_Forwarded_For="1.2.3.4, 192.0.2.7, 10.1.1.1").text == "192.0.2.7"
    assert ask_host(hosted, "shop.example", X_Forwarded_For="nobody").text == "127.0.0.1"


def test_without_a_trusted_proxy_nothing_is_believed(server):
    assert server.get("/client", headers={"X-Forwarded-For": "192.0.2.7"}).text == "127.0.0.1"


def test_a_host_belongs_to_one_workspace(hosted, tmp_path):
    folder = workspace(tmp_path / "thief", "thief", {"a": endpoint("GET", "/a")}, hosts=["shop.example"])
    said = hosted.command("push", folder, check=False)
    assert said.returncode != 0 and "shop answers for shop.example already" in said.stderr + said.stdout
    twice = workspace(tmp_path / "twice", "twice", {"a": endpoint("GET", "/a")}, hosts=["a.example", "a.example", "A.example", "b:80"])
    said = hosted.command("check", twice, check=False)
    assert said.returncode == 1 and "twice" in said.stdout + said.stderr and (said.stdout + said.stderr).count("is no host name") == 2


# Limits of a flow

def test_so_many_a_minute(server):
    assert [server.get("/few").status for _ in range(4)] == [200, 200, 200, 429]
    refused = server.get("/few")
    assert refused.headers["content-type"] == "application/problem+json" and "3 requests a minute" in refused.json["detail"]
    assert 15 <= int(refused.headers["retry-after"]) <= 20


def test_so_many_a_minute_of_each_caller_wrong_tokens_too(server):
    assert [server.get("/few-each").status for _ in range(3)] == [403, 403, 429]
    assert server.get("/few-each", headers={"X-Gitlab-Token": "t0ken"}).status == 429
    port = int(server.listen.rsplit(":", 1)[1])
    other = http.client.HTTPConnection("127.0.0.1", port, source_address=("127.0.0.2", 0))
    other.request("GET", "/few-each", headers={"X-Gitlab-Token": "t0ken"})
    assert other.getresponse().status == 200


def test_so_many_at_a_time(server):
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: server.get("/one"), range(3)))
    assert sorted(a.status for a in answers) == [200, 503, 503]
    assert [a.headers["retry-after"] for a in answers if a.status == 503] == ["1", "1"]
    assert server.get("/one").status == 200


# Bytes, files, compression

def test_bytes_stay_what_they_are(server):
    body = bytes(range(256)) * 40
    answer = server.post("/echo", body, headers={"Accept-Encoding": "gzip"})
    assert answer.body == body and answer.headers["content-type"] == "application/octet-stream" and "content-encoding" not in answer.headers


@pytest.mark.parametrize("name, disposition", [
    ("a b.pdf", 'attachment; filename="a b.pdf"'),
    ("f\u00fcr Jos\u00e9 (1).pdf", "attachment; filename=\"f_r Jos_ (1).pdf\"; filename*=UTF-8''f%C3%BCr%20Jos%C3%A9%20%281%29.pdf"),
])
def test_a_file_is_sent_with_its_name(server, name, disposition):
    body = (f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/pdf\r\n\r\n').encode() + b"%PDF\0\r\n--x--\r\n"
    answer = server.post("/file", body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status, answer.body) == (200, b"%PDF\0"), answer.body
    assert answer.headers["content-type"] == "application/pdf" and answer.headers["content-disposition"] == disposition


def test_text_is_compressed_for_those_who_take_it(server):
    text = "compress me, please. " * 200
    answer = server.post("/text", text.encode(), headers={"Accept-Encoding": "br, gzip", "Origin": "https://a.example"})
    assert answer.headers["content-encoding"] == "gzip" and len(answer.body) < 300 and gzip.decompress(answer.body).decode() == text
    assert answer.headers["vary"] in ("Origin", "Accept-Encoding"), "one of the two lines"
    plain = server.post("/text", text.encode())
    assert plain.text == text and "content-encoding" not in plain.headers and plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in server.post("/text", b"short", headers={"Accept-Encoding": "gzip"}).headers
