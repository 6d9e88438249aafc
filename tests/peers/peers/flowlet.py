"""The binary under test: started, asked, stopped, killed."""
import http.client
import json
import os
import re
import socket
import subprocess
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from .process import Process, wait_until

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("FLOWLET", ROOT / "build/flowlet"))
SANITIZED = "asan" in str(BINARY)
WORKSPACE = "emergency-response"


class Response(NamedTuple):
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


def request(method, url, body=None, headers=None, timeout=20) -> Response:
    """One exchange on a connection of its own; a dict as body goes as a form."""
    parts = urllib.parse.urlsplit(url)
    headers = dict(headers or {})
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body).encode()
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, (parts.path or "/") + ("?" + parts.query if parts.query else ""), body, headers)
        got = connection.getresponse()
        return Response(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        connection.close()


class Flowlet:
    """`flowlet serve` on free ports of loopback. start() returns when it says it is ready, stop() ends it politely,
    kill() as a power cut would; start() again goes on with the same data, on the same ports."""

    def __init__(self, data: Path, workspace: Path = None, practice=False, options=(), prefix=()):
        self.data, self.workspace, self.practice, self.options = data, workspace, practice, list(options)
        self.prefix = list(prefix)  # a program that executes it
        self.listen = self.console = None
        self.log = data.parent / f"{data.name}.log"

    def __enter__(self):
        return self.start()

    def __exit__(self, failure, *_):
        code = self.stop()
        assert failure or code in (0, -9), f"flowlet serve ended with {code}:\n{self.process.tail()}"

    def start(self, seconds=20):
        self.launch()
        found = self.process.wait_ready(lambda: _ready(self.log, self._log_start), seconds, "flowlet serve")
        self.listen, self.console = found.groups()
        self.token = (self.data / "token").read_text().strip()
        return self

    def launch(self):
        """The first half of start(): the process runs, nobody has waited for it."""
        argv = [*self.prefix, BINARY, "serve", "--data", self.data, "--listen", _address(self.listen), "--console", _address(self.console)]
        argv += ["--workspace", self.workspace] if self.workspace else []
        argv += ["--practice"] if self.practice else []
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = Process(argv + self.options, self.log)

    def stop(self):
        code = self.process.stop(seconds=15)
        return code

    def kill(self):
        self.process.kill()

    # The workspace's own pages

    def get(self, path, **more):
        return request("GET", self.listen + path, **more)

    def post(self, path, body=None, **more):
        return request("POST", self.listen + path, body, **more)

    def press(self, password="practice", timeout=20, **fields):
        """The emergency button's form."""
        return self.post("/API/emergency-button", {"password": password, **fields}, timeout=timeout)

    def deliver(self, path, delivery, timeout=20):
        return request(delivery.method, self.listen + path + delivery.query, delivery.body, delivery.headers, timeout)

    def send_raw(self, data, timeout=20):
        """Bytes as they are to the listener; the status of the answer, 0 where the connection just ends, and all that came."""
        host, port = self.listen.split("//")[1].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout) as connection:
            got = b""
            try:
                connection.sendall(data)
                while not _is_whole(got) and (piece := connection.recv(65536)):
                    got += piece
            except ConnectionError:
                pass
        return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0, got

    # The console's API and the command line

    def api(self, method, path, value=None) -> Response:
        body = None if value is None else json.dumps(value).encode()
        return request(method, f"{self.console}/api/v1{path}", body,
                       {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})

    def in_workspace(self, path, workspace=WORKSPACE):
        """A GET of the workspace's resource, as values: "outbox", "runs"."""
        answer = self.api("GET", f"/workspaces/{workspace}/{path}")
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def record(self, run, workspace=WORKSPACE):
        """What is kept of a run once it is over."""
        def ended():
            answer = self.api("GET", f"/workspaces/{workspace}/runs/{run}")
            return answer.status == 200 and answer.json.get("ended_ms") and answer.json
        return wait_until(ended, 10, f"the record of run {run}")

    def workers(self):
        """Process ids of those that run flows."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(pid): _read(f"/proc/{pid}/cmdline") for pid in children}
        return [pid for pid, line in lines.items() if line and b"--toolbox" not in line]

    def names_in_runs(self, pattern, workspace=WORKSPACE):
        """What matches the pattern in the records of all runs that are listed, page by page."""
        names, before = set(), ""
        while True:
            page = self.in_workspace(f"runs?limit=200&detail=true{before}", workspace)
            names |= set(pattern.findall(json.dumps(page)))
            if "next" not in page:
                return names
            before = f"&before={page['next']}"

    def command(self, *argv, text="", check=True):
        """Runs `flowlet ARGV...` as a user of this server would."""
        environment = {**os.environ, "FLOWLET_SERVER": self.console or "", "FLOWLET_TOKEN": getattr(self, "token", "")}
        done = subprocess.run([BINARY, *map(str, argv)], input=text, capture_output=True, text=True, timeout=60, env=environment)
        assert not check or done.returncode == 0, f"flowlet {' '.join(map(str, argv))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done


def _address(url):
    return url.split("//", 1)[1] if url else "127.0.0.1:0"


def _read(file):
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""  # it has ended


def _is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"^Content-Length: (\d+)", head, re.M)
    return end and length and len(body) >= int(length.group(1))


def _ready(log, offset):
    if not log.exists():
        return None
    with open(log, "rb") as file:
        file.seek(offset)
        return re.search(r"^ready listen=(\S+) console=(\S+)", file.read().decode(errors="replace"), re.M)
