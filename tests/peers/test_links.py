"""Links that end a Wait: pages for people, JSON for programs, once, over restarts and kill -9."""
import json
import re
import threading
import urllib.parse

import pytest

from peers.flowlet import request
from peers.process import wait_until
from test_waits import begin, ended, folder, is_parked, peer, server  # noqa: F401 (fixtures)


def sent(peer, number=0):
    wait_until(lambda: len(peer.calls) > number, 10, "the link")
    return peer.told()[number]


def look(link):
    return request("GET", link)


def post(link, fields=None, **more):
    return request("POST", link, fields or {"where": "live"}, **more)


def post_json(link, value):
    return request("POST", link, json.dumps(value), {"Content-Type": "application/json"})


def test_a_person_confirms_on_a_page_once(server, peer):
    run = begin(server, "/approve?ms=3600000")
    link = sent(peer)
    assert link.startswith(f"{server.listen}/.flowlet/resume/{run}/confirm/")
    is_parked(server, run)
    page = look(link)
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    for part in ("Deploy &lt;b&gt;1.2.3&lt;/b&gt;?", "Asked by Ada", '<form method="post">', "Deploy it", "A &quot;note&quot; &lt;for&gt; all",
                 'name="viewport"', '<select name="where" required>', '<input type="number" step="any" name="count" value="">'):
        assert part in page.text, part
    assert "<script" not in page.text and page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"] and page.headers["referrer-policy"] == "no-referrer"
    assert look(link).status == 200 and len(peer.calls) == 1, "looking ends nothing"
    done = post(link, {"where": "live", "count": "3", "note": "a+b & ü", "loud": "true"})
    assert done.status == 200 and "Thank you" in done.text
    found = ended(server, run)
    assert found["state"] == "done", found["error"]
    assert link not in json.dumps(found) and link.rsplit("/", 1)[0] + "/***" in json.dumps(found), "history tells no signature"
    assert json.loads(peer.told()[1]) == {"where": "live", "count": 3, "note": "a+b & ü", "loud": True}
    again, page = post(link), look(link)
    assert again.status == 409 and "Already confirmed" in again.text
    assert page.status == 200 and "Already confirmed" in page.text and len(peer.calls) == 2


def test_what_is_missing_is_asked_for_again(server, peer):
    begin(server, "/approve?ms=3600000")
    link = sent(peer)
    wait_until(lambda: look(link).text.count("<form"), 5, "the page")
    wrong = post(link, {"note": 'x"y', "count": "3"})
    assert wrong.status == 400 and "Where to: please fill this in" in wrong.text and 'value="x&quot;y"' in wrong.text
    assert "choose one of those" in post(link, {"where": "mars"}).text
    assert "a number is needed" in post(link, {"where": "live", "count": "0x10"}).text
    assert post_json(link, {"where": 5}).json["detail"].startswith("Where to")
    assert request("POST", link, "{", {"Content-Type": "application/json"}).status == 400
    assert post(link).status == 200


def test_who_comes_too_late_is_told_and_the_flow_takes_its_other_way(server, peer):
    run = begin(server, "/approve?ms=3200")
    link = sent(peer)
    is_parked(server, run)
    assert ended(server, run)["state"] == "done" and peer.told()[1] == "too late"
    page = look(link)
    assert page.status == 410 and "Too late" in page.text and post(link).status == 410 and len(peer.calls) == 2


def test_a_link_whose_signature_is_not_ours_is_none(server, peer):
    run = begin(server, "/approve?ms=3600000")
    link = sent(peer)
    is_parked(server, run)
    other = begin(server, "/approve?ms=3600000")
    for bad in (link[:-1] + ("0" if link[-1] != "0" else "1"), link[:-2], link + "00", link.replace("/confirm/", "/send/"),
                link.replace(run, other), link.replace("/confirm/", "/%63onfir%00m/"), server.listen + "/.flowlet/resume/",
                server.listen + "/.flowlet/other"):
        assert look(bad).status == 404 and post(bad).status == 404, bad
    assert request("PUT", link).status == 405
    assert look(link).status == 200


def test_programs_get_json(server, peer):
    run = begin(server, "/round")
    wait_until(lambda: len(peer.calls) == 2, 10, "both links")
    links = dict(told.split(" ") for told in peer.told())
    is_parked(server, run)
    seen = request("GET", links["a"], headers={"Accept": "application/json"})
    assert seen.status == 200 and seen.json["state"] == "open"
    assert post_json(links["b"], ["anything", {"b": 1}]).json["accepted"] is True
    is_parked(server, run)
    server.kill()
    server.start()
    assert post_json(links["b"], 1).status == 409
    assert post_json(links["a"], {"a": 2}).status == 200
    assert ended(server, run)["state"] == "done" and json.loads(peer.told()[2]) == [{"a": 2}, ["anything", {"b": 1}]]


def test_of_many_that_press_at_once_one_is_heard(server, peer):
    run = begin(server, "/approve?ms=3600000")
    link, answers = sent(peer), []
    wait_until(lambda: "<form" in look(link).text, 5, "the page")
    pressing = [threading.Thread(target=lambda i=i: answers.append(post(link, {"where": "live", "count": str(i)}).status)) for i in range(8)]
    for one in pressing:
        one.start()
    for one in pressing:
        one.join()
    assert sorted(answers) == [200] + [409] * 7
    assert ended(server, run)["state"] == "done" and len(peer.calls) == 2


@pytest.mark.parametrize("parked", [True, False])
def test_what_was_confirmed_stays_so_over_a_kill(server, peer, parked):
    run = begin(server, "/approve?ms=3600000")
    link = sent(peer)
    if parked:
        is_parked(server, run)
    else:
        wait_until(lambda: "<form" in look(link).text, 5, "the page")
    assert post(link).status == 200
    server.kill()
    server.start()
    assert ended(server, run)["state"] == "done"
    assert 2 <= len(peer.calls) <= 3 and json.loads(peer.told()[-1]) == {"where": "live", "loud": False}


def test_a_link_of_a_run_that_was_canceled_is_no_longer_needed(server, peer):
    run = begin(server, "/approve?ms=3600000")
    link = sent(peer)
    is_parked(server, run)
    server.api("POST", f"/workspaces/waits/runs/{run}/cancel")
    ended(server, run)
    page = look(link)
    assert page.status == 410 and "No longer needed" in page.text and post(link).status == 410
