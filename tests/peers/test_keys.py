"""Callers' Idempotency-Key: a retry gets what its first request got, whatever happens in between."""
import json
import threading
import time

import pytest

from peers.flowlet import request
from peers.process import wait_until
from test_waits import begin, ended, folder, is_parked, peer, server  # noqa: F401 (fixtures)


def order(server, key, item="tea", timeout=20, headers=None, **body):
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key is not None else {}), **(headers or {})}
    return request("POST", f"{server.listen}/order/{item}", json.dumps({"ms": 1, **body}), headers, timeout)


def test_a_retry_gets_the_first_answer(server, peer):
    first = order(server, '"a"')
    assert first.status == 201 and "idempotent-replayed" not in first.headers
    for key in ('"a"', "a"):
        again = order(server, key)
        assert (again.status, again.body, again.headers["x-order"]) == (201, first.body, "kept")
        assert again.headers["idempotent-replayed"] == "true" and again.headers["content-type"] == first.headers["content-type"]
    assert order(server, '"b"').body != first.body and order(server, None).body != first.body
    assert len(peer.calls) == 3


def test_the_key_of_another_request_is_refused(server, peer):
    assert order(server, "a").status == 201
    for other in (order(server, "a", item="milk"), order(server, "a", more=1)):
        assert other.status == 422 and other.json["code"] == "key_reused" and "key of its own" in other.json["detail"]
    assert order(server, "a", headers={"Authorization": "Bearer somebody else"}).status == 201
    assert len(peer.calls) == 2


@pytest.mark.parametrize("key", ["", '""', "x" * 256, 'a"b', "ü"])
def test_a_key_that_is_none_is_refused(server, peer, key):
    answer = order(server, key.encode("latin-1"))
    assert answer.status == 400 and "255" in answer.json["detail"] and not peer.calls


def test_what_does_not_fit_claims_no_key(server):
    assert order(server, "a", ms="x").status == 400
    assert order(server, "a").status == 201


def test_a_failure_is_the_answer_too(server, peer):
    first, again = order(server, "a", fail=True), order(server, "a", fail=True)
    assert first.status == again.status == 500 and first.json["run"] == again.json["run"] and len(peer.calls) == 1


def test_retries_wait_while_the_first_is_under_way(server, peer):
    answers = []
    asking = [threading.Thread(target=lambda: answers.append(order(server, "a", ms=1000))) for _ in range(5)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert {(a.status, a.body) for a in answers} == {(201, answers[0].body)} and len(peer.calls) == 1


def test_a_retry_after_a_kill_gets_the_answer_of_the_run_that_went_on(server, peer):
    gone = threading.Thread(target=lambda: pytest.raises(Exception, order, server, "a", ms=4000))
    gone.start()
    wait_until(lambda: peer.calls, 10, "the run")
    time.sleep(0.2)
    server.kill()
    gone.join()
    server.start()
    first = order(server, "a", ms=4000)
    assert first.status == 201 and json.loads(first.body)["item"] == "tea"
    assert order(server, "a", ms=4000).body == first.body
    server.kill()
    server.start()
    assert order(server, "a", ms=4000).body == first.body and 1 <= len(peer.calls) <= 2


def test_an_answer_before_the_end_is_kept(server, peer):
    ask = lambda: server.post("/respond", headers={"Idempotency-Key": "r"})
    first = ask()
    wait_until(lambda: peer.calls, 10, "the end")
    assert first.status == 200 and ask().body == first.body and len(peer.calls) == 1


def test_at_once_gives_the_first_run(server, peer):
    ask = lambda: server.post("/pause?ms=10", headers={"Idempotency-Key": "p"})
    first = ask()
    ended(server, first.json["run"])
    assert first.status == 202 and ask().json == first.json and len(peer.calls) == 2
