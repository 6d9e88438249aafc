"""A mail server: aiosmtpd with TLS and AUTH. The received bytes are kept as they came and parsed by Python's email."""
import email
import email.policy
import logging
import ssl
import threading
import time
import warnings
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from .certificates import Authority
from .process import free_port

logging.getLogger("mail.log").setLevel(logging.ERROR)
USER, PASSWORD = "postmaster@mg.example.com", "smtp-password"
CLOSED_AFTER_DATA = "closed after the final dot, before a reply"


@dataclass
class Mail:
    sender: str
    recipients: list
    raw: bytes
    at: float = field(default_factory=time.monotonic)
    unanswered: bool = False  # taken, but the sender was not told

    @property
    def message(self):
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def text(self):
        """The plain part, else the HTML, with lines ended as Python does."""
        part = self.message.get_body(("plain", "html"))
        return part.get_content().replace("\r\n", "\n") if part else ""

    def faults(self):
        """What is wrong with these bytes by RFC 5322, 2045 and 5321: empty for a good mail."""
        found = [str(d) for part in self.message.walk() for d in part.defects]
        if self.raw.replace(b"\r\n", b"").count(b"\n") or self.raw.replace(b"\r\n", b"").count(b"\r"):
            found.append("a bare CR or LF")
        if max(map(len, self.raw.split(b"\r\n"))) > 998:
            found.append("a line of more than 998 bytes")
        for name in ("Date", "Message-ID", "From", "To", "Subject", "MIME-Version", "Content-Type"):
            if len(self.message.get_all(name, [])) != 1:
                found.append(f"{name} {len(self.message.get_all(name, []))} times")
        if any(b > 126 for b in self.raw.split(b"\r\n\r\n", 1)[0]):
            found.append("bytes above 126 in the header")
        return found


class Smtp:
    """Implicit TLS at `port`, STARTTLS at `starttls_port`, AUTH by USER and PASSWORD at both. mails is what was taken;
    attempts counts what was offered. fault_next() takes replies ("451 ...", "550 ...") given at `stage`
    ("mail", "rcpt" or "data"), or CLOSED_AFTER_DATA; fault_always() the same until None. A mail that the server took,
    closing before its reply, is in mails as well."""

    def __init__(self, authority: Authority):
        self.mails, self.attempts = [], 0
        self.lock = threading.Lock()
        self._next, self._always = [], None
        certificate = authority.issue("smtp.mailgun.org", "mail.customer.example")
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate.chain, certificate.key)
        self.port, self.starttls_port = free_port(), free_port()

    def __enter__(self):
        common = {"authenticator": _authenticate, "auth_required": True, "hostname": "smtp.mailgun.org", "enable_SMTPUTF8": True}
        implicit = {"auth_require_tls": False}  # aiosmtpd counts only STARTTLS as TLS
        upgraded = {"auth_require_tls": True, "require_starttls": True, "tls_context": self._tls}
        self._controllers = [_controller(self, self.port, {**common, **implicit}, ssl_context=self._tls),
                             _controller(self, self.starttls_port, {**common, **upgraded})]
        for controller in self._controllers:
            controller.start()
        return self

    def __exit__(self, *_):
        for controller in self._controllers:
            controller.stop()

    def fault_next(self, *faults, stage="data"):
        with self.lock:
            self._next.extend((stage, fault) for fault in faults)

    def fault_always(self, fault, stage="data"):
        """A function (mail) -> fault or None decides for each, at the stage "data" alone."""
        self._always = (stage, fault) if fault else None

    def resolve_options(self, name="smtp.mailgun.org"):
        return ["--resolve", f"{name}:465=127.0.0.1:{self.port}", "--resolve", f"{name}:587=127.0.0.1:{self.starttls_port}"]

    def _fault(self, stage, mail=None):
        with self.lock:
            if self._next and self._next[0][0] == stage:
                return self._next.pop(0)[1]
        if self._always and self._always[0] == stage:
            return self._always[1](mail) if callable(self._always[1]) else self._always[1]
        return None

    # aiosmtpd's hooks

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.attempts += 1
        fault = self._fault("mail")
        if fault:
            return fault
        envelope.mail_from = address
        return "250 Sender address accepted"

    async def handle_RCPT(self, server, session, envelope, address, options):
        fault = self._fault("rcpt")
        if fault:
            return fault
        envelope.rcpt_tos.append(address)
        return "250 Recipient address accepted"

    async def handle_DATA(self, server, session, envelope):
        mail = Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content)
        fault = self._fault("data", mail)
        if fault and fault != CLOSED_AFTER_DATA:
            return fault
        mail.unanswered = fault == CLOSED_AFTER_DATA
        with self.lock:
            self.mails.append(mail)
        if fault == CLOSED_AFTER_DATA:
            server.transport.abort()
        return "250 Great success"


def _controller(smtp, port, options, ssl_context=None):
    class Peer(Controller):
        def factory(self):
            with warnings.catch_warnings():  # about auth_require_tls
                warnings.simplefilter("ignore")
                return SMTP(self.handler, **options)
    return Peer(smtp, hostname="127.0.0.1", port=port, ssl_context=ssl_context)


def _authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False, auth_data=data)
