"""The peers themselves, by curl, openssl, smtplib and kdig: what the other tests rely on."""
import json
import smtplib
import ssl
import subprocess
import time

import pytest

from peers import deliveries, pagerduty, smtp
from peers.http_peer import CLOSED, DROPPED, SILENT
from peers.nginx import EXPECTED_TEXT

GOOD_HEADERS = {"Authorization": "Token token=secret", "Accept": "application/vnd.pagerduty+json;version=2",
                "Content-Type": "application/json", "From": "ops@example.com"}
GOOD_BODY = {"incident": {"type": "incident", "title": "Shop is down", "urgency": "high", "incident_key": "w/shop",
                          "service": {"id": "PSERV01", "type": "service_reference"},
                          "body": {"type": "incident_body", "details": "Größer\nthan before"}}}


def curl(authority, port, host, path, *options, method="GET", headers=None, body=None):
    """curl's exit code, the HTTP status and the body."""
    argv = ["curl", "-sS", "--max-time", "10", "--cacert", authority.file, "--resolve", f"{host}:{port}:127.0.0.1",
            "-X", method, "-w", "\n%{http_code}", *options, f"https://{host}:{port}{path}"]
    for name, value in (headers or {}).items():
        argv += ["-H", f"{name}: {value}"]
    if body is not None:
        argv += ["--data-binary", body if isinstance(body, str) else json.dumps(body)]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    text, _, status = done.stdout.rpartition("\n")
    return done.returncode, int(status or 0), text


def page(authority, front, headers=None, body=None, **more):
    return curl(authority, front.port, "api.pagerduty.com", "/incidents", *more.pop("options", ()), method="POST",
                headers=GOOD_HEADERS if headers is None else headers, body=GOOD_BODY if body is None else body, **more)


def without(mapping, name):
    return {k: v for k, v in mapping.items() if k != name}


def incident(**changes):
    return {"incident": {k: v for k, v in {**GOOD_BODY["incident"], **changes}.items() if v is not ...}}


def test_a_correct_page_opens_an_incident_once(authority, front, pager):
    code, status, text = page(authority, front)
    assert (code, status) == (0, 201), text
    assert json.loads(text)["incident"]["incident_key"] == "w/shop"
    assert pager.calls[0].json == GOOD_BODY and pager.calls[0].headers["from"] == "ops@example.com"
    code, status, text = page(authority, front)
    assert status == 400 and json.loads(text)["error"]["code"] == 2002
    assert len(pager.calls_of["w/shop"]) == 2 and pager.violations == []

    found = curl(authority, front.port, "api.pagerduty.com", "/incidents?incident_key=w/shop", headers=without(GOOD_HEADERS, "From"))
    assert json.loads(found[2])["incidents"][0]["status"] == "triggered"
    ident = pager.incidents["w/shop"]["id"]
    resolved = curl(authority, front.port, "api.pagerduty.com", f"/incidents/{ident}", method="PUT", headers=GOOD_HEADERS,
                    body={"incident": {"type": "incident", "status": "resolved"}})
    assert resolved[1] == 200
    assert page(authority, front)[1] == 201


@pytest.mark.parametrize("headers, body", [
    (without(GOOD_HEADERS, "From"), GOOD_BODY),
    ({**GOOD_HEADERS, "From": "ops"}, GOOD_BODY),
    (without(GOOD_HEADERS, "Authorization"), GOOD_BODY),
    ({**GOOD_HEADERS, "Authorization": "Basic c2VjcmV0"}, GOOD_BODY),
    ({**GOOD_HEADERS, "Accept": "application/json"}, GOOD_BODY),
    ({**GOOD_HEADERS, "Content-Type": "application/x-www-form-urlencoded"}, GOOD_BODY),
    (GOOD_HEADERS, GOOD_BODY["incident"]),
    (GOOD_HEADERS, incident(title=...)),
    (GOOD_HEADERS, incident(title=None)),
    (GOOD_HEADERS, incident(type="alert")),
    (GOOD_HEADERS, incident(service=...)),
    (GOOD_HEADERS, incident(service={"type": "service_reference"})),
    (GOOD_HEADERS, incident(service={"id": "PSERV01", "type": "service"})),
    (GOOD_HEADERS, incident(urgency="critical")),
    (GOOD_HEADERS, incident(body={"type": "incident_body", "details": {"a": 1}})),
    (GOOD_HEADERS, "{incident: {type: ‘incident'"),
])
def test_a_page_that_breaks_the_contract_is_refused(authority, front, pager, headers, body):
    code, status, text = page(authority, front, headers, body)
    assert code == 0 and 400 <= status < 500, text
    assert pager.violations and not pager.incidents


def test_faults_of_pagerduty(authority, front, pager):
    pager.fault_next(pagerduty.RATE_LIMITED, pagerduty.INTERNAL_ERROR, CLOSED, DROPPED, SILENT)
    assert page(authority, front, options=["-D", "-"])[1:] >= (429,) and "ratelimit-reset" in pagerduty.RATE_LIMITED.headers
    assert page(authority, front)[1] == 500
    code, status, _ = page(authority, front, options=["--http1.1"])
    assert (code, status) == (52, 0) and not pager.incidents
    code, status, _ = page(authority, front)
    assert code != 0 and status == 0 and pager.incidents["w/shop"]["status"] == "triggered"
    assert page(authority, front, options=["--max-time", "1"])[0] == 28
    assert page(authority, front)[1] == 400
    assert [c.outcome if isinstance(c.outcome, int) else c.outcome.split(":")[0] for c in pager.calls_of["w/shop"]] == [
        429, 500, "closed", "dropped", "silent", 400]


def test_other_channels_answer_in_their_own_words(authority, internet):
    def post(host, path, **more):
        return curl(authority, internet.front.port, host, path, method="POST", **more)[1:]
    assert post("hooks.slack.com", "/services/T/B/X", body={"text": "hello"}) == (200, "ok")
    assert post("hooks.slack.com", "/services/T/B/X", body={}) == (400, "no_text")
    sms = {"headers": {"Authorization": "Basic QUM6dA=="}, "body": "To=%2B4917&From=%2B1&Body=down"}
    assert post("api.twilio.com", "/2010-04-01/Accounts/AC/Messages.json", **sms)[0] == 201
    assert internet.twilio.calls[0].form["To"] == "+4917"
    assert post("api.telegram.org", "/bot1:a/sendMessage", body={"chat_id": 1, "text": "x"})[0] == 200
    assert post("api.github.com", "/repos/o/r/issues", body={"title": "x"})[0] == 401
    assert len(internet.slack.calls) == 2 and len(internet.telegram.calls) == 1 and len(internet.tracker.calls) == 1


def mail(port, authority, starttls=False, password=smtp.PASSWORD, subject="Größe"):
    context = ssl.create_default_context(cafile=str(authority.file))
    client = smtplib.SMTP("127.0.0.1", port, timeout=5) if starttls else _SmtpsByName("127.0.0.1", port, timeout=5, context=context)
    client._host = "smtp.mailgun.org"  # the name that TLS checks
    with client:
        if starttls:
            client.starttls(context=context)
        client.login(smtp.USER, password)
        from email.message import EmailMessage
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, "a@mg.example.com", "b@example.com"
        message["Date"], message["Message-ID"] = "Fri, 02 Jan 2026 03:04:05 +0000", "<1@mg.example.com>"
        message.set_content("Grüße\n.\nend\n")
        client.send_message(message)


class _SmtpsByName(smtplib.SMTP_SSL):
    def _get_socket(self, host, port, timeout):
        self._host = "smtp.mailgun.org"
        return super()._get_socket(host, port, timeout)


def test_mail_by_tls_and_starttls_is_kept_as_it_came(authority, mailbox):
    mail(mailbox.port, authority)
    mail(mailbox.starttls_port, authority, starttls=True)
    assert [m.message["subject"] for m in mailbox.mails] == ["Größe", "Größe"]
    assert mailbox.mails[0].text == "Grüße\n.\nend\n" and mailbox.mails[0].recipients == ["b@example.com"]
    assert mailbox.mails[0].faults() == []
    mailbox.mails[0].raw = mailbox.mails[0].raw.replace(b"\r\n", b"\n", 1)
    assert mailbox.mails[0].faults() != []


def test_faults_of_the_mail_server(authority, mailbox):
    with pytest.raises(smtplib.SMTPAuthenticationError):
        mail(mailbox.port, authority, password="wrong")
    with pytest.raises(smtplib.SMTPException):
        smtplib.SMTP("127.0.0.1", mailbox.starttls_port, timeout=5).login(smtp.USER, smtp.PASSWORD)
    mailbox.fault_next("451 4.7.1 Try again later", "550 5.7.1 Refused")
    for code in (451, 550):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            mail(mailbox.port, authority)
        assert refused.value.smtp_code == code
    mailbox.fault_next("550 5.1.1 No such user", stage="rcpt")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail(mailbox.port, authority)
    assert mailbox.mails == []
    mailbox.fault_next(smtp.CLOSED_AFTER_DATA)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError, ssl.SSLError)):
        mail(mailbox.port, authority)
    assert len(mailbox.mails) == 1


def test_name_servers_agree_differ_and_stop(name_servers):
    first, second = name_servers
    assert first.serial() == second.serial() == 2026010101
    assert second.query("MX") == ["10 mail.customer.example."] and first.query("A") == ["127.0.0.1"]
    assert len(first.query("TXT", "long.customer.example")) == 40
    second.set_serial(2026010102)
    assert first.serial() == 2026010101
    second.stop()
    assert second.serial() is None and first.serial() == 2026010101


def test_the_customers_site_in_all_its_states(authority, site):
    def get(path, port=site.port, *options):
        return curl(authority, port, "www.customer.example", path, *options)
    assert EXPECTED_TEXT in get("/")[2]
    assert get("/broken")[1] == 503
    assert get("/load.txt")[2].startswith("0.42 ") and get("/memory.txt")[2].startswith("Mem:")
    started = time.monotonic()
    assert get("/slow")[1] == 200 and time.monotonic() - started >= 4
    assert get("/", site.closed_port)[0] == 7
    assert [get("/", p)[0] for p in (site.wrong_name_port, site.expired_port, site.untrusted_port)] == [60, 60, 60]


def test_deliveries_are_signed_like_pagerdutys():
    delivery = deliveries.pagerduty("incident.resolved", key="w/shop", agent=None)
    made = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", deliveries.SECRET], input=delivery.body, capture_output=True)
    assert delivery.headers["X-PagerDuty-Signature"] == "v1=" + made.stdout.decode().split("= ")[1].strip()
    assert delivery.body != deliveries.tampered(delivery).body
    event = json.loads(delivery.body)["event"]
    assert event["data"]["incident_key"] == "w/shop" and event["agent"] is None and event["data"]["assignees"] == []
    assert deliveries.nodeping("get").query.startswith("?id=")
    assert b"event=up" in deliveries.nodeping("form", "up").body and "message" not in json.loads(deliveries.nodeping("json", "up").body)
