"""A server whose clock the tests set, so that minutes pass quickly, and whose flows are due every minute."""
import json
import struct
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
from peers.flowlet import Flowlet  # noqa: E402
from peers.process import wait_until  # noqa: E402

MINUTE = 60_000
WORKSPACE = "clockwork"
SCRIPT = """export async function tick({at, ms}: {at: string; ms: number}): Promise<{at: string}> {
    if (ms > 0)
        await sleep(ms);
    return {at};
}
"""


def ms_of(text):
    """"2026-03-29T00:58" (UTC) in ms since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)


class Clock:
    """The server's: the machine's plus what stands in a file."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(8))

    def set(self, at_ms):
        offset = at_ms - time.time_ns() // 1_000_000
        with open(self.path, "r+b") as file:
            file.write(struct.pack("<q", offset))

    def now(self):
        return time.time_ns() // 1_000_000 + struct.unpack("<q", self.path.read_bytes())[0]


class Clockwork:
    """A workspace of cron flows, each of one script that takes its time."""

    def __init__(self, folder, at):
        self.folder = folder / WORKSPACE
        (self.folder / "flows").mkdir(parents=True)
        (self.folder / "workspace.json").write_text(json.dumps({"name": WORKSPACE, "title": "Clockwork", "settings": {}, "secrets": {}}))
        (self.folder / "flows/tick.ts").write_text(SCRIPT)
        self.clock = Clock(folder / "clock")
        self.clock.set(ms_of(at))
        self.server = Flowlet(folder / "data", self.folder, prefix=["env", f"FLOWLET_TEST_CLOCK={self.clock.path}"])

    def flow(self, name, takes_ms=0, **start):
        start = {"line": "* * * * *", **start} if "every" not in start else start
        (self.folder / f"flows/{name}.json").write_text(json.dumps({
            "name": name, "type": "cron", "start": start,
            "blocks": [{"id": "tick", "type": "script", "script": "tick.ts"}],
            "connections": [{"from": "start.out", "to": "tick", "map": {"at": {"from": "scheduledAt"}, "ms": {"value": takes_ms}}}]}))

    def publish(self):
        self.server.command("push", self.folder)

    def get(self, path):
        return self.server.in_workspace(path, WORKSPACE)

    def instants(self, flow):
        """All that were accounted for, oldest first, in several pages."""
        found, before = [], ""
        while True:
            page = self.get(f"schedules/{flow}/instants?limit=100{before}")
            found += page["instants"]
            if "next" not in page:
                return found[::-1]
            before = f"&before={page['next']}"

    def outcomes(self, flow):
        return [(i["due_ms"], i["outcome"]) for i in self.instants(flow)]

    def runs(self, flow):
        """Oldest first, all pages."""
        found, before = [], ""
        while True:
            page = self.get(f"runs?flow={flow}&limit=1000{before}")
            found += page["runs"]
            if "next" not in page:
                return found[::-1]
            before = f"&before={page['next']}"

    def await_outcomes(self, flow, *expected, seconds=10):
        """expected: (minute as ms, outcome), ..."""
        def there():
            return self.outcomes(flow) == list(expected)
        try:
            wait_until(there, seconds, flow)
        except AssertionError:
            assert self.outcomes(flow) == list(expected)

    def await_end(self, flow):
        """Of all its runs: one that a restart resumes would make the policies skip."""
        wait_until(lambda: all(r.get("ended_ms") for r in self.runs(flow)), 10, f"the end of the runs of {flow}")

    def pass_minute(self, at_ms):
        """The clock comes to a full minute, a moment from now."""
        self.clock.set(at_ms - 100)
        time.sleep(0.1)
