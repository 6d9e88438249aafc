"""Where flows may connect to: nowhere private, unless the server was told so; never to the server itself."""
import json
import socket
import threading

import pytest

from peers.process import wait_until
from peers.flowlet import ROOT, Flowlet
from peers.http_peer import Answer, HttpPeer

FOLDER = ROOT / "tests/workspaces/outgoing"


class Listener:
    """Whoever connects, or sends a datagram, is counted."""

    def __init__(self, address):
        self.tcp, self.udp, self.seen = socket.create_server((address, 0)), socket.socket(type=socket.SOCK_DGRAM), 0
        self.port = self.tcp.getsockname()[1]
        self.udp.bind((address, self.port))
        for accept in (self.tcp.accept, lambda: self.udp.recvfrom(9000)):
            threading.Thread(target=self._serve, args=(accept,), daemon=True).start()

    def _serve(self, accept):
        while True:
            try:
                accept()
            except OSError:
                return
            self.seen += 1

    def close(self):
        self.tcp.close()
        self.udp.close()


class Sender(HttpPeer):
    """Sends on to wherever the path says: /to?http://..."""

    def act(self, call):
        target = call.query.get("to")
        return Answer(302, {"Location": target}, b"") if target else Answer.of_json(200, call.headers)


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A server as it is without options."""
    with Flowlet(tmp_path_factory.mktemp("closed") / "data", FOLDER) as flowlet:
        yield flowlet


@pytest.fixture(scope="module")
def sender():
    with Sender() as peer:
        yield peer


@pytest.fixture(scope="module")
def opened(tmp_path_factory, sender):
    """One that may go to 127.0.0.1, where it listens itself, and to the peer by two names."""
    options = ["--allow-address", "127.0.0.1/32", *(option for name in ("a.example", "b.example") for option in ("--resolve", f"{name}:80=127.0.0.1:{sender.port}"))]
    with Flowlet(tmp_path_factory.mktemp("opened") / "data", FOLDER, options=options) as flowlet:
        yield flowlet


@pytest.fixture
def listener():
    listener = Listener("127.0.0.1")
    yield listener
    listener.close()


def post(server, path, **value):
    return server.post(path, json.dumps(value).encode(), headers={"Content-Type": "application/json"})


WAYS = ("http", "https", "fetch", "mail", "tcp", "tls", "dns")


@pytest.mark.parametrize("by", WAYS)
def test_no_way_to_loopback(closed, listener, by):
    for host in ("127.0.0.1", "localhost") if by != "dns" else ("127.0.0.1",):
        told = post(closed, "/try", by=by, host=host, port=listener.port).json
        assert told["code"] == "address_refused" and "--allow-address" in told["message"], told
    assert listener.seen == 0


@pytest.mark.parametrize("host", [
    "127.1", "2130706433", "0x7f000001", "017700000001", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254",
    "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "[fe80::1]", "[fc00::1]", "[ff02::1]"])
def test_no_address_that_is_not_public(closed, host):
    told = post(closed, "/try", by="http", host=host, port=80).json
    assert told["code"] == "address_refused", told
    failed = post(closed, "/block", url=f"http://{host}/")
    assert failed.status == 502 and failed.json["code"] == "address_refused" and failed.json["block"] == "call"


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/", "dict://127.0.0.1/", "http://", "nonsense", "http://a b/", "http://example.com\r\nX: y/"])
def test_no_other_schemes(closed, scheme):
    failed = post(closed, "/block", url=scheme)
    assert failed.status == 502 and failed.json["code"] in ("invalid", "address_refused", "mapping"), failed


@pytest.mark.parametrize("by", WAYS)
def test_what_is_allowed_is_reached_but_not_the_server_itself(opened, listener, by):
    post(opened, "/try", by=by, host="127.0.0.1", port=listener.port)
    wait_until(lambda: listener.seen > 0, 5, "the connection")
    for url in (opened.listen, opened.console):
        told = post(opened, "/try", by=by, host="127.0.0.1", port=int(url.rsplit(":", 1)[1])).json
        assert told["code"] == "address_refused" and "this server itself" in told["message"], told


def test_redirects_are_looked_at_as_well(opened, sender):
    assert post(opened, "/block", url="http://a.example/").json["host"] == "a.example"
    for target in ("http://127.0.0.2/", "http://169.254.169.254/latest/meta-data", opened.console + "/readyz", opened.listen + "/try", "file:///etc/passwd", "http://[::1]/"):
        failed = post(opened, "/block", url=f"http://a.example/?to={target}")
        assert failed.status == 502 and failed.json["code"] in ("address_refused", "invalid", "protocol"), (target, failed)


def test_credentials_stay_with_their_host(opened):
    same = post(opened, "/block", url="http://a.example/?to=http://a.example/x").json
    other = post(opened, "/block", url="http://a.example/?to=http://b.example/x").json
    assert same["authorization"] == "Bearer mine" and other["host"] == "b.example" and "authorization" not in other


def test_the_server_itself_wherever_it_listens(tmp_path):
    with Flowlet(tmp_path / "data", FOLDER, options=["--allow-address", "0.0.0.0/0", "--allow-address", "::/0", "--listen", "0.0.0.0:0"]) as server:
        port = int(server.listen.rsplit(":", 1)[1])
        addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} | {"127.0.0.1", "127.0.0.9", "0.0.0.0"}
        for host in sorted(addresses) + ["[::ffff:127.0.0.1]"]:
            told = post(server, "/try", by="http", host=host, port=port).json
            assert told["code"] == "address_refused" and "this server itself" in told["message"], (host, told)
