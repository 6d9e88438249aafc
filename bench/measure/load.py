"""Requests as fast as the other side answers them, and what became of them."""
import json
import subprocess
import sys
import time

from .processes import cpu_seconds
from .servers import LOAD_CORE, ROOT, on_core

QUIET_SECONDS = 0.3
SETTLE_SECONDS = 20


class Wrk:
    """The same request over and over; with a body it is a POST of JSON."""

    def __init__(self, server, folder, path, body, connections):
        self.server, self.connections = server, connections
        self.command = ["-s", ROOT / "bench/wrk.lua", server.url + path]
        if body is not None:
            (folder / "body.json").write_bytes(body)
            self.command += ["--", folder / "body.json"]

    def run(self, seconds):
        """requests, seconds, p50_ms, p99_ms; ends the bench if any request failed."""
        with on_core(LOAD_CORE):
            done = subprocess.run(["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", *self.command], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"bench: wrk: {done.stderr or done.stdout}")
        seen = json.loads(done.stdout.splitlines()[-1])
        if seen["errors"] or not seen["requests"]:
            sys.exit(f"bench: {self.server.name}: {seen['errors']} of {seen['requests']} requests failed")
        return seen


def settle(pid):
    """Waits until the server has done what it put off, such as writing records."""
    end = time.monotonic() + SETTLE_SECONDS
    before = cpu_seconds(pid)
    while time.monotonic() < end:
        time.sleep(QUIET_SECONDS)
        now = cpu_seconds(pid)
        if now - before <= 0.01:
            return
        before = now
