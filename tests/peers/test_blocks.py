"""Blocks by themselves, in real flows on the binary."""
import email
import email.policy
import json

import pytest

from peers.flowlet import ROOT, Flowlet

FOLDER = ROOT / "tests/workspaces/blocks"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("blocks") / "data", FOLDER, practice=True) as flowlet:
        yield flowlet


def post(server, path, value, **headers):
    return server.post(path, json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers})


@pytest.mark.parametrize("event, way", [
    ("opened", "open"), ("closed", "closed"), (1, "one or nothing"), (None, "one or nothing"), ("1", "something else"),
    (True, "something else"), ({}, "something else"),
])
def test_switch(server, event, way):
    answer = post(server, "/switch", {"event": event})
    assert (answer.status, answer.text) == (200, way)
    assert post(server, "/switch", {}).text == "one or nothing"


def test_mail(server):
    answer = post(server, "/mail", {"to": ["Ann <ann@peer.test>", "bob@peer.test"], "subject": "Grüße", "name": "Ann"})
    assert answer.status == 200 and answer.json["accepted"] == ["ann@peer.test", "bob@peer.test"], answer
    mail = server.in_workspace("outbox", "blocks")["outbox"][0]
    message = email.message_from_string(mail["content"], policy=email.policy.default)
    assert message["subject"] == "Grüße" and "Hello Ann" in message.get_body().get_content()
    assert [part.get_filename() for part in message.iter_attachments()] == ["note.txt"]
    assert answer.json["message_id"] in message["message-id"]


def test_mail_that_cannot_be_sent_leaves_by_error(server):
    answer = post(server, "/mail", {"to": "no address", "subject": "x", "name": "Ann"})
    assert answer.status == 502 and answer.json["block"] == "tell" and "to" in answer.json["message"]


def test_a_loop_goes_on_while_its_expression_holds(server):
    assert server.get("/count?to=5").json == [1, 2, 3, 4, 5]
    assert server.get("/count?to=0").json == []
    assert server.get("/count?to=20").json == list(range(1, 21))
    answer = server.get("/count?to=21")
    assert answer.status == 500 and answer.json["code"] == "too_many_turns"
