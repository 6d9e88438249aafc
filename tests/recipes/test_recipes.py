"""Each recipe of workspaces/recipes on the real binary, its effects real, against peers on loopback."""
import base64
import datetime
import email.utils
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest

from live import BINARY, RECIPES, TOKEN, Answer
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


WITH_EXAMPLES = [name for name in NAMES if name != "approval-by-link"]  # a test run is not stored, and so has no links


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_as_saved(name, tmp_path):
    environment = {**os.environ, "FLOWLET_DATA": str(tmp_path)}
    done = subprocess.run([BINARY, "test", RECIPES / name], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0 and "passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["hello", "emergency-response", *NAMES])
def test_each_is_a_template(name, tmp_path):
    listed = subprocess.run([BINARY, "init", "--list"], capture_output=True, text=True, check=True).stdout
    assert f"\n{name} " in f"\n{listed}"
    done = subprocess.run([BINARY, "init", tmp_path / "mine", "--template", name], capture_output=True, text=True)
    assert done.returncode == 0 and "flowlet serve" in done.stdout, done.stderr
    source = RECIPES / name if name in NAMES else RECIPES.parent / name
    for file in filter(Path.is_file, source.rglob("*")):
        text = file.read_text()
        if file.name == "workspace.json":
            text = text.replace(f'"name": "{name}"', '"name": "mine"', 1)
        assert (tmp_path / "mine" / file.relative_to(source)).read_text() == text, file
    done = subprocess.run([BINARY, "init", tmp_path / "mine"], capture_output=True, text=True)
    assert done.returncode == 1 and "is there already" in done.stderr


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
    it = recipe("poll-api", {"api_url": api.url("/orders"), "target_url": api.url("/changes")})
    api.gives["/orders"] = [{"id": 1, "state": "new"}, {"id": 2, "state": "new"}]
    it.run("poll")
    assert api.to("/orders")[0].headers["authorization"] == f"Bearer {TOKEN}"
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
    assert it.ask("POST", "/hook", {"id": "d1"}).status == 403
    api.gives["/gone"] = Answer(410, {}, b"")
    for _ in range(2):
        assert it.ask("POST", "/hook", {"id": "d1", "n": 5}, X_Hook_Token=TOKEN).status in (200, 202)
    wait_until(lambda: len(api.calls) == 3, 5, "all three targets")
    run = it.last_run("hook")
    assert sorted((call.path, call.json["n"]) for call in api.calls) == [("/gone", 5), ("/one", 5), ("/two", 5)]
    assert run["state"] == "failed" and "1 of 3" in run["error"] and "410" in run["error"]


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
    me = {"Authorization": f"Bearer {TOKEN}"}
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


def test_certificate_watch(recipe, front, mailbox):
    it = recipe("certificate-watch", {"hosts": [f"127.0.0.1:{front.port}", "api.github.com", "127.0.0.1:1"], "days": 5})
    assert it.run("watch")["state"] == "done"
    mail, = mailbox.mails
    lines = mail.text.splitlines()
    assert mail.message["subject"] == "Certificates: 2 need you" and len(lines) == 2
    assert lines[0].startswith(f"127.0.0.1:{front.port}: ") and lines[1].startswith("127.0.0.1:1: ")
    mailbox.mails.clear()
    it = recipe("certificate-watch", {"hosts": ["api.github.com"]})
    it.run("watch")
    assert mailbox.mails[0].text.startswith("api.github.com: ends in ")


def test_dns_watch(recipe, name_server, mailbox):
    records = [{"name": "customer.example", "type": "MX"}, {"name": "customer.example", "type": "NS"}]
    it = recipe("dns-watch", {"records": records, "name_server": name_server.server})
    it.run("watch")
    it.run("watch")
    assert mailbox.mails == [], "nothing has changed"
    zone = name_server.zone_file.read_text()
    try:
        name_server.zone_file.write_text(zone.replace("MX  10 mail", "MX  20 mail").replace("2026010101", "2026010102"))
        name_server.process.child.send_signal(signal.SIGHUP)
        wait_until(lambda: name_server.serial() == 2026010102, 5, "the new zone")
        it.run("watch")
        it.run("watch")
    finally:
        name_server.set_serial(2026010103)
    mail, = mailbox.mails
    assert mail.message["subject"] == "DNS: customer.example MX"
    assert "before: 10 mail.customer.example" in mail.text and "now:    20 mail.customer.example" in mail.text


def test_uptime_slack(recipe, api):
    it = recipe("uptime-slack", {"pages": [{"url": api.url("/shop"), "text": "Welcome"}, {"url": api.url("/blog")}]},
                {"slack_webhook": api.url("/slack")})
    welcome = Answer(200, {"Content-Type": "text/html"}, b"Welcome")
    for page in (welcome, Answer(503, {}, b""), Answer(503, {}, b""), Answer(503, {}, b""), welcome, welcome):
        api.gives["/shop"] = page
        it.run("check")
    texts = [call.json["text"] for call in api.to("/slack")]
    assert texts == [f":red_circle: {api.url('/shop')} is down: answers with status 503",
                     f":large_green_circle: {api.url('/shop')} is back after 1 minute"]


def test_lead_to_crm(recipe, api):
    it = recipe("lead-to-crm", {"crm_url": api.url("/contacts")}, {"slack_webhook": api.url("/slack")})
    api.gives["/contacts"] = lambda call: Answer.of_json(200, []) if call.method == "GET" else Answer.of_json(201, {"id": 7})
    answer = it.ask("POST", "/leads", {"email": "ann@peer.test", "company": "Tea & Co"})
    assert (answer.status, answer.json) == (201, {"contact": "7", "known": False})
    made = api.calls[1]
    assert made.json["company"] == "Tea & Co" and made.headers["idempotency-key"] and made.headers["authorization"] == f"Bearer {TOKEN}"
    wait_until(lambda: api.to("/slack"), 5, "Slack")
    assert api.to("/slack")[0].json["text"] == "New lead: ann@peer.test of Tea &amp; Co"
    api.gives["/contacts"] = [{"id": 7}]
    api.gives["/contacts/7"] = {"id": 7}
    answer = it.ask("POST", "/leads", {"email": "ann@peer.test", "name": "Ann"})
    assert (answer.status, answer.json) == (200, {"contact": "7", "known": True})
    assert api.calls[-1].method == "PATCH" and api.calls[-1].json["name"] == "Ann"
    assert it.ask("POST", "/leads", {"email": "nobody"}).status == 400


def test_invoice_reminder(recipe, api, mailbox):
    it = recipe("invoice-reminder", {"invoices_url": api.url("/invoices")})
    days = lambda n: (datetime.date.today() - datetime.timedelta(n)).isoformat()  # noqa: E731
    api.gives["/invoices"] = [{"number": f"R-{n}", "customer": "Ann", "email": "ann@peer.test", "total": 10.5, "due": days(n)} for n in (1, 8, 22, 60)]
    it.run("remind")
    subjects = [mail.message["subject"] for mail in mailbox.mails]
    assert subjects == ["Have you seen our invoice R-8", "Reminder of our invoice R-22", "Last reminder of our invoice R-60"]
    assert "over 10.50" in mailbox.mails[0].text
    it.run("remind")
    assert len(mailbox.mails) == 3, "each once"
    api.gives["/invoices"][0]["due"] = days(9)
    mailbox.fault_always(lambda mail: "550 No")
    assert it.run("remind")["state"] == "failed"
    mailbox.fault_always(None)
    it.run("remind")
    assert mailbox.mails[-1].message["subject"] == "Have you seen our invoice R-1"


def test_github_slack(recipe, api):
    it = recipe("github-slack", {}, {"github_secret": "key", "slack_webhook": api.url("/slack")})

    def deliver(event, value, id, key=b"key"):
        body = json.dumps(value).encode()
        return it.ask("POST", "/github", body, Content_Type="application/json", X_GitHub_Event=event, X_GitHub_Delivery=id,
                      X_Hub_Signature_256="sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()).status
    pull = {"action": "closed", "pull_request": {"number": 5, "title": "A < B", "html_url": "https://x.test/5", "merged": True, "user": {"login": "ann"}}}
    assert deliver("pull_request", pull, "1", key=b"other") == 403
    assert deliver("pull_request", pull, "1") == 202
    assert deliver("pull_request", pull, "1") in (200, 202)
    push = {"ref": "refs/heads/main", "repository": {"full_name": "o/r"}, "pusher": {"name": "ann"}, "commits": [{"message": "Fix\n\nit"}], "compare": "https://x.test/c"}
    assert deliver("push", push, "2") == 202
    assert deliver("ping", {"zen": "..."}, "3") == 202
    texts = wait_until(lambda: len(api.to("/slack")) > 1 and {call.json["text"] for call in api.to("/slack")}, 5, "two messages")
    assert texts == {"Pull request <https://x.test/5|#5 A &lt; B> by ann merged", "ann pushed <https://x.test/c|1 to o/r main>\n• Fix"}


def test_daily_digest(recipe, mailbox):
    it = recipe("daily-digest")
    it.run("digest")
    assert mailbox.mails == []
    for topic, text in (("Shop", "Sold out of tea"), ("Office", "New key"), ("Shop", "Tea is back")):
        assert it.ask("POST", "/notes", {"topic": topic, "text": text}, Authorization=f"Bearer {TOKEN}").status == 201
    assert it.ask("POST", "/notes", {"topic": "x", "text": "y"}).status == 401
    it.run("digest")
    it.run("digest")
    mail, = mailbox.mails
    assert mail.message["subject"] == "Today: Shop, Office"
    assert mail.text.strip() == "Shop\n- Sold out of tea\n- Tea is back\n\nOffice\n- New key"


def test_csv_import(recipe, api):
    it = recipe("csv-import", {"api_url": api.url("/products")}, {"upload": {"username": "import", "password": TOKEN}})
    login = "Basic " + base64.b64encode(f"import:{TOKEN}".encode()).decode()

    def upload(text):
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\nContent-Type: text/csv\r\n\r\n' + text.encode() + b"\r\n--b--\r\n"
        return it.ask("POST", "/import", part, Content_Type="multipart/form-data; boundary=b", Authorization=login)
    api.gives["/products"] = lambda call: Answer(422, {}, b"") if call.json["name"] == "bad" else Answer.of_json(201, {})
    answer = upload('\ufeffname,price\r\n"Tea, ""green""",4.5\r\nbad,1\r\nPot,30\r\n')
    assert answer.status == 200 and answer.json["taken"] == 2 and [row["line"] for row in answer.json["refused"]] == [3]
    assert {"name": 'Tea, "green"', "price": "4.5"} in [call.json for call in api.calls]
    answer = upload("name,price\r\nTea\r\n")
    assert answer.status == 422 and answer.json == {"error": "line 2 has 1 values, not 2"}


def test_json_transform(recipe):
    it = recipe("json-transform")
    line = {"sku": "T1", "quantity": 3, "price": 0.1}
    order = {"id": "5", "customer": {"first": "Ann", "last": "Lee"}, "lines": [line, {**line, "quantity": 1}, {"sku": "P", "quantity": 1, "price": 30}]}
    answer = it.ask("POST", "/transform", order)
    assert answer.status == 200 and answer.json == {
        "reference": "WEB-5", "name": "Lee, Ann", "contact": None, "total": 3040, "currency": "EUR",
        "positions": [{"article": "T1", "pieces": 4, "amount": 40}, {"article": "P", "pieces": 1, "amount": 3000}]}
    answer = it.ask("POST", "/transform", {**order, "lines": [{**line, "quantity": 0}], "currency": "euro"})
    assert answer.status == 400 and {"/lines/0/quantity", "/currency"} <= set(re.findall(r'"(/[^"]+)"', answer.text)), answer.text


def test_rate_limited_proxy(recipe, api):
    it = recipe("rate-limited-proxy", {"upstream": api.url("/now")})
    api.gives["/now"] = {"degrees": 21}
    answers = [it.ask("GET", "/weather/Rome") for _ in range(2)]
    assert [(a.json["degrees"], a.headers["x-cache"]) for a in answers] == [(21, "miss"), (21, "hit")]
    assert len(api.calls) == 1 and api.calls[0].query == {"city": "Rome"} and api.calls[0].headers["authorization"] == f"Bearer {TOKEN}"
    api.gives["/now"] = Answer(500, {}, b"")
    assert it.ask("GET", "/weather/Oslo").status == 502
    statuses = [it.ask("GET", "/weather/Rome").status for _ in range(30)]
    assert 429 in statuses and statuses[0] == 200


def test_backup_check(recipe, api, mailbox):
    it = recipe("backup-check", {"backups": [{"name": "shop", "url": api.url("/shop"), "min_bytes": 10}, {"name": "wiki", "url": api.url("/wiki")}],
                                 "heartbeat_url": api.url("/beat")}, {"backup_login": {"username": "u", "password": "p"}})

    def backup(hours, size):
        return Answer(200, {"Last-Modified": email.utils.formatdate(time.time() - hours * 3600, usegmt=True)}, b"x" * size)
    api.gives.update({"/shop": backup(3, 50), "/wiki": backup(3, 50)})
    assert it.run("check")["state"] == "done"
    assert mailbox.mails == [] and len(api.to("/beat")) == 1 and api.calls[0].method == "HEAD"
    api.gives.update({"/shop": backup(3, 5), "/wiki": backup(50, 50)})
    it.run("check")
    assert mailbox.mails[0].text.splitlines() == ["shop: only 5 bytes", "wiki: 50 hours old"] and len(api.to("/beat")) == 1


def test_on_call_handover(recipe, api, mailbox):
    it = recipe("on-call-handover", {"roster_url": api.url("/roster"), "issues_url": api.url("/issues")}, {"slack_webhook": api.url("/slack")})
    week = lambda day: "{}-W{:02}".format(*day.isocalendar())  # noqa: E731
    today = datetime.datetime.now(datetime.timezone.utc).date()
    api.gives["/roster"] = [{"week": week(today - datetime.timedelta(7)), "name": "Ann", "email": "ann@peer.test"},
                            {"week": week(today), "name": "Bob", "email": "bob@peer.test"}]
    api.gives["/issues"] = [{"title": "Slow search", "url": "https://x.test/1"}]
    assert it.run("handover")["state"] == "done"
    mail, = mailbox.mails
    assert sorted(mail.recipients) == ["ann@peer.test", "bob@peer.test"] and "Ann hands over to Bob" in mail.text and "- Slow search" in mail.text
    assert api.to("/slack")[0].json["text"] == "On call this week: *Bob*"
    api.gives["/issues"] = Answer(404, {}, b"")
    it.run("handover")
    assert "The tracker did not answer" in mailbox.mails[1].text


def test_paged_export(recipe, api):
    it = recipe("paged-export", {"api_url": api.url("/customers")})
    pages = {None: {"items": [{"id": 1, "name": "Ann"}], "next": "b"}, "b": {"items": [{"id": 2, "name": 'Bo "B"'}], "next": "c"}, "c": {"items": [], "next": None}}
    api.gives["/customers"] = lambda call: Answer.of_json(200, pages[call.query.get("cursor")])
    answer = it.ask("GET", "/export.csv", Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == ["id,name", "1,Ann", '2,"Bo ""B"""'] and len(api.calls) == 3
    assert it.ask("GET", "/export.csv").status == 401


def test_welcome_series(recipe, mailbox):
    it = recipe("welcome-series", {"pause_ms": 300})
    me = {"Authorization": f"Bearer {TOKEN}"}
    assert it.ask("POST", "/leave", {"email": "Bob@peer.test"}, **me).status == 204
    for address in ("ann@peer.test", "bob@peer.test", "ann@peer.test"):
        assert it.ask("POST", "/signup", {"email": address}, **me).status in (200, 202)
    wait_until(lambda: len(mailbox.mails) == 3, 10, "two welcomes and one with tips")
    assert sorted((mail.recipients[0], mail.message["subject"]) for mail in mailbox.mails) == [
        ("ann@peer.test", "Three things that help at the start"), ("ann@peer.test", "Welcome"), ("bob@peer.test", "Welcome")]
    wait_until(lambda: all(run["state"] == "done" for run in it.server.in_workspace("runs?flow=signup", it.name)["runs"]), 5, "the runs' end")


def test_approval_by_link(recipe, api, mailbox):
    it = recipe("approval-by-link", {"orders_url": api.url("/orders")})

    def ask(title):
        assert it.ask("POST", "/requests", {"title": title, "amount": 12.5, "email": "ann@peer.test"}, Authorization=f"Bearer {TOKEN}").status == 202
        mail = wait_until(lambda: next((m for m in mailbox.mails if m.message["subject"] == f"Please decide: {title}"), None), 5, "the mail")
        assert "asks for " + title + ", 12.50" in mail.text
        return urllib.parse.urlsplit(re.search(r"^http\S+", mail.text, re.M).group()).path

    def told(subject):
        return wait_until(lambda: next((m for m in mailbox.mails if m.message["subject"] == subject), None), 5, subject)
    link = ask("A chair")
    page = wait_until(lambda: (got := it.ask("GET", link)).status == 200 and "approve" in got.text and got, 5, "the page")
    assert "A chair" in page.text and api.calls == [], "looking decides nothing"
    assert it.ask("POST", link, form={"decision": "approve", "comment": "Enjoy"}).status == 200
    assert "Enjoy" in told("Approved: A chair").text and api.to("/orders")[0].json == {"title": "A chair", "amount": 12.5}
    assert it.ask("POST", link, form={"decision": "refuse"}).status >= 400, "it works once"
    link = ask("A yacht")
    wait_until(lambda: it.ask("GET", link).status == 200 and "A yacht" in it.ask("GET", link).text, 5, "the page")
    assert it.ask("POST", link, form={"decision": "refuse", "comment": "Too wet"}).status == 200
    assert "Too wet" in told("Refused: A yacht").text and len(api.calls) == 1
