"""dns.resolve, dns.lookup and dns.reverse against Knot, and against servers that misbehave."""
import socket
import struct
import threading

import pytest

from peers import dns
from peers.drive import drive
from peers.process import free_port

ALLOW = ["--allow-address", "127.0.0.0/8"]


def ask(server, name, kind="A", options=ALLOW, **more):
    result = drive({"op": "dns.resolve", "args": {"name": name, "type": kind, "server": getattr(server, "server", server), **more}},
                   options=options)[0]
    return result.get("value", result)


@pytest.fixture
def server(name_servers):
    return name_servers[0]


ZONE = dns.ZONE
RECORDS = [
    (ZONE, "A", [{"address": "127.0.0.1"}]),
    (ZONE, "AAAA", [{"address": "::1"}]),
    (ZONE, "MX", [{"preference": 10, "exchange": f"mail.{ZONE}"}]),
    (ZONE, "TXT", [{"text": "v=spf1 include:mailgun.org ~all"}]),
    (ZONE, "CAA", [{"flags": 0, "tag": "issue", "value": "letsencrypt.org"}]),
    (ZONE, "NS", [{"target": f"ns1.{ZONE}"}, {"target": f"ns2.{ZONE}"}]),
    (ZONE, "SOA", [{"primary": f"ns1.{ZONE}", "mailbox": f"hostmaster.{ZONE}", "serial": dns.SERIAL, "refresh": 3600, "retry": 600,
                    "expire": 86400, "minimum": 60}]),
    (f"_sip._tcp.{ZONE}", "SRV", [{"priority": 10, "weight": 5, "port": 5060, "target": f"mail.{ZONE}"}]),
    (f"1.0.0.127.in-addr.{ZONE}", "PTR", [{"target": f"www.{ZONE}"}]),
    (f"www.{ZONE}", "CNAME", [{"target": ZONE}]),
]


def test_every_type(server):
    results = drive(*({"op": "dns.resolve", "args": {"name": name, "type": kind, "server": server.server}} for name, kind, _ in RECORDS),
                    options=ALLOW)
    for (name, kind, expected), result in zip(RECORDS, results):
        value = result["value"]
        assert value["records"] == [{"name": name, "type": kind, "ttl": 60, **e} for e in expected], value
        assert value["authoritative"] and value["rcode"] == "NOERROR" and value["server"] == server.server


def test_an_alias_is_followed_within_the_answer(server):
    records = ask(server, f"www.{ZONE}", "A")["records"]
    assert [r["type"] for r in records] == ["CNAME", "A"]


def test_no_such_name_no_data_and_refused_are_told_apart(server):
    assert ask(server, f"nothing.{ZONE}")["rcode"] == "NXDOMAIN"
    no_data = ask(server, ZONE, "SRV")
    assert no_data["rcode"] == "NOERROR" and no_data["records"] == []
    assert ask(server, "example.org")["rcode"] == "REFUSED"


def test_a_long_answer_comes_by_tcp(server):
    records = ask(server, f"long.{ZONE}", "TXT")["records"]
    assert len(records) == 40 and {r["text"][:9] for r in records} == {f"record-{i:02}" for i in range(40)}


def test_two_servers_that_differ(name_servers):
    first, second = name_servers
    second.set_serial(dns.SERIAL + 1)
    assert [ask(s, ZONE, "SOA")["records"][0]["serial"] for s in name_servers] == [dns.SERIAL, dns.SERIAL + 1]
    second.stop()
    assert ask(first, ZONE, "SOA")["records"]
    assert ask(second, ZONE, "SOA", timeout_ms=300)["error"]["code"] == "connect_failed"


def test_silence_is_a_time_out_and_takes_no_longer():
    with dns.SilentNameServer() as silent:
        jobs = [{"op": "dns.resolve", "args": {"name": ZONE, "type": "A", "server": silent.server, "timeout_ms": 200, "tries": 2}}] * 20
        for result in drive(*jobs, options=ALLOW):
            assert result["error"]["code"] == "timeout"
            assert silent.server in result["error"]["message"]


def test_a_server_given_by_name(server):
    options = [*ALLOW, "--resolve", f"ns1.{ZONE}:53={server.server}"]
    value = ask(f"ns1.{ZONE}", ZONE, options=options)
    assert value["records"][0]["address"] == "127.0.0.1" and value["server"] == server.server
    assert ask(f"ns1.{ZONE}:5353", ZONE, options=options, timeout_ms=500)["error"]["code"] in ("dns_failed", "timeout"), "another port"


def test_inside_servers_are_refused(server):
    assert ask(server, ZONE, options=[])["error"]["code"] == "address_refused"
    assert ask(f"localhost:{server.port}", ZONE, options=[])["error"]["code"] == "address_refused"
    assert ask(f"localhost:{server.port}", ZONE)["records"]


@pytest.mark.parametrize("args", [{"name": ""}, {"name": "a b"}, {"name": 5}, {"type": "ANY"}, {"server": "1.2.3.4:99999"}, {"timeout_ms": -1}])
def test_wrong_questions(args):
    result = drive({"op": "dns.resolve", "args": {"name": ZONE, "type": "A", "server": "127.0.0.1", **args}}, options=ALLOW)[0]
    assert result["error"]["code"] == "invalid"


def test_lookup_reads_the_hosts_file():
    value = drive({"op": "dns.lookup", "args": {"name": "localhost"}})[0]["value"]
    assert {"address": "127.0.0.1", "family": 4} in value["addresses"]


def test_reverse(tmp_path):
    """From a server of our own, which knows every address."""
    with Responder(lambda q: answer(q, 12, b"\x03www\x08customer\x07example\x00")) as peer:
        for ip, asked in (("192.0.2.7", b"\x017\x012\x010\x03192\x07in-addr\x04arpa\x00"), ("2001:db8::1", b"\x011\x010")):
            value = drive({"op": "dns.reverse", "args": {"ip": ip, "server": peer.server}}, options=ALLOW)[0]["value"]
            assert value["names"] == ["www.customer.example"]
            assert peer.questions[-1][12:].startswith(asked)
    assert drive({"op": "dns.reverse", "args": {"ip": "www.example.com"}})[0]["error"]["code"] == "invalid"


def answer(question, kind, data, rcode=0, flags=0x8400, count=1, name=b"\xc0\x0c"):
    return (question[:2] + struct.pack(">HHHHH", flags | rcode, 1, count, 0, 0) + question[12:question.index(b"\0", 12) + 5] +
            (name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data) * count)


class Responder:
    """Answers each question by UDP with what `make` (question) gives: bytes, a list of them, or None."""

    def __init__(self, make, tcp=None):
        self.make, self.tcp, self.questions = make, tcp, []

    def __enter__(self):
        self.port = free_port()
        self.server = f"127.0.0.1:{self.port}"
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._tcp = socket.create_server(("127.0.0.1", self.port)) if self.tcp else None
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._udp.close()
        if self._tcp:
            self._tcp.close()

    def _serve_udp(self):
        try:
            while True:
                question, peer = self._udp.recvfrom(4096)
                self.questions.append(question)
                made = self.make(question[:question.index(b"\0", 12) + 5])
                for packet in made if isinstance(made, list) else [made] if made else []:
                    self._udp.sendto(packet, peer)
        except OSError:
            pass

    def _serve_tcp(self):
        try:
            while self._tcp:
                peer, _ = self._tcp.accept()
                question = peer.recv(4096)[2:]
                self.tcp(peer, question[:question.index(b"\0", 12) + 5])
        except OSError:
            pass


A = b"\xc0\x00\x02\x01"


@pytest.mark.parametrize("rcode,name", [(1, "FORMERR"), (2, "SERVFAIL"), (4, "NOTIMP"), (5, "REFUSED"), (13, "OTHER")])
def test_every_rcode_is_an_answer(rcode, name):
    with Responder(lambda q: answer(q, 1, A, rcode=rcode, count=0)) as peer:
        assert ask(peer, ZONE)["rcode"] == name


HOSTILE = {
    "nothing": b"", "short": b"x" * 5, "noise": b"\xff" * 600,
    "count": lambda q: q[:2] + b"\x84\0\0\1\xff\xff\0\0\0\0" + q[12:],
    "loop": lambda q: answer(q, 5, b"\xc0" + bytes([len(q) + 12])),
    "cut": lambda q: answer(q, 1, A)[:-2],
    "size": lambda q: answer(q, 1, b"\1\2\3"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_answers_end_in_an_error(how):
    make = HOSTILE[how]
    with Responder(make if callable(make) else lambda q: q[:2] + make if make else [b""]) as peer:
        result = ask(peer, ZONE, timeout_ms=200, tries=1)
        assert result["error"]["code"] in ("protocol", "timeout"), result


def test_spoofed_answers_are_not_taken():
    """A wrong id, another question, another type: the right one still counts when it comes."""
    def make(q):
        wrong_id = bytes([q[0] ^ 1]) + answer(q, 1, b"\6\6\6\6")[1:]
        other = answer(q[:12] + b"\x04evil\x00\0\1\0\1", 1, b"\6\6\6\6")
        return [wrong_id, other, answer(q, 1, A)]
    with Responder(make) as peer:
        assert ask(peer, ZONE)["records"][0]["address"] == "192.0.2.1"


def test_a_truncated_answer_whose_tcp_fails():
    def close(peer, question):
        peer.close()
    with Responder(lambda q: answer(q, 1, A, flags=0x8600), tcp=close) as peer:
        assert ask(peer, ZONE, timeout_ms=500, tries=1)["error"]["code"] in ("protocol", "connect_failed", "timeout")


def test_a_first_answer_that_is_lost():
    with Responder(lambda q: answer(q, 1, A) if len(peer.questions) > 1 else None) as peer:
        assert ask(peer, ZONE, timeout_ms=200, tries=2)["records"]


def test_canceled():
    with dns.SilentNameServer() as silent:
        result = drive({"op": "dns.resolve", "cancel_ms": 50, "args": {"name": ZONE, "server": silent.server, "timeout_ms": 10000}}, options=ALLOW)
        assert result[0]["error"]["code"] == "canceled"
