"""One workspace that uses every block and every function of the library, with what each must give; and that it does."""
import json
import re

import pytest

from live import ROOT, TOKEN
from peers.process import wait_until

FOLDER = ROOT / "tests/workspaces/everything"
LIBRARY = (ROOT / "runtime/library.d.ts").read_text()
CODE = "\n".join(file.read_text() for file in (FOLDER / "flows").iterdir())


def functions():
    """What runtime/library.d.ts declares: "mail.send", "sleep", "crypto.subtle.digest"; classes by their names."""
    found = set(re.findall(r"^declare (?:function|class) (\w+)", LIBRARY, re.M)) - {"Body"}
    for name, body in re.findall(r"^declare const (\w+): \{\n(.*?)^\};", LIBRARY, re.M | re.S):
        inner = ""
        for line in body.splitlines():
            opens, method = re.match(r"    (\w+): \{$", line), re.match(r"( {4,8})(\w+)[<(]", line)
            if opens:
                inner = opens.group(1) + "."
            elif line.strip() == "};":
                inner = ""
            elif method:
                found.add(f"{name}.{inner if len(method.group(1)) > 4 else ''}{method.group(2)}")
    found |= {f"log.{level}" for level in ("info", "warn", "error")} | {"console.log", "html"}
    return found


def test_every_block_is_used():
    there = set(re.findall(r'"const": "(\w+)"', json.dumps(json.loads((ROOT / "spec/flow.schema.json").read_text())))) - {"endpoint", "cron", "reusable"}
    types = {block["type"] for file in (FOLDER / "flows").glob("*.json") for block in json.loads(file.read_text())["blocks"]}
    named = set(re.findall(r"\.name = \"(\w+)\"", "".join(f.read_text() for f in (ROOT / "src/blocks").glob("*.c")))) - {"start"}
    assert len(named) > 10 and named <= there | named
    assert named - types == set()


def test_every_function_is_used():
    names = functions()
    assert {"mail.send", "dns.reverse", "crypto.subtle.verify", "sleep", "URLSearchParams", "state.put", "flows.link"} <= names
    unused = {name for name in names if not re.search(rf"\b{re.escape(name)}\b", CODE)}
    assert unused == set()


@pytest.fixture
def it(recipe, api, mailbox, name_server, front):
    api.gives["/numbers"] = [1, 2]
    return recipe("everything", {"site": f"127.0.0.1:{api.port}", "name_server": name_server.server},
                  {"login": {"username": "ann", "password": TOKEN}}, parent=FOLDER.parent)


def test_text(it):
    assert it.ask("GET", "/text").json == {
        "escaped": "&lt;a &amp; b&gt;", "page": "<p>&lt;<b>x</b></p>", "url": "https://user@example.com:8443/b?x=1#f", "query": "a=1+2&b=%C3%BC",
        "decoded": "Grüße", "base64": ["YWJj", "abc"], "copied": {"list": [1, {"two": 2}]}, "later": "came",
        "digest": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "signature": 64, "verified": True, "random": 8, "uuid": 36,
        "headers": [["x-a", "1"], ["x-b", "2"]], "request": "POST", "response": {"ok": True}, "aborted": [False, True, True],
        "exception": "AbortError", "error": "mine"}


def test_outside(it, mailbox):
    answer = it.ask("GET", "/outside")
    assert answer.status == 200, answer.text
    got = answer.json
    assert got["mails"] == [["b@peer.test"]] * 2 and [mail.message["subject"] for mail in mailbox.mails] == ["Long", "Short"]
    assert got["mx"] == ["10 mail.customer.example"] and got["reverse"] and got["lookup"] and got["open"]
    assert got["answer"] == [200, [1, 2]] and got["fetched"] == [True, [1, 2]]
    assert "api.github.com" in got["certificate"][0]


def test_kept(it):
    answer = it.ask("GET", "/kept")
    assert answer.status == 200, answer.text
    assert answer.json == {"state": [{"n": 1}, "conflict", ["a/1", "a/2"], [True, False], None], "secrets": [TOKEN, "ann", True, False],
                           "password": [True, False], "flows": [{"doubled": 42}, "negative", "string"], "link": True, "ticks": True}
    levels = [line["level"] for line in it.last_run("kept")["history"]["logs"]]
    assert levels == ["info", "warn", "error", "info"]


def test_blocks(it, mailbox):
    answer = it.ask("POST", "/blocks", {"numbers": [1, -1, 3], "mode": "work"})
    assert answer.json == {"results": [2, None, 6], "failed": [1], "fetched": [1, 2]}
    wait_until(lambda: [mail.message["subject"] for mail in mailbox.mails] == ["Sum 8"], 5, "the mail, after the answer")
    broken = it.ask("POST", "/blocks", {"numbers": [], "mode": "break"})
    assert broken.status == 500 and it.last_run("blocks")["state"] == "failed"
    assert it.ask("POST", "/blocks", {"numbers": [], "mode": "?"}).status == 422
