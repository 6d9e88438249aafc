"""nginx: as the TLS front of the services' stand-ins, and as the customer's site."""
import time
from pathlib import Path

from .certificates import CUSTOMER, SERVICES, Authority
from .http_peer import Answer, HttpPeer
from .process import Process, connects, free_port


class Nginx:
    """One process serving the given server blocks."""

    def __init__(self, folder: Path, name: str, servers: str, ports):
        self.folder = folder / name
        self.folder.mkdir()
        self.ports = ports
        self.config = self.folder / "nginx.conf"
        temporary = " ".join(f"{kind}_temp_path {self.folder}/{kind};"
                             for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config.write_text(f"""daemon off; master_process off; worker_processes 1;
pid {self.folder}/pid; error_log {self.folder}/error.log info;
events {{ worker_connections 256; }}
http {{ access_log {self.folder}/access.log; {temporary}
  types {{ text/html html; text/plain txt; }}
{servers}
}}
""")

    def __enter__(self):
        self.process = Process(["/usr/sbin/nginx", "-p", self.folder, "-c", self.config], self.folder / "out.log")
        self.process.wait_ready(lambda: all(map(connects, self.ports)), 10, "nginx")
        return self

    def __exit__(self, *_):
        self.process.stop()

    @property
    def access_log(self):
        return (self.folder / "access.log").read_text().splitlines()


class TlsFront(Nginx):
    """Speaks TLS (HTTP/1.1 and 2) for many names on one port and hands each to its stand-in; a stand-in that closes
    its connection without an answer makes this close the caller's in the same way."""

    def __init__(self, folder: Path, authority: Authority, upstreams: dict, name="front"):
        self.port = free_port()
        certificate = authority.issue(*SERVICES)
        servers = "".join(f"""
  server {{ listen 127.0.0.1:{self.port} ssl http2; server_name {host};
    ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
    error_page 502 @closed; location @closed {{ return 444; }}
    location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $host; proxy_next_upstream off;
                  proxy_pass_header Date; proxy_read_timeout 120s; }} }}""" for host, port in upstreams.items())
        super().__init__(folder, name, servers, [self.port])
        self.names = list(upstreams)

    def resolve_options(self):
        """What makes the server under test reach these names here."""
        return [option for host in self.names for option in ("--resolve", f"{host}:443=127.0.0.1:{self.port}")]


EXPECTED_TEXT = "Welcome to the customer's shop"


class _SlowPage(HttpPeer):
    seconds = 4.0

    def act(self, call):
        time.sleep(self.seconds)
        return Answer(200, {"Content-Type": "text/html"}, b"<p>at last</p>")


class Site(Nginx):
    """The customer's site by https: www.customer.example with / (healthy, has EXPECTED_TEXT), /slow (first byte after
    `slow_seconds`), /broken (503), /load.txt and /memory.txt; the same behind a certificate for another name
    (wrong_name_port), an expired one (expired_port) and one of nobody we trust (untrusted_port); nobody listens at
    closed_port."""

    def __init__(self, folder: Path, authority: Authority, slow_seconds=4.0):
        self.root = folder / "site-root"
        self.root.mkdir()
        self.write("index.html", f"<!doctype html><title>Shop</title><h1>{EXPECTED_TEXT}</h1>\n")
        self.write("load.txt", "0.42 0.35 0.31 2/345 6789\n")
        self.write("memory.txt", "Mem:            7950        2311        1022          94        4616        5250\n")
        self.slow = _SlowPage()
        self.slow.seconds = slow_seconds
        stranger = Authority(folder, "Somebody else")
        by_port = {}
        for attribute, certificate in (("port", authority.issue(*CUSTOMER)),
                                       ("wrong_name_port", authority.issue("www.elsewhere.example")),
                                       ("expired_port", authority.issue(*CUSTOMER, days=-1)),
                                       ("untrusted_port", stranger.issue(*CUSTOMER))):
            setattr(self, attribute, free_port())
            by_port[getattr(self, attribute)] = certificate
        self.closed_port = free_port()
        servers = "".join(f"""
  server {{ listen 127.0.0.1:{port} ssl; server_name _; root {self.root};
    ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
    location = /broken {{ return 503 "down for maintenance\\n"; }}
    location = /slow {{ proxy_pass http://127.0.0.1:{self.slow.port}; }} }}"""
                          for port, certificate in by_port.items())
        super().__init__(folder, "site", servers, list(by_port))

    def write(self, name, text):
        (self.root / name).write_text(text)

    def __enter__(self):
        self.slow.__enter__()
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        self.slow.__exit__()

    def resolve_options(self):
        """The healthy site at the usual port, the others at their own."""
        ports = {443: self.port, **{p: p for p in (self.wrong_name_port, self.expired_port, self.untrusted_port, self.closed_port)}}
        return [option for host in CUSTOMER for port, real in ports.items()
                for option in ("--resolve", f"{host}:{port}=127.0.0.1:{real}")]
