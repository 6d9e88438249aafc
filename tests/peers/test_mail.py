"""mail.send against real mail servers: what they receive is parsed by Python's email, what goes wrong is told apart."""
import base64
import email
import email.header
import email.policy
import email.utils
import socket
import ssl
import threading
import time

import pytest

from peers import exim, smtp
from peers.certificates import Authority
from peers.drive import drive
from peers.process import free_port, wait_until

LOGIN = "postmaster%40mg.example.com:smtp-password"
IMPLICIT = f"smtps://{LOGIN}@smtp.mailgun.org"
STARTTLS = f"smtp://{LOGIN}@smtp.mailgun.org"
MAIL = {"server": IMPLICIT, "from": "Flowlet <alarm@mg.example.com>", "to": ["ops@customer.example"],
        "subject": "Website down", "text": "Hello\n"}


@pytest.fixture
def mailbox(authority):
    with smtp.Smtp(authority) as peer:
        peer.options = ["--allow-address", "127.0.0.0/8", "--ca-file", authority.file, *peer.resolve_options()]
        yield peer


def send(options, timeout=60, **changes):
    key = changes.pop("key", "k1")
    return drive({"op": "mail.send", "key": key, "args": {**MAIL, **changes}}, options=options, timeout=timeout)[0]


def display_name(mail, header):
    """As the older of Python's two parsers reads it: the newer one (3.11) puts spaces between encoded words."""
    text = email.utils.parseaddr(str(email.message_from_bytes(mail.raw)[header]))[0]
    return str(email.header.make_header(email.header.decode_header(text)))


def error(result, code):
    assert "error" in result, result
    assert result["error"]["code"] == code, result
    assert "smtp-password" not in str(result) and "c210cC1wYXNzd29yZA" not in str(result), "the password is told"
    return result["error"]["message"]


@pytest.mark.parametrize("server", [IMPLICIT, STARTTLS])
def test_a_mail_arrives(mailbox, server):
    result = send(mailbox.options, server=server, cc="Zoë <zoe@customer.example>", bcc=["secret@customer.example", "Again <ops@customer.example>"])
    assert result["value"]["accepted"] == ["ops@customer.example", "zoe@customer.example", "secret@customer.example"]
    assert result["value"]["rejected"] == []
    assert result["value"]["reply"] == "250 Great success"
    assert result["value"]["message_id"] == "<k1@mg.example.com>"
    (mail,) = mailbox.mails
    assert mail.faults() == []
    assert mail.sender == "alarm@mg.example.com"
    assert mail.recipients == result["value"]["accepted"]
    assert mail.message["subject"] == "Website down" and mail.text == "Hello\n"
    assert mail.message["message-id"] == "<k1@mg.example.com>"
    assert mail.message["auto-submitted"] == "auto-generated"
    assert "bcc" not in mail.message and b"secret@" not in mail.raw
    assert mail.message["cc"].addresses[0].display_name == "Zoë"
    assert abs(email.utils.parsedate_to_datetime(mail.message["date"]).timestamp() - time.time()) < 60


TEXTS = ["", "one line", "ends\n", ".\n..\n.hidden\n", "From me\n", "tab\t\nspace \n", "=3D = ==\n", "a\r\nb\rc\n",
         "Сайт не отвечает уже 5 минут\n", "網站故障 😱\n" * 200, "x" * 5000, "é" * 3000, "a" * 75 + "é" * 3, ("word " * 30 + "\n") * 40,
         "a bell \x07 and \x7f\n", "\u2028 odd ends \u0085\n"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_any_text_comes_out_as_it_went_in(mailbox, text):
    send(mailbox.options, text=text, html=f"<p>{text}</p>", attachments=[{"name": "log.txt", "type": "text/plain", "content": text}])
    (mail,) = mailbox.mails
    assert mail.faults() == []
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 78
    plain, html = (mail.message.get_body((kind,)).get_payload(decode=True).decode() for kind in ("plain", "html"))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert plain.replace("\r\n", "\n").rstrip("\n") == lines.rstrip("\n")
    assert html.replace("\r\n", "\n").rstrip("\n") == f"<p>{lines}</p>"
    (attachment,) = mail.message.iter_attachments()
    assert attachment.get_payload(decode=True) == text.encode()


SUBJECTS = ["", "x", "Émergence", "=?UTF-8?Q?not_encoded?=", "a  b", "ends with a space ", "x" * 200, "é" * 300, "word " * 60 + "end",
            "🔥" * 100, "mixed é and " * 20 + "x", '"quoted" <odd> (comment)', "tab\there"]


@pytest.mark.parametrize("subject", SUBJECTS, ids=range(len(SUBJECTS)))
def test_any_subject_and_name_come_out_as_they_went_in(mailbox, subject):
    file = subject[:60].strip() or "x"
    name = subject.replace('"', "").replace("<", "").replace(">", "").strip()
    result = send(mailbox.options, subject=subject, to=[f'"{name}" <ops@customer.example>'], headers={"X-Note": subject.strip() or "-"},
                  attachments=[{"name": file, "type": "application/pdf", "content": {"$bytes": base64.b64encode(bytes(range(256))).decode()}}])
    assert "value" in result, result
    (mail,) = mailbox.mails
    assert mail.faults() == []
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 200 + len("X-Note: ")
    assert mail.message["subject"] == subject
    assert display_name(mail, "to") == name
    assert mail.message["x-note"] == (subject.strip() or "-")
    (attachment,) = mail.message.iter_attachments()
    assert attachment.get_filename() == file
    assert attachment.get_payload(decode=True) == bytes(range(256))


@pytest.mark.parametrize("field", ["subject", "from", "to", "cc", "reply_to", "message_id", "headers", "name"])
def test_header_injection_is_refused(mailbox, field):
    evil = "x\r\nBcc: victim@customer.example"
    change = {"headers": {"headers": {"X-A": evil}}, "name": {"attachments": [{"name": evil, "content": ""}]},
              "to": {"to": [f'"{evil}" <a@b.example>']}}.get(field, {field: evil})
    error(send(mailbox.options, **change), "invalid")
    assert mailbox.attempts == 0


def test_a_wrong_login_is_told_apart(mailbox):
    message = error(send(mailbox.options, server=IMPLICIT.replace("smtp-password", "wrong")), "mail_auth")
    assert "535" in message
    assert mailbox.mails == []


def test_a_server_without_a_login_is_told_apart(mailbox):
    assert "530" in error(send(mailbox.options, server="smtps://smtp.mailgun.org"), "mail_refused")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply,code", [("550 5.1.1 No such user", "mail_refused"), ("451 4.7.1 Try again later", "mail_deferred")])
def test_refusals_carry_the_servers_words(mailbox, stage, reply, code):
    mailbox.fault_next(reply, stage=stage)
    result = send(mailbox.options)
    message = error(result, code)
    assert reply in message
    assert ("ops@customer.example" in message) == (stage == "rcpt")
    assert mailbox.mails == []
    assert not result["details"]["cause"]["unknown"]


def test_one_recipient_refused_the_other_gets_it(mailbox):
    mailbox.fault_next("550 5.1.1 No such user", stage="rcpt")
    value = send(mailbox.options, to=["nobody@customer.example", "ops@customer.example"])["value"]
    assert value["accepted"] == ["ops@customer.example"]
    assert value["rejected"] == [{"address": "nobody@customer.example", "code": 550, "reply": "550 5.1.1 No such user"}]
    assert mailbox.mails[0].recipients == ["ops@customer.example"]


def test_all_recipients_refused(mailbox):
    mailbox.fault_next("550 no", "450 later", stage="rcpt")
    result = send(mailbox.options, to=["a@customer.example", "b@customer.example"])
    assert "b@customer.example: 450 later" in error(result, "mail_deferred"), "one may work later, so trying again makes sense"
    assert len(result["details"]["cause"]["rejected"]) == 2


def test_closed_after_data_is_unknown(mailbox):
    mailbox.fault_next(smtp.CLOSED_AFTER_DATA)
    result = send(mailbox.options)
    assert "may have arrived" in error(result, "connection_lost")
    assert result["details"]["cause"]["unknown"]
    assert len(mailbox.mails) == 1


def test_a_certificate_of_somebody_else_is_refused(mailbox, tmp_path):
    other = Authority(tmp_path, "other")
    options = list(mailbox.options)
    options[options.index("--ca-file") + 1] = other.file
    for server in IMPLICIT, STARTTLS:
        error(send(options, server=server), "certificate")
    wrong_name = [o.replace("smtp.mailgun.org", "smtp.eu.mailgun.org") if isinstance(o, str) else o for o in mailbox.options]
    error(send(wrong_name, server=IMPLICIT.replace("smtp.", "smtp.eu.")), "certificate")
    assert mailbox.attempts == 0


def test_inside_addresses_are_refused(mailbox):
    options = ["--ca-file", mailbox.options[mailbox.options.index("--ca-file") + 1]]
    error(send(options, server=f"smtps://{LOGIN}@127.0.0.1:{mailbox.port}"), "address_refused")


def test_nobody_there(mailbox):
    error(send(mailbox.options, server=f"smtps://{LOGIN}@127.0.0.1:{free_port()}"), "connect_failed")
    error(send(mailbox.options, server=f"smtps://{LOGIN}@no-such-host.invalid"), "dns_failed")


@pytest.mark.parametrize("server", ["", "smtp.mailgun.org", "http://x@y", "smtps://a:b@", "smtps://a:pass/word@smtp.mailgun.org", "smtps://u:p@h:0"])
def test_a_wrong_server_url_is_told_without_its_password(mailbox, server):
    result = send(mailbox.options, server=server)
    assert result["error"]["code"] == "invalid", result
    assert "pass" not in result["error"]["message"].replace("PASSWORD", "").replace("password", "")


class Script:
    """A server that says its lines whatever it hears: after connecting, and then one per line it receives."""

    def __init__(self, *lines, tls=None, starttls=None, then=""):
        self.lines, self.tls, self.starttls, self.then, self.heard = list(lines), tls, starttls, then, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(10)

    def _run(self):
        try:
            peer, _ = self.listener.accept()
            peer.settimeout(20)
            if self.tls:
                peer = self.tls.wrap_socket(peer, server_side=True)
            for line, following in zip(self.lines, [*self.lines[1:], ""]):
                if line == "TLS":
                    peer = self.starttls.wrap_socket(peer, server_side=True)
                    self.heard.append(peer.recv(4000).decode())
                    continue
                if line is None:
                    peer.close()
                    return
                peer.sendall(line.encode())
                if following != "TLS":
                    self.heard.append(peer.recv(4000).decode())
            while self.then != "close" and peer.recv(4000):
                pass
            peer.close()
        except OSError:
            pass


def plain(script):
    return f"smtp://{LOGIN}@smtp.mailgun.org", ["--allow-address", "127.0.0.0/8", "--resolve",
                                                 f"smtp.mailgun.org:587=127.0.0.1:{script.port}"]


@pytest.fixture
def tls(authority):
    made = authority.issue("smtp.mailgun.org")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.chain, made.key)
    return context


def test_without_starttls_nothing_is_said(authority):
    with Script("220 hi\r\n", "250-hi\r\n250 AUTH PLAIN LOGIN\r\n") as peer:
        server, options = plain(peer)
        assert "STARTTLS" in error(send(options, server=server), "tls_failed")
    assert all("AUTH" not in line and "MAIL" not in line for line in peer.heard), peer.heard


def test_starttls_refused(authority):
    with Script("220 hi\r\n", "250-hi\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "454 TLS not available\r\n") as peer:
        server, options = plain(peer)
        assert "454 TLS not available" in error(send(options, server=server), "tls_failed")
    assert all("AUTH" not in line for line in peer.heard)


def test_what_came_before_tls_is_not_believed(authority, tls):
    """An injected reply behind the one to STARTTLS (CVE-2011-0411) ends the call."""
    with Script("220 hi\r\n", "250-hi\r\n250 STARTTLS\r\n", "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n", "TLS", starttls=tls) as peer:
        server, options = plain(peer)
        result = send([*options, "--ca-file", authority.file], server=server)
        assert result["error"]["code"] in ("tls_failed", "protocol"), result
    assert all("AUTH" not in line for line in peer.heard)


def secure(script, authority):
    return ["--allow-address", "127.0.0.0/8", "--ca-file", authority.file, "--resolve", f"smtp.mailgun.org:465=127.0.0.1:{script.port}"]


HELLO = ["220 hi\r\n", "250-hi\r\n250-SIZE 1000000\r\n250 AUTH PLAIN\r\n"]


def test_no_login_offered(authority, tls):
    with Script("220 hi\r\n", "250 hi\r\n", tls=tls) as peer:
        assert "no login" in error(send(secure(peer, authority)), "mail_auth")
    assert all("MAIL" not in line for line in peer.heard)


def test_login_deferred(authority, tls):
    with Script(*HELLO, "454 4.7.0 Temporary authentication failure\r\n", tls=tls) as peer:
        error(send(secure(peer, authority)), "mail_deferred")


def test_a_server_that_is_going_down(authority, tls):
    with Script("421 4.3.2 Service not available\r\n", tls=tls) as peer:
        assert "421" in error(send(secure(peer, authority)), "mail_deferred")


def test_a_server_that_goes_away_between_recipients(authority, tls):
    with Script(*HELLO, "235 ok\r\n", "250 ok\r\n", "421 4.3.2 shutting down\r\n", None, tls=tls) as peer:
        assert "421" in error(send(secure(peer, authority), to=["a@customer.example", "b@customer.example"]), "mail_deferred")


def test_refused_after_starttls_is_no_wrong_login(authority, tls):
    with Script("220 hi\r\n", "250-hi\r\n250 STARTTLS\r\n", "220 go\r\n", "TLS", "554 no\r\n", "554 no\r\n", starttls=tls) as peer:
        server, options = plain(peer)
        error(send([*options, "--ca-file", authority.file], server=server), "mail_refused")


def test_a_password_that_is_repeated_is_not_told(authority, tls):
    with Script(*HELLO, "535 no: postmaster@mg.example.com smtp-password\r\n", tls=tls) as peer:
        error(send(secure(peer, authority)), "mail_auth")
    with Script(*HELLO, "235 ok\r\n", "550 smtp-password\r\n", tls=tls) as peer:
        error(send(secure(peer, authority)), "mail_refused")


def test_too_large_for_the_server_is_told_before_it_is_sent(authority, tls):
    with Script("220 hi\r\n", "250-hi\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n", "235 ok\r\n", tls=tls) as peer:
        assert "1000" in error(send(secure(peer, authority), text="x" * 5000), "mail_refused")


def test_silence_is_a_time_out_and_says_where(authority, tls):
    with Script(tls=tls) as peer:
        assert "login" in error(send(secure(peer, authority), timeout_ms=400), "timeout")
    with Script(*HELLO, "235 ok\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", tls=tls) as peer:
        result = send(secure(peer, authority), timeout_ms=1000)
        assert "may have arrived" in error(result, "timeout")
        assert result["details"]["cause"]["unknown"]
    with Script(*HELLO, "235 ok\r\n", "250 ok\r\n", tls=tls) as peer:
        result = send(secure(peer, authority), timeout_ms=1000)
        assert "may have arrived" not in error(result, "timeout")


@pytest.mark.parametrize("said", [[], [*HELLO, "235 ok\r\n"], [*HELLO, "235 ok\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"]],
                         ids=["connecting", "sender", "sent"])
def test_nothing_waits_for_a_slow_server(authority, tls, said):
    """libcurl's own SMTP would stand still, with the whole loop, until the answer to the mail or to QUIT has come."""
    with Script(*said, tls=tls) as peer:
        started = time.monotonic()
        mail = {"op": "mail.send", "args": {**MAIL, "timeout_ms": 3000}}
        results = drive({**mail, "cancel_ms": 600}, {"op": "wait", "args": {"ms": 400}}, options=secure(peer, authority))
        assert [r["order"] for r in results] == [1, 0] and results[0]["error"]["code"] == "canceled"
        assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("words", ["nonsense\r\n", "999 what\r\n", "250-x\r\n" * 5000, "2" * 10000, "\r\n", "250\r\n\0\r\n"])
def test_no_smtp_is_told(authority, tls, words):
    with Script(*HELLO, "235 ok\r\n", words, then="close", tls=tls) as peer:
        result = send(secure(peer, authority), timeout_ms=3000)
        assert result["error"]["code"] in ("protocol", "connection_lost"), result


def test_closed_before_data_is_known(authority, tls):
    with Script(*HELLO, "235 ok\r\n", "250 ok\r\n", None, tls=tls) as peer:
        result = send(secure(peer, authority))
        assert "may have arrived" not in error(result, "connection_lost")
        assert not result["details"]["cause"]["unknown"]


def test_many_at_once_and_some_canceled(mailbox):
    jobs = [{"op": "mail.send", "key": f"k{i}", "args": {**MAIL, "subject": f"mail {i}"}} for i in range(20)]
    jobs += [{"op": "mail.send", "key": f"c{i}", "cancel_ms": i * 3, "args": {**MAIL, "subject": f"canceled {i}"}} for i in range(10)]
    results = drive(*jobs, options=mailbox.options)
    assert all("value" in r for r in results[:20]), results
    assert all("value" in r or r["error"]["code"] == "canceled" for r in results[20:])
    subjects = [m.message["subject"] for m in mailbox.mails]
    assert sorted(s for s in subjects if s.startswith("mail")) == sorted(f"mail {i}" for i in range(20))


def test_a_large_mail_while_the_loop_goes_on(mailbox):
    big = base64.b64encode(bytes(15_000_000)).decode()
    results = drive({"op": "mail.send", "key": "k", "args": {**MAIL, "attachments": [{"name": "x", "content": {"$bytes": big}}]}},
                    {"op": "wait", "args": {"ms": 10}}, options=mailbox.options)
    assert "value" in results[1]
    if "error" in results[0]:  # aiosmtpd takes 32 MB
        pytest.fail(str(results[0])[:500])
    (attachment,) = mailbox.mails[0].message.iter_attachments()
    assert len(attachment.get_payload(decode=True)) == 15_000_000


def test_captured_is_the_whole_message():
    (result,) = drive({"op": "mail.send", "key": "k1", "capture": True, "args": {**MAIL, "server": "anything", "subject": "Überfall"}})
    assert result["kind"] == "mail" and result["to"] == "ops@customer.example"
    message = email.message_from_string(result["content"], policy=email.policy.default)
    assert message["subject"] == "Überfall" and message.get_content() == "Hello\r\n"
    assert result["value"]["accepted"] == ["ops@customer.example"]


@pytest.mark.skipif(not exim.available(), reason="Exim is not here, or not root")
@pytest.mark.parametrize("server", [IMPLICIT, STARTTLS])
def test_another_make_of_server(authority, server):
    with exim.Exim(authority) as peer:
        options = ["--allow-address", "127.0.0.0/8", "--ca-file", authority.file, *peer.resolve_options()]
        result = send(options, server=server, subject="Überfall", text=".\nline\n", to=["ops@customer.example", "nobody@customer.example"])
        assert result["value"]["accepted"] == ["ops@customer.example"]
        assert result["value"]["rejected"][0]["reply"] == "550 5.1.1 No such user here"
        (mail,) = wait_until(peer.mails, 10, "the mail")
        assert mail.faults() == [] and mail.message["subject"] == "Überfall" and mail.text == ".\nline\n"
        assert mail.recipients == ["ops@customer.example"] and mail.sender == "alarm@mg.example.com"
        error(send(options, server=server, to="later@customer.example"), "mail_deferred")
        error(send(options, server=server, subject="spam"), "mail_refused")
        error(send(options, server=server.replace("smtp-password", "wrong")), "mail_auth")
