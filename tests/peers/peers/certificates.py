"""A certificate authority of the tests' own, made anew each time by openssl."""
import subprocess
from pathlib import Path
from typing import NamedTuple

SERVICES = ("api.pagerduty.com", "api.eu.pagerduty.com", "events.pagerduty.com", "hooks.slack.com", "api.twilio.com",
            "api.telegram.org", "api.github.com", "smtp.mailgun.org")
CUSTOMER = ("www.customer.example", "shop.customer.example", "api.customer.example", "customer.example")


class Certificate(NamedTuple):
    chain: Path
    key: Path


class Authority:
    """authority.file is the CA file a client trusts; issue() gives a server its chain and key."""

    def __init__(self, folder: Path, name="Flowlet test authority"):
        self.folder = folder / f"ca-{name.replace(' ', '-')}"
        self.folder.mkdir(parents=True)
        self.file = self.folder / "ca.pem"
        self.key = self.folder / "ca.key"
        self._issued = 0
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.file,
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def issue(self, *names, days=20) -> Certificate:
        """A certificate for these names; with negative days it has expired."""
        self._issued += 1
        folder = self.folder / str(self._issued)
        folder.mkdir()
        request, extensions = folder / "request.pem", folder / "extensions"
        made = Certificate(folder / "chain.pem", folder / "key.pem")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={names[0]}", "-keyout", made.key, "-out", request)
        extensions.write_text("subjectAltName=" + ",".join("DNS:" + n for n in names) + "\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial",
                      "-days", str(days), "-extfile", extensions, "-out", made.chain)
        return made

    @staticmethod
    def _openssl(*argv):
        subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True)
