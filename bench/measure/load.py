"""Requests as fast as the other side answers them, and what became of them."""
import json
import subprocess
import sys
import time

from .processes import cpu_seconds
from .servers import LOAD_CORE, ROOT, on_core, request

PATH = "/hello?name=World"
QUIET_SECONDS = 0.3
SETTLE_SECONDS = 20


def check(server):
    """The answers are right, and made for each request."""
    for name, greeting in ("World", "Hello World"), ("Ada", "Hello Ada"):
        answer = request("GET", f"{server.url}/hello?name={name}")
        if answer.status != 200 or answer.json != {"message": greeting}:
            sys.exit(f"bench: {server.name} answered {answer.status} {answer.body[:300]!r} to /hello?name={name}")
    return 2


def wrk(server, seconds, connections):
    """requests, seconds, p50_ms, p99_ms; ends the bench if any request failed."""
    with on_core(LOAD_CORE):
        done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", ROOT / "bench/wrk.lua", server.url + PATH],
                              capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: wrk: {done.stderr or done.stdout}")
    seen = json.loads(done.stdout.splitlines()[-1])
    if seen["errors"]:
        sys.exit(f"bench: {server.name}: {seen['errors']} of {seen['requests']} requests failed")
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
