"""Each recipe of workspaces/recipes on the real binary, its effects real, against peers on loopback."""
import email
import hashlib
import hmac
import json
import subprocess

import pytest

from conftest import BINARY, RECIPES, Answer
from peers.process import wait_until

NAMES = sorted(folder.name for folder in RECIPES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_each_is_checked_canonical_and_described(name, tmp_path):
    done = subprocess.run([BINARY, "check", RECIPES / name], capture_output=True, text=True)
    assert done.returncode == 0 and "warning" not in done.stdout, done.stdout
    done = subprocess.run([BINARY, "fmt", "--check", RECIPES / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((RECIPES / name / "workspace.json").read_text())
    assert document["name"] == name and document["title"] and document["description"].endswith(".")
    for flow in (RECIPES / name / "flows").glob("*.json"):
        assert json.loads(flow.read_text())["layout"], f"{flow}: blocks without places"


def test_each_has_a_test_here():
    text = open(__file__).read()
    assert [name for name in NAMES if f'recipe("{name}"' not in text] == []


def test_form_to_mail(recipe, mailbox):
    it = recipe("form-to-mail", {"site_name": "Tea & Co"})
    page = it.ask("GET", "/contact")
    assert page.status == 200 and "Tea &amp; Co" in page.text and page.headers["content-type"].startswith("text/html")
    answer = it.ask("POST", "/contact", form={"name": "Ann <b>", "email": "ann@peer.test", "message": "Grüße\nAnn"})
    assert answer.status == 200 and "Thank you, Ann &lt;b&gt;" in answer.text
    mail, = mailbox.mails
    assert mail.faults() == [] and mail.message["subject"] == "Message from Ann <b>"
    assert mail.message["reply-to"] == "ann@peer.test" and mail.text.strip() == "Grüße\nAnn"
    assert it.ask("POST", "/contact", form={"name": "Ann", "email": "no address", "message": "x"}).status == 400
    mailbox.fault_always(lambda mail: "550 No")
    assert it.ask("POST", "/contact", form={"name": "Ann", "email": "ann@peer.test", "message": "x"}).status == 502


def test_spam_check(recipe, mailbox):
    it = recipe("spam-check")
    good = {"email": "ann@peer.test", "message": "When do you open on Sunday?"}
    for form in (good, {**good, "message": "Cheap SEO ranking for you"}, {**good, "website": "http://spam.test"}):
        answer = it.ask("POST", "/message", form=form)
        assert answer.status == 303 and answer.headers["location"] == "/thanks"
    assert [mail.message["subject"] for mail in mailbox.mails] == ["New message", "[spam?] New message"]
    assert '2 points: "seo ranking"' in mailbox.mails[1].text
    assert "Thank you" in it.ask("GET", "/thanks").text


def test_poll_api(recipe, api):
    it = recipe("poll-api", {"api_url": api.url("/orders"), "target_url": api.url("/changes")}, {"api_token": "t0ken"})
    api.gives["/orders"] = [{"id": 1, "state": "new"}, {"id": 2, "state": "new"}]
    it.run("poll")
    assert api.to("/orders")[0].headers["authorization"] == "Bearer t0ken"
    assert [call.json["change"] for call in api.to("/changes")] == ["new", "new"]
    it.run("poll")
    assert len(api.to("/changes")) == 2, "nothing had changed"
    api.gives["/orders"] = [{"id": 1, "state": "paid"}, {"id": 2, "state": "new"}]
    api.gives["/changes"] = Answer(400, {}, b"")
    it.run("poll")
    api.gives["/changes"] = {}
    it.run("poll")
    assert [(call.json["change"], call.json["item"]["id"]) for call in api.to("/changes")[2:]] == [("changed", 1)] * 2


def test_webhook_fan_out(recipe, api):
    it = recipe("webhook-fan-out", {"targets": [api.url("/one"), api.url("/gone"), api.url("/two")]})
    assert it.ask("POST", "/hook", {"id": "d1"}).status == 401
    api.gives["/gone"] = Answer(410, {}, b"")
    for _ in range(2):
        assert it.ask("POST", "/hook", {"id": "d1", "n": 5}, X_Hook_Token="practice").status in (200, 202)
    wait_until(lambda: len(api.calls) == 3, 5, "all three targets")
    run = it.last_run("hook")
    assert sorted((call.path, call.json["n"]) for call in api.calls) == [("/gone", 5), ("/one", 5), ("/two", 5)]
    assert run["state"] == "failed" and "1 of 3" in run["error"]["message"] and "410" in run["error"]["message"]


def test_nightly_report(recipe, api, mailbox):
    it = recipe("nightly-report", {"orders_url": api.url("/orders")})
    api.gives["/orders"] = [{"product": "Tea, green", "quantity": 2, "price": 4.5}, {"product": "Pot", "quantity": 1, "price": 30},
                            {"product": "Tea, green", "quantity": 1, "price": 4.5}]
    assert it.run("report")["state"] == "done"
    mail, = mailbox.mails
    day = api.calls[0].query["day"]
    assert mail.faults() == [] and mail.message["subject"] == f"Orders of {day}: 43.50"
    file, = mail.message.iter_attachments()
    assert file.get_filename() == f"orders-{day}.csv"
    assert file.get_content().splitlines() == ["product,quantity,sum", "Pot,1,30.00", '"Tea, green",3,13.50']
    assert "<td>Pot<td>1<td>30.00" in mail.message.get_body("html").get_content()


def test_retry_queue(recipe, api):
    it = recipe("retry-queue", {"target_url": api.url("/work")})
    me = {"Authorization": "Bearer practice"}
    api.gives["/work"] = Answer(400, {}, b"")  # no sense in trying again by itself
    assert it.ask("POST", "/jobs", {"task": "resize"}, **me).status == 202
    dead = wait_until(lambda: it.ask("GET", "/jobs/dead", **me).json["jobs"], 5, "the job in the list")
    assert dead[0]["job"] == {"task": "resize"} and "400" in dead[0]["reason"]
    api.fault_next(Answer(503, {"Retry-After": "0"}, b""))
    api.gives["/work"] = {}
    assert it.ask("POST", "/jobs/dead/retry", b"", **me).json == {"started": 1}
    wait_until(lambda: not it.ask("GET", "/jobs/dead", **me).json["jobs"], 15, "an empty list")
    assert [call.outcome for call in api.to("/work")] == [400, 503, 200]
    assert it.ask("GET", "/jobs/dead").status == 401


def test_feed_watch(recipe, api):
    def rss(*titles):
        items = "".join(f"<item><title>{t}</title><link>https://blog.test/{i}</link><guid>{i}</guid></item>" for i, t in enumerate(titles))
        return Answer(200, {"Content-Type": "application/rss+xml"}, f"<rss><channel><title>Blog</title>{items}</channel></rss>".encode())
    it = recipe("feed-watch", {"feed_url": api.url("/feed")}, {"slack_webhook": api.url("/slack")})
    api.gives["/feed"] = rss("One")
    it.run("watch")
    assert api.to("/slack") == [], "the archive is not told"
    api.gives["/feed"] = rss("One", "Q&amp;A", "<![CDATA[Tea <3]]>")
    it.run("watch")
    it.run("watch")
    assert [call.json["text"] for call in api.to("/slack")] == ["<https://blog.test/2|Tea &lt;3>", "<https://blog.test/1|Q&amp;A>"]
    api.gives["/feed"] = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "j1", "title": "Moved", "url": "https://x.test/"}]}
    it.run("watch")
    assert api.to("/slack")[-1].json["text"] == "<https://x.test/|Moved>"
