"""What endpoints take and give, and what the listener does with what is no request, too much or too slow."""
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from peers.flowlet import ROOT, Flowlet, request
from peers.process import wait_until

WORKSPACE = "endpoints"
FOLDER = ROOT / "tests/workspaces" / WORKSPACE
REQUEST_WITHIN_S = 15  # the listener's own limit


class SlowSender(threading.Thread):
    """Sends a request byte by byte and keeps what came back, and when."""

    def __init__(self, server, first, drip):
        super().__init__(daemon=True)
        self.server, self.first, self.drip, self.got, self.seconds = server, first, drip, b"", 0
        self.start()

    def run(self):
        began = time.monotonic()
        host, port = self.server.listen.split("//")[1].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 1) as connection:
            connection.sendall(self.first)
            while not self.got and time.monotonic() < began + 3 * REQUEST_WITHIN_S:
                try:
                    connection.sendall(self.drip)
                    self.got = connection.recv(4096)
                    if not self.got:
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
        self.seconds = time.monotonic() - began


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("endpoints") / "data", FOLDER, practice=True) as flowlet:
        yield flowlet


@pytest.fixture(scope="module", autouse=True)
def slow_senders(server):
    """They are at it while the other tests run."""
    return [SlowSender(server, b"GET /html HTTP/1.1\r\nHost: a\r\nX: ", b"a"),
            SlowSender(server, b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", b"a"),
            SlowSender(server, b"POST /text HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n")]


def errors(answer):
    assert answer.status == 400 and answer.headers["content-type"] == "application/problem+json", answer
    return {error["pointer"]: error["message"] for error in answer.json["errors"]}


def post(server, path, body, content_type="application/json"):
    return server.post(path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers={"Content-Type": content_type})


# What comes in

def test_parameters_and_query_have_the_types_of_their_schema(server):
    answer = server.get("/typed/-5/a%20b%2Fc?limit=3&tag=a&tag=5&deep=true&ratio=1.5&ids=1")
    assert answer.json == {"id": -5, "name": "a b/c", "query": {"limit": 3, "tag": ["a", "5"], "deep": True, "ratio": 1.5, "ids": [1]}}


def test_all_that_does_not_fit_is_told_at_once(server):
    assert set(errors(server.get("/typed/x/y?limit=99&deep=maybe&tag=toolong&other=1&ids=q&ratio=1&ratio=2"))) == {
        "/path/id", "/query/limit", "/query/deep", "/query/tag/0", "/query/other", "/query/ids/0", "/query/ratio"}
    assert set(errors(post(server, "/json", {"name": "", "age": "5", "mail": "x", "tags": [1], "address": {}, "a/b~c": 1, "zz": 1}))) == {
        "/name", "/age", "/mail", "/tags/0", "/address/city", "/a~1b~0c", "/zz"}
    assert set(errors(post(server, "/form", b"n=x&ok=perhaps&text=a&text=b", "application/x-www-form-urlencoded"))) == {"/n", "/ok", "/text"}


@pytest.mark.parametrize("path", ["/typed/1/%zz", "/typed/1/%ff", "/typed/1/%2e%2e", "/typed/../told", "/typed/99999999999999999999/a"])
def test_a_path_that_is_no_good_is_400(server, path):
    assert server.send_raw(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())[0] == 400


def test_headers_cookies_method_and_client(server):
    told = server.get("/told?a=1&b=%41+%42", headers={"Cookie": 'a=1; b="2 3"; a=9', "X-Name": "grüße".encode("utf-8")}).json
    assert told["cookies"] == {"a": "1", "b": "2 3"} and told["headers"]["x-name"] == "grüße"
    assert (told["method"], told["client"], told["query"]) == ("GET", "127.0.0.1", {"a": "1", "b": "A B"})


def test_json_bodies(server):
    assert post(server, "/json", {"name": "Ada", "age": 36}).status == 201
    value = {"a": [1.5, None, {"": "ü\u2028"}], "__proto__": {"x": 1}}
    assert post(server, "/any-json", value).json == {"body": value}
    for broken in (b"{", b"", b"\xff", b'{"a": 01}', b"[" * 5000, b'{"a\\u0000": 1}'):
        assert post(server, "/json", broken).status == 400
    assert post(server, "/json", b"<a/>", "text/xml").status == 415


def test_forms(server):
    answer = post(server, "/form", "n=5&ok=true&text=5&list=1&list=2.5&other=%F0%9F%98%80+x".encode(), "application/x-www-form-urlencoded")
    assert answer.json == {"n": 5, "ok": True, "text": "5", "list": [1, 2.5], "other": "😀 x"}


def multipart(*parts):
    body = b"".join(b"--limit\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return body + b"--limit--\r\n"


def test_multipart_with_files(server):
    sent = multipart((b'name="title"', "größer".encode()), (b'name="file"; filename="a b.txt"\r\nContent-Type: text/x-log', b"line\r\n--limi\r\n"))
    answer = post(server, "/upload", sent, "multipart/form-data; boundary=limit")
    assert answer.json == {"title": "größer", "name": "a b.txt", "type": "text/x-log", "size": 14, "content": "line\r\n--limi\r\n"}
    large = multipart((b'name="title"', b"x"), (b'name="file"; filename="a"', bytes(2_000_000)))
    assert post(server, "/upload", large, "multipart/form-data; boundary=limit").json["size"] == 2_000_000
    assert post(server, "/upload", sent[:-20], "multipart/form-data; boundary=limit").status == 400
    assert post(server, "/upload", sent, "multipart/form-data").status == 400


def test_text_and_bytes(server):
    assert post(server, "/text", "grüße\r\n".encode(), "text/plain; charset=utf-8").text == "grüße\r\n|7"
    picture = bytes(range(256)) * 100
    answer = post(server, "/bytes", picture, "image/png")
    assert answer.body == picture and answer.headers["content-type"] == "image/png"


# What goes out

def test_answers(server):
    page = server.get("/html?title=%3Cb%3E")
    assert page.headers["content-type"] == "text/html; charset=utf-8" and page.text == "<!doctype html><title>&lt;b&gt;</title>"
    answer = server.send_raw(b"GET /answer?status=418&value=gr%C3%BC%C3%9Fe&body=hi HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer[0] == 418 and answer[1].count(b"Set-Cookie: ") == 2 and "X-Value: grüße\r\n".encode() in answer[1] and answer[1].endswith(b"\r\n\r\nhi")
    nothing = server.get("/nothing")
    assert nothing.status == 204 and nothing.body == b""


@pytest.mark.parametrize("query, why", [
    ("/answer?value=a%0D%0ASet-Cookie:%20evil=1", "line break"), ("/answer?value=a%0Ab", "line break"), ("/answer?value=a%00b", "control character"),
    ("/answer?status=99", "no status"), ("/answer?status=abc", "NaN"),
    ("/header-name?name=X%20A", "no name of a header"), ("/header-name?name=X:%0D%0AA", "no name of a header"),
    ("/header-name?name=Content-Length", "set by the server"), ("/header-name?name=Transfer-Encoding", "set by the server"),
])
def test_an_answer_that_http_cannot_carry_is_a_failure(server, query, why):
    answer = server.get(query)
    assert answer.status == 500 and "evil" not in str(answer.headers)
    record = server.record(answer.json["run"], WORKSPACE)
    assert record["state"] == "failed" and why in record["error"] and record["error"].startswith("answer: ")


def test_an_uncaught_failure_keeps_its_inside(server):
    answer = server.get("/fails")
    assert answer.status == 500 and answer.headers["content-type"] == "application/problem+json" and "inside story" not in answer.text
    record = server.record(answer.json["run"], WORKSPACE)
    assert "the inside story" in record["error"] and record["history"]["blocks"][-1]["error"]["code"] == "my_code"


# Who may

def test_access(server):
    basic, bearer = {"Authorization": "Basic YWRhOnBhc3M6d29yZA=="}, {"Authorization": "Bearer t0ken"}
    for path, good, wrong in (("/basic", [basic], [bearer]), ("/bearer", [bearer], [basic]), ("/either", [basic, bearer], [])):
        for headers in good:
            assert server.get(path, headers=headers).text == "welcome"
        for headers in [*wrong, {}, {"Authorization": "Basic YWRhOng="}, {"Authorization": "Bearer T0ken"}, {"Authorization": "Basic !"}]:
            refused = server.get(path, headers=headers)
            assert refused.status == 401 and "realm=" in refused.headers["www-authenticate"]


def test_no_flow(server):
    assert server.get("/Mixed/case").status == 404 and server.get("/").status == 404
    for method, allowed in (("GET", "DELETE, OPTIONS, PUT"), ("POST", "DELETE, OPTIONS, PUT")):
        refused = request(method, server.listen + "/Mixed/Case")
        assert refused.status == 405 and refused.headers["allow"] == allowed and "DELETE, OPTIONS, PUT" in refused.json["detail"]
    assert request("DELETE", server.listen + "/Mixed/Case").text == "delete"


# Stored before the answer

def count(server, key):
    return server.get(f"/counted/{key}").json["count"]


def test_at_once_and_repeated(server):
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: post(server, "/later", {"id": "one", "ms": 50}), range(20)))
    assert {answer.status for answer in answers} == {202}
    run, = {answer.json["run"] for answer in answers}
    assert sum("duplicate" not in answer.json for answer in answers) == 1
    assert server.record(run, WORKSPACE)["durable"] and count(server, "one") == 1
    assert post(server, "/later", {"id": "two"}).json["run"] != run
    assert set(errors(post(server, "/later", {"ms": 1}))) == {"/id"}


def test_what_was_accepted_survives_a_kill(tmp_path):
    with Flowlet(tmp_path / "data", FOLDER, practice=True) as server:
        runs = [post(server, "/later", {"id": f"r{n}", "ms": 400}).json["run"] for n in range(5)]
        server.kill()
        server.start()
        assert post(server, "/later", {"id": "r0"}).json == {"run": runs[0], "duplicate": True}
        assert all(server.record(run, WORKSPACE)["state"] == "done" for run in runs)
        assert [count(server, f"r{n}") for n in range(5)] == [1] * 5
        assert post(server, "/stored", {"id": "s"}).json == {"count": 1}
        again = post(server, "/stored", {"id": "s"})
        assert again.status == 202 and again.json["duplicate"]


# What is no request, or too much

@pytest.mark.parametrize("raw", [
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
    b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\na",
    b"POST /text HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"POST /text HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", bytes(range(256)) + b"\r\n\r\n",
], ids=lambda raw: repr(raw[:60]))
def test_malformed_requests_are_refused(server, raw):
    status, _ = server.send_raw(raw)
    assert status in (0, 400, 501, 505)
    assert server.get("/html").status == 200


@pytest.mark.parametrize("raw, status", [
    (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414), (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 5000 + b"\r\n", 431),
    (b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413), (b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 10001\r\n\r\n" + bytes(10001), 413),
    (b"POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b" " * 0x1000 + b"\r\n") * 10 + b"0\r\n\r\n", 413),
], ids=lambda what: repr(what[:60]) if isinstance(what, bytes) else what)
def test_too_much_is_refused(server, raw, status):
    assert server.send_raw(raw)[0] == status


def test_too_many_connections_and_runs(tmp_path):
    with Flowlet(tmp_path / "data", FOLDER, practice=True, options=["--max-connections", "12", "--max-runs", "4"]) as server, ExitStack() as stack:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: post(server, "/later", {"id": str(n), "ms": 2000}), range(8)))
        refused = [answer for answer in answers if answer.status != 202]
        assert len(refused) == 4 and all(answer.status == 503 and "retry-after" in answer.headers for answer in refused)
        host, port = server.listen.split("//")[1].rsplit(":", 1)
        for _ in range(12):
            stack.enter_context(socket.create_connection((host, int(port)))).sendall(b"GET /html HTTP/1.1\r\n")
        full = server.get("/html")
        assert full.status == 503 and "retry-after" in full.headers
        assert request("GET", server.console + "/healthz").status == 200
        stack.close()
        wait_until(lambda: server.get("/html").status == 200, 5, "an answer once they are gone")


def test_slow_senders_are_not_waited_for(slow_senders, server):
    for sender in slow_senders:
        sender.join()
        assert sender.got.startswith(b"HTTP/1.1 408 ") or sender.got == b"", sender.got
        assert REQUEST_WITHIN_S - 2 < sender.seconds < REQUEST_WITHIN_S + 8
    assert server.get("/html").status == 200 and "Sanitizer" not in server.log.read_text()


def test_a_stop_in_the_middle_of_things(tmp_path):
    """SIGTERM: what is being answered is; what is stored goes on at the next start; nothing is left behind (with sanitizers: no leak)."""
    with Flowlet(tmp_path / "data", FOLDER, practice=True) as server, ThreadPoolExecutor(8) as pool:
        runs = [post(server, "/later", {"id": f"r{n}", "ms": 3000}).json["run"] for n in range(4)]
        answers = [pool.submit(post, server, "/stored", {"id": f"s{n}", "ms": 400}) for n in range(4)]
        late = pool.submit(post, server, "/stored", {"id": "late", "ms": 12_000})
        time.sleep(0.2)
        host, port = server.listen.split("//")[1].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            began = time.monotonic()
            assert server.stop() == 0 and time.monotonic() - began < 14
        assert [answer.result().json for answer in answers] == [{"count": 1}] * 4
        assert late.result().status == 503 and "retry-after" in late.result().headers
        server.start()
        assert all(server.record(run, WORKSPACE)["state"] == "done" for run in runs)
