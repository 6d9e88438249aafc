"""TLS of both listeners."""
import http.client
import os
import shutil
import signal
import ssl
import subprocess

import pytest

from peers.certificates import Authority
from peers.flowlet import BINARY, Flowlet
from peers.process import wait_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def put(certificate, folder, name):
    """The certificate as NAME.pem and NAME.key, in the place of what was there."""
    for source, ending in (certificate.chain, "pem"), (certificate.key, "key"):
        shutil.copy(source, folder / f"{name}.{ending}")
    return [f"--{name}-cert", folder / f"{name}.pem", f"--{name}-key", folder / f"{name}.key"]


class Caller:
    """A kept-alive connection over TLS, verified."""

    def __init__(self, url, authority, **options):
        context = ssl.create_default_context(cafile=authority.file)
        for name, value in options.items():
            setattr(context, name, value)
        self.connection = http.client.HTTPSConnection(url.split("//")[1].replace("127.0.0.1", "localhost"), context=context, timeout=10)

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def serial(self):
        if not self.connection.sock:
            self.connection.connect()
        return self.connection.sock.getpeercert()["serialNumber"]


def test_both_listeners_and_a_new_certificate_without_a_restart(folder, authority, tmp_path):
    options = put(authority.issue("localhost"), tmp_path, "listen") + put(authority.issue("localhost"), tmp_path, "console")
    with Flowlet(tmp_path / "data", folder, practice=True, options=options) as server:
        assert server.listen.startswith("https://") and server.console.startswith("https://")
        kept = Caller(server.listen, authority)
        assert kept.get("/hello?name=Ann")[0] == 200 and Caller(server.console, authority).get("/healthz")[0] == 200
        before = kept.serial()
        put(authority.issue("localhost"), tmp_path, "listen")
        os.kill(server.process.pid, signal.SIGHUP)
        wait_until(lambda: Caller(server.listen, authority).serial() != before, 5, "the new certificate")
        socket = kept.connection.sock
        assert kept.get("/hello?name=Ann")[0] == 200 and kept.connection.sock is socket, "the connection from before goes on"
        (tmp_path / "listen.pem").write_text("no certificate")
        now = Caller(server.listen, authority).serial()
        os.kill(server.process.pid, signal.SIGHUP)
        wait_until(lambda: "certificate_kept" in server.log.read_text(), 5, "the error in the log")
        assert "listen.pem holds no certificate" in server.log.read_text()
        assert Caller(server.listen, authority).serial() == now
        with pytest.raises(ssl.SSLError):
            Caller(server.listen, authority, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1).get("/")


@pytest.mark.parametrize("cert, key, words", [
    ("a.pem", None, "go together"),
    ("missing.pem", "a.key", "missing.pem"),
    ("a.key", "a.key", "a.key holds no certificate"),
    ("a.pem", "a.pem", "a.pem holds no private key"),
    ("a.pem", "b.key", "is not that of the first certificate"),
])
def test_files_that_will_not_do(authority, tmp_path, cert, key, words):
    put(authority.issue("localhost"), tmp_path, "a")
    put(authority.issue("localhost"), tmp_path, "b")
    argv = [BINARY, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--listen-cert", tmp_path / cert]
    said = subprocess.run(argv + (["--listen-key", tmp_path / key] if key else []), capture_output=True, text=True, timeout=20)
    assert said.returncode != 0 and words in said.stderr
