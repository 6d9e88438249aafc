"""Durable runs while things go wrong: on the real binary, with a peer that counts."""
import collections
import json
import random
import re
import shutil
import time

import pytest

from peers.flowlet import ROOT, Flowlet
from peers.http_peer import DROPPED, SILENT, Answer, HttpPeer
from peers.process import wait_until

WORKSPACE = "durable"


class Peer(HttpPeer):
    """Says yes, or what `says` holds."""
    says = Answer(200, {"Content-Type": "text/plain"}, b"yes")

    def act(self, call):
        return self.says

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def server(tmp_path, peer):
    folder = tmp_path / "workspace"
    shutil.copytree(ROOT / "tests/workspaces" / WORKSPACE, folder)
    (folder / "settings.json").write_text(json.dumps({"peer": peer.url}))
    with Flowlet(tmp_path / "data", folder, options=["--allow-address", "127.0.0.0/8"]) as server:
        yield server


def begin(server, flow):
    answer = server.post(f"/{flow}")
    assert answer.status == 202, answer.body
    return answer.json["run"]


def ended(server, run, seconds=10):
    def look():
        found = server.in_workspace(f"runs/{run}", WORKSPACE)
        return found if found["state"] in ("done", "failed", "canceled") else None
    return wait_until(look, seconds, f"the end of run {run}")


def test_a_run_that_is_killed_again_and_again_sees_the_same_clock(server, peer):
    run, rng = begin(server, "clock"), random.Random(7)
    for _ in range(6):
        time.sleep(rng.uniform(0.02, 0.06))
        server.kill()
        server.start()
    found = ended(server, run)
    assert found["state"] == "done", found["error"]
    times = collections.Counter(call.body for call in peer.calls)
    assert len(times) == 40 and len(peer.calls) <= 46, "each once, and what was under way at a kill again"


def test_a_run_past_its_time_tells_what_it_did(server):
    found = ended(server, begin(server, "too-long"))
    assert found["state"] == "failed" and "500 ms" in found["error"]
    assert [(b["path"], b["pin"]) for b in found["history"]["blocks"]] == [("start", "out"), ("quick", "out")]


def test_a_result_that_is_too_large_fails_its_block_alone(server, peer):
    peer.says = Answer(200, {"Content-Type": "text/plain"}, b"\x01" * (8 << 20))
    found = ended(server, begin(server, "fetch"))
    assert found["state"] == "failed" and "larger than" in found["error"]
    peer.says = Peer.says
    assert ended(server, begin(server, "fetch"))["state"] == "done"


def test_pauses_between_attempts_are_no_run_time(server, peer):
    peer.fault_next(*[Answer(503, {}, b"")] * 3)
    assert ended(server, begin(server, "patient"))["state"] == "done"
    assert len(peer.calls) == 4


def test_a_server_that_stops_does_not_wait_for_what_can_go_on_later(server, peer):
    peer.fault_next(Answer(503, {"Retry-After": "6"}, b""))
    run = begin(server, "patient")
    wait_until(lambda: peer.calls, 5, "the first attempt")
    started = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - started < 3
    server.start()
    assert ended(server, run)["state"] == "done"
    assert time.monotonic() - started < 8 and len(peer.calls) == 2


def test_a_request_sends_its_key_which_stays_over_attempts(server, peer):
    peer.fault_next(DROPPED, Answer(503, {}, b"not now"))
    found = ended(server, begin(server, "keyed"))
    assert found["state"] == "done", found["error"]
    keys = [call.headers["idempotency-key"] for call in peer.calls]
    assert [call.method for call in peer.calls] == ["POST"] * 3 + ["PUT"]
    assert re.fullmatch(r'"[0-9a-f]{64}"', keys[0]) and keys[:3] == keys[:1] * 3 and keys[3] != keys[0]


def test_a_request_whose_outcome_is_unknown_fails_where_its_block_says_so(server, peer):
    peer.fault_next(DROPPED)
    found = ended(server, begin(server, "once"))
    assert found["state"] == "failed" and "may have been carried out" in found["error"] and len(peer.calls) == 1
    peer.fault_next(SILENT)
    run = begin(server, "once")
    wait_until(lambda: len(peer.calls) == 2, 10, "the request")
    server.kill()
    server.start()
    found = ended(server, run)
    assert found["state"] == "failed" and "it was under way when the server stopped" in found["error"] and len(peer.calls) == 2


class Bank:
    """Acts on a POST and loses the answer, `acts` times; before that it loses the POST itself. A GET tells what it did."""

    def __init__(self, peer, loses, done=b"", none=Answer(404, {}, b"")):
        self.loses, self.paid, self.done, self.none = loses, 0, done, none
        self.silent = False
        peer.fault_always(self)

    def __call__(self, call):
        if call.method == "GET":
            return Answer(200, {"Content-Type": "application/json"}, self.done) if self.paid else self.none
        if self.loses:
            self.loses -= 1
            return DROPPED
        self.paid += 1
        return SILENT if self.silent else DROPPED


def methods(peer):
    return [call.method for call in peer.calls]


def test_a_probe_finds_what_was_done_although_its_answer_was_lost(server, peer):
    bank = Bank(peer, loses=0, done=b'{"paid": true}')
    found = ended(server, begin(server, "probed"))
    assert found["state"] == "done", found["error"]
    assert methods(peer) == ["POST", "GET"] and bank.paid == 1
    response = [b for b in found["history"]["blocks"] if b["path"] == "plain"][0]["output"]["response"]
    assert response["body"] == {"paid": True} and response["probed"] is True


def test_what_a_probe_does_not_find_is_sent_again_with_the_same_key(server, peer):
    bank = Bank(peer, loses=2)
    assert ended(server, begin(server, "probed"))["state"] == "done"
    assert methods(peer) == ["POST", "GET", "POST", "GET", "POST", "GET"] and bank.paid == 1
    assert len({call.headers["idempotency-key"] for call in peer.calls if call.method == "POST"}) == 1


def test_a_probe_may_look_into_its_answer(server, peer):
    bank = Bank(peer, loses=1, done=b'{"items": [{"id": 7}]}', none=Answer(200, {"Content-Type": "application/json"}, b'{"items": []}'))
    assert ended(server, begin(server, "probed?finds=true"))["state"] == "done"
    assert methods(peer) == ["POST", "GET", "POST", "GET"] and bank.paid == 1


def test_after_a_kill_the_probe_is_asked_first(server, peer):
    bank = Bank(peer, loses=0)
    bank.silent = True
    run = begin(server, "probed")
    wait_until(lambda: bank.paid, 10, "the request")
    server.kill()
    server.start()
    assert ended(server, run)["state"] == "done"
    assert methods(peer) == ["POST", "GET"] and bank.paid == 1


def test_a_probe_that_does_not_tell_leaves_the_outcome_unknown(server, peer):
    bank = Bank(peer, loses=3)
    found = ended(server, begin(server, "probed"))
    assert found["state"] == "failed" and "sent 3 times" in found["error"] and bank.paid == 0
    bank.loses, bank.none = 1, Answer(503, {}, b"")
    run = begin(server, "probed")
    wait_until(lambda: len(peer.calls) >= 6 + 3, 10, "probes that are asked again")
    bank.none = Answer(410, {}, b"")
    assert ended(server, run)["state"] == "done" and bank.paid == 1


def test_a_wait_goes_on_over_a_restart(server, peer):
    run = begin(server, "later?ms=3000")
    wait_until(lambda: peer.calls, 10, "what comes before the wait")
    time.sleep(1.5)
    server.kill()
    time.sleep(1)
    server.start()
    found = ended(server, run, 20)
    assert found["state"] == "done", found["error"]
    assert [call.body for call in peer.calls] == [b"before", b"after"]
    assert 3.29 <= peer.calls[1].at - peer.calls[0].at < 5, "what it had waited before counts"


def test_a_wait_that_was_over_while_the_server_was_down_ends_at_its_start(server, peer):
    run = begin(server, "later?ms=2500")
    wait_until(lambda: peer.calls, 10, "what comes before the wait")
    time.sleep(0.3)
    server.kill()
    time.sleep(2.5)
    server.start()
    started = time.monotonic()
    assert ended(server, run)["state"] == "done" and len(peer.calls) == 2
    assert peer.calls[1].at - started < 1.8
