"""Authoritative name servers: Knot, one process each, so that one can be stopped or differ."""
import os
import signal
import socket
import subprocess
from pathlib import Path

from .process import Process, connects, free_port, wait_until

ZONE = "customer.example"
SERIAL = 2026010101
RECORDS = """$ORIGIN customer.example.
$TTL 60
@     SOA ns1.customer.example. hostmaster.customer.example. ( {serial} 3600 600 86400 60 )
      NS  ns1.customer.example.
      NS  ns2.customer.example.
      A   127.0.0.1
      AAAA ::1
      MX  10 mail.customer.example.
      TXT "v=spf1 include:mailgun.org ~all"
      CAA 0 issue "letsencrypt.org"
ns1   A   127.0.0.1
ns2   A   127.0.0.2
mail  A   127.0.0.1
api   A   127.0.0.1
www   CNAME customer.example.
shop  CNAME customer.example.
_sip._tcp SRV 10 5 5060 mail.customer.example.
1.0.0.127.in-addr PTR www.customer.example.
{long}
"""
LONG = "\n".join(f'long  TXT "record-{i:02} {"x" * 60}"' for i in range(40))  # over UDP truncated, over TCP whole


class NameServer:
    """Answers for customer.example at address:port, UDP and TCP; `long` is too much for a UDP answer."""

    def __init__(self, folder: Path, name="ns1", address="127.0.0.1"):
        self.folder, self.address = folder / name, address
        self.folder.mkdir()
        self.port = free_port(address)
        self.zone_file = self.folder / "zone"
        self._write_zone(SERIAL)
        self.config = self.folder / "knot.conf"
        user = "user: root:root" if os.geteuid() == 0 else ""
        self.config.write_text(f"""server:
    rundir: {self.folder}
    listen: {address}@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    {user}
database:
    storage: {self.folder}/db
log:
  - target: stderr
    any: info
zone:
  - domain: {ZONE}
    file: {self.zone_file}
    zonefile-sync: -1
    journal-content: none
""")

    @property
    def server(self):
        return f"{self.address}:{self.port}"

    def __enter__(self):
        self.process = Process(["/usr/sbin/knotd", "-c", self.config], self.folder / "knot.log")
        self.process.wait_ready(lambda: connects(self.port, self.address) and self.serial(), 10, "knotd")
        return self

    def __exit__(self, *_):
        self.process.stop()

    def stop(self):
        """Nobody answers there any more."""
        self.process.kill()

    def set_serial(self, serial):
        """Changes this server's zone alone, as if the other had missed the transfer."""
        self._write_zone(serial)
        self.process.child.send_signal(signal.SIGHUP)
        wait_until(lambda: self.serial() == serial, 10, f"serial {serial}")

    def serial(self):
        return self.query("SOA", field=2)

    def query(self, kind, name=ZONE, field=None):
        """The answer's lines as kdig prints them, or one number out of the first."""
        out = subprocess.run(["kdig", f"@{self.address}", "-p", str(self.port), "+short", "+time=1", "+retry=0", name, kind],
                             capture_output=True, text=True).stdout.split("\n")
        lines = [line for line in out if line and not line.startswith(";")]
        if field is None:
            return lines
        return int(lines[0].split()[field]) if lines else None

    def _write_zone(self, serial):
        self.zone_file.write_text(RECORDS.format(serial=serial, long=LONG))


class SilentNameServer:
    """Takes questions, never answers."""

    address = "127.0.0.1"

    def __enter__(self):
        self.port = free_port()
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind((self.address, self.port))
        self._tcp = socket.create_server((self.address, self.port))
        return self

    def __exit__(self, *_):
        self._udp.close()
        self._tcp.close()

    @property
    def server(self):
        return f"{self.address}:{self.port}"
