"""The emergency response workspace on the real binary: what the peers received, what the caller read."""
import re
import subprocess
import time

import pytest

from peers import deliveries, emergency, pagerduty, smtp
from peers.dns import SilentNameServer
from peers.flowlet import ROOT, WORKSPACE, Flowlet
from peers.http_peer import CLOSED, DROPPED, SILENT
from peers.process import wait_until

TEAM, CUSTOMER = "team@example.com", "customer@shop.example"
ANSWER_WITHIN_S = 8
pytestmark = pytest.mark.skipif(not (ROOT / "workspaces" / WORKSPACE).exists(), reason="the workspace is not there")


@pytest.fixture
def start(tmp_path, internet):
    """Starts the workspace live, with that site within reach; settings beyond the usual ones as keywords, secrets as a dict."""
    servers = []

    def started(site=None, secrets=None, **settings):
        servers.append(emergency.live(tmp_path, internet, settings, secrets, site.resolve_options() if site else ()))
        return servers[-1]
    yield started
    for server in servers:
        server.stop()


def press(server, site="shop", **fields):
    """Presses the button; the answer and how long it took."""
    began = time.monotonic()
    answer = server.press(emergency.BUTTON_PASSWORD, site=site, **{"message": "Checkout is down", "contact": CUSTOMER, **fields})
    return answer, time.monotonic() - began


def mails_to(internet, address):
    return [m for m in internet.mailbox.mails if address in m.recipients]


def readable(answer):
    """The answer's words, without the page around them."""
    return re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.S))


def runs_settle(server):
    wait_until(lambda: all(r["state"] not in ("accepted", "running", "queued") for r in server.in_workspace("runs")["runs"]), 15, "the runs' end")


def test_the_button_reaches_everybody(start, internet, site, name_servers):
    server = start(site, **emergency.scanned(site, name_servers))
    answer, seconds = press(server, message="Checkout is down — größer")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert seconds < ANSWER_WITHIN_S

    page = internet.pager.calls[0]
    incident = page.json["incident"]
    assert page.headers["from"] == emergency.SETTINGS["pagerduty_from"]
    assert incident["incident_key"] == f"{WORKSPACE}/shop" and incident["urgency"] == "high"
    assert "größer" in incident["title"] + incident["body"]["details"] and CUSTOMER in incident["body"]["details"]
    assert internet.pager.violations == [] and len(internet.pager.calls) == 1

    assert "0.42" in readable(answer) and "2026010101" in readable(answer)
    wait_until(lambda: len(mails_to(internet, TEAM)) == 2, 10, "the alarm's mail, and what the scan found behind it")
    mail, scan = mails_to(internet, TEAM)
    assert mail.faults() == scan.faults() == [] and mail.message["Auto-Submitted"] == "auto-generated"
    assert "größer" in mail.message["Subject"] + mail.text and CUSTOMER in mail.text
    assert scan.message["In-Reply-To"] == mail.message["Message-ID"] != scan.message["Message-ID"]
    assert "0.42" in scan.text and "2026010101" in scan.text
    assert emergency.BUTTON_PASSWORD not in answer.text + mail.text + scan.text


def test_a_wrong_password_reaches_nobody(start, internet):
    server = start()
    answer = server.press("guess", site="shop")
    assert answer.status == 403 and answer.headers["content-type"].startswith("text/html")
    assert not internet.pager.calls and not internet.mailbox.mails
    assert press(server)[0].status == 200


def test_a_second_press_is_the_same_incident_and_no_failure(start, internet):
    server = start()
    assert press(server)[0].status == press(server)[0].status == 200
    assert len(internet.pager.calls_of[f"{WORKSPACE}/shop"]) == 2 and len(internet.pager.incidents) == 1
    assert press(server, site="other")[0].status == 200
    assert len(internet.pager.incidents) == 2


def test_a_customers_words_stay_words(start, internet):
    server = start()
    answer, _ = press(server, message='<script>alert(1)</script>\r\nBcc: x@evil.example "&amp;"', contact="a@b.example\r\nBcc: y@evil.example")
    assert answer.status == 200 and "<script>alert(1)" not in answer.text
    assert not [m for m in internet.mailbox.mails if any("evil" in r for r in m.recipients) or m.message["Bcc"]]
    assert len(mails_to(internet, TEAM)) == 1


@pytest.mark.parametrize("fault", [pagerduty.RATE_LIMITED, pagerduty.INTERNAL_ERROR, CLOSED, DROPPED, SILENT],
                         ids=["429", "500", "closed", "dropped", "silent"])
def test_a_page_that_fails_is_tried_again_and_the_caller_is_told(start, internet, fault):
    server = start()
    internet.pager.fault_next(fault)
    answer, seconds = press(server)
    assert answer.status == 200 and seconds < ANSWER_WITHIN_S
    assert "still" in readable(answer).lower()
    assert len(mails_to(internet, TEAM)) == 1
    wait_until(lambda: f"{WORKSPACE}/shop" in internet.pager.incidents, 30, "the page")
    runs_settle(server)
    calls = internet.pager.calls_of[f"{WORKSPACE}/shop"]
    assert len(calls) == 2 and internet.pager.violations == []
    if fault is pagerduty.RATE_LIMITED:
        assert calls[1].at - calls[0].at >= 1


def test_a_page_that_is_refused_for_good_still_mails(start, internet):
    server = start()
    internet.pager.fault_always(pagerduty.UNAUTHORIZED)
    answer, seconds = press(server)
    assert answer.status == 200 and seconds < ANSWER_WITHIN_S and len(mails_to(internet, TEAM)) == 1


@pytest.mark.parametrize("fault", ["451 4.7.1 Try again later", "554 5.7.1 Refused", smtp.CLOSED_AFTER_DATA], ids=["451", "554", "closed"])
def test_a_mail_that_fails_still_pages(start, internet, fault):
    server = start()
    internet.mailbox.fault_next(fault)
    answer, seconds = press(server)
    assert answer.status == 200 and seconds < ANSWER_WITHIN_S and len(internet.pager.incidents) == 1
    if not fault.startswith("5"):
        wait_until(lambda: any(not m.unanswered for m in mails_to(internet, TEAM)), 30, "the mail")
        assert len({m.message["Message-ID"] for m in mails_to(internet, TEAM)}) == 1


def test_nobody_can_be_reached(start, internet):
    server = start()
    internet.pager.fault_always(SILENT)
    internet.mailbox.fault_always("421 4.3.0 Closing")
    answer, seconds = press(server)
    assert seconds < ANSWER_WITHIN_S and answer.status in (200, 502, 503) and "still" in readable(answer).lower()
    internet.pager.fault_always(None)
    internet.mailbox.fault_always(None)
    wait_until(lambda: internet.pager.incidents and mails_to(internet, TEAM), 60, "page and mail")


def test_the_scan_sees_name_servers_that_differ_stop_or_stay_silent(start, internet, name_servers):
    first, second = name_servers
    with SilentNameServer() as silent:
        server = start(**emergency.scanned(name_servers=(first, second, silent)))
        second.set_serial(2026010102)
        said = readable(press(server)[0])
        assert "2026010101" in said and "2026010102" in said and silent.server in said
        second.stop()
        answer, seconds = press(server, site="other")
        assert seconds < ANSWER_WITHIN_S and second.server in readable(answer)


def test_the_scan_sees_what_is_wrong_with_the_site(start, internet, site):
    base = "https://www.customer.example"
    ports = {"closed": site.closed_port, "name": site.wrong_name_port, "expired": site.expired_port}
    endpoints = [{"url": f"{base}/", "text": "words that are not there"}, {"url": f"{base}/broken"}, {"url": f"{base}/slow"},
                 *({"url": f"{base}:{port}/"} for port in ports.values())]
    server = start(site, endpoints=endpoints)
    answer, seconds = press(server)
    said = readable(answer)
    assert seconds < ANSWER_WITHIN_S and "503" in said
    assert re.search("refused|closed", said, re.I) and re.search("certificate", said, re.I) and re.search("expired", said, re.I)


def test_pagerdutys_webhooks_reach_team_and_customer(start, internet):
    server = start()
    press(server)
    internet.mailbox.mails.clear()
    event = deliveries.pagerduty("incident.acknowledged", key=f"{WORKSPACE}/shop", agent="Ada Lovelace")
    assert server.deliver("/pagerduty-webhook", event).status == 202
    wait_until(lambda: mails_to(internet, CUSTOMER) and mails_to(internet, TEAM), 10, "two mails")
    assert "Emergency signal acknowledged by Ada Lovelace" in mails_to(internet, CUSTOMER)[0].message["Subject"] + mails_to(internet, CUSTOMER)[0].text

    again = server.deliver("/pagerduty-webhook", event)
    assert 200 <= again.status < 300
    assert server.deliver("/pagerduty-webhook", deliveries.pagerduty("pagey.ping")).status in (200, 202)
    resolved = deliveries.pagerduty("incident.resolved", key=f"{WORKSPACE}/shop", agent=None)
    assert server.deliver("/pagerduty-webhook", resolved).status == 202
    wait_until(lambda: len(mails_to(internet, CUSTOMER)) == 2, 10, "the all clear")
    runs_settle(server)
    assert len(mails_to(internet, CUSTOMER)) == 2 and len(mails_to(internet, TEAM)) == 2


def test_webhooks_that_pagerduty_did_not_sign_do_nothing(start, internet):
    server = start()
    good = deliveries.pagerduty("incident.triggered")
    assert server.deliver("/pagerduty-webhook", deliveries.tampered(good)).status in (401, 403)
    assert server.deliver("/pagerduty-webhook", deliveries.pagerduty(secret="other")).status in (401, 403)
    unsigned = good._replace(headers={k: v for k, v in good.headers.items() if "Signature" not in k})
    assert server.deliver("/pagerduty-webhook", unsigned).status in (400, 401, 403)
    refused = server.get("/pagerduty-webhook")
    assert refused.status == 405 and "POST" in refused.headers["allow"] and b"POST" in refused.body
    rotated = deliveries.pagerduty()
    both = rotated._replace(headers={**rotated.headers, "X-PagerDuty-Signature": deliveries.sign(rotated.body, "old", deliveries.SECRET)})
    assert server.deliver("/pagerduty-webhook", both).status == 202
    runs_settle(server)
    assert len(server.in_workspace("runs")["runs"]) == 1


@pytest.mark.parametrize("how", ["get", "form", "json"])
def test_nodeping_down_and_up_are_one_incident(start, internet, how):
    server = start()

    def notify(event):
        return server.deliver("/nodeping", deliveries.nodeping(how, event, secret=emergency.NODEPING_SECRET))
    assert 200 <= notify("down").status < 300
    wait_until(lambda: internet.pager.incidents and mails_to(internet, TEAM), 10, "page and mail")
    notify("down")
    runs_settle(server)
    assert len(internet.pager.incidents) == 1
    mails = len(mails_to(internet, TEAM))
    assert 200 <= notify("up").status < 300
    wait_until(lambda: len(mails_to(internet, TEAM)) > mails, 10, "the all clear")


def test_nodeping_without_its_secret_is_refused(start, internet):
    server = start()
    assert server.deliver("/nodeping", deliveries.nodeping("json")).status in (401, 403)
    assert not internet.pager.calls


def test_practice_captures_what_would_have_gone(tmp_path, internet):
    with Flowlet(tmp_path / "data", ROOT / "workspaces" / WORKSPACE, practice=True, options=internet.options) as server:
        assert server.get("/API/emergency-button").status == 200
        answer = server.press(message="Checkout is down", contact=CUSTOMER, site="shop")
        assert answer.status == 200
        outbox = server.in_workspace("outbox")
        outbox = outbox["outbox"] if isinstance(outbox, dict) else outbox
        kinds = [entry["kind"] for entry in outbox]
        assert "page" in kinds and "mail" in kinds
        mail = next(e for e in outbox if e["kind"] == "mail")
        assert "MIME-Version: 1.0" in mail["content"] and mail["to"]
        line = re.search(r"^ *(curl -i .*)$", server.log.read_text(), re.M).group(1)
        assert subprocess.run(line, shell=True, capture_output=True, text=True).stdout.startswith("HTTP/1.1 202")
        refused = server.command("live", check=False)
        assert refused.returncode != 0 and "practice" in refused.stdout + refused.stderr or "empty" in refused.stdout + refused.stderr
    assert not internet.pager.calls and not internet.mailbox.mails


# The other channels, tickets, and the site watched by itself

OTHERS = {"slack": True, "sms_account": "AC" + "1" * 32, "sms_from": "+15005550006", "sms_to": "+15005550009", "telegram_chat": "42",
          "ticket_url": "https://api.github.com/repos/o/r/issues"}
OTHER_SECRETS = {"slack_webhook": "https://hooks.slack.com/services/T0/B0/x", "twilio_login": "AC" + "1" * 32 + ":token",
                 "telegram_token": "12345:secret-of-the-bot", "ticket_token": "tracker-token"}


def test_the_other_channels_speak_their_services_ways(start, internet):
    server = start(secrets=OTHER_SECRETS, **OTHERS)
    internet.slack.fault_next(CLOSED)
    answer, _ = press(server, message="Checkout & <more>")
    said = readable(answer)
    assert all(name in said for name in ("Slack", "SMS", "Telegram")) and "still" in said
    sms = internet.twilio.calls[0]
    assert sms.outcome == 201 and sms.form["To"] == OTHERS["sms_to"] and "Checkout & <more>" in sms.form["Body"]
    chat = internet.telegram.calls[0]
    assert chat.outcome == 200 and chat.path == "/bot12345:secret-of-the-bot/sendMessage" and chat.json["chat_id"] == "42"
    wait_until(lambda: any(c.outcome == 200 for c in internet.slack.calls), 20, "Slack's second try")
    assert "Checkout &amp; &lt;more&gt;" in internet.slack.calls[-1].json["text"]
    record = server.api("GET", f"/workspaces/{WORKSPACE}/runs?detail=true").text
    assert "secret-of-the-bot" not in record and "hooks.slack.com/services/T0" not in record


def test_an_event_of_nodeping_sent_again_is_one_mail_and_one_ticket(start, internet):
    server = start(secrets=OTHER_SECRETS, ticket_url=OTHERS["ticket_url"])
    down = deliveries.nodeping("json", secret=emergency.NODEPING_SECRET, start="1767323045678")
    assert server.deliver("/nodeping", down).status == 202
    wait_until(lambda: internet.tracker.calls and mails_to(internet, TEAM), 10, "ticket and mail")
    runs_settle(server)
    assert server.deliver("/nodeping", down).json == {"duplicate": True}
    later = deliveries.nodeping("json", secret=emergency.NODEPING_SECRET, start="1767323999999")
    assert server.deliver("/nodeping", later).status == 202
    wait_until(lambda: len(mails_to(internet, TEAM)) == 2, 10, "the later event's mail")
    runs_settle(server)
    assert len(internet.tracker.calls) == 1 and internet.tracker.calls[0].headers["authorization"] == "Bearer tracker-token"
    by_header = deliveries.nodeping("form", start="1767324999999")
    by_header.headers["Authorization"] = f"Bearer {emergency.NODEPING_SECRET}"
    assert server.deliver("/nodeping", by_header).status == 202


def test_the_watched_site_is_down_at_the_second_bad_scan_and_up_at_the_second_good_one(start, internet, site):
    server = start(site, endpoints=[{"url": "https://www.customer.example/", "text": "Welcome"}])

    def watch():
        run = server.api("POST", f"/workspaces/{WORKSPACE}/flows/watch-site/runs?wait=true", {"input": {"scheduledAt": 0}}).json
        assert run["state"] == "done", run
        runs_settle(server)
        return len(internet.pager.calls), len(mails_to(internet, TEAM))
    assert watch() == (0, 0)
    site.write("index.html", "gone")
    assert watch() == (0, 0), "one bad scan may be the network's fault"
    assert watch() == (1, 1)
    assert watch() == (2, 1), "still down: paged again, which PagerDuty knows about"
    site.write("index.html", "Welcome back")
    assert watch() == (2, 1)
    assert watch() == (2, 2) and "up again" in mails_to(internet, TEAM)[1].message["Subject"]
