"""Server-sent events, read as a browser would."""
import http.client
import json
import urllib.parse
from typing import NamedTuple


class Event(NamedTuple):
    id: str
    name: str
    data: dict


class Events:
    """GET of a stream: `with Events(server, "/workspaces/W/events") as events: events.until("run-ended")`."""

    def __init__(self, server, path, last=None, timeout=20):
        parts = urllib.parse.urlsplit(server.console)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {server.token}", **({"Last-Event-ID": last} if last else {})}
        self.connection.request("GET", f"/api/v1{path}", headers=headers)
        self.answer = self.connection.getresponse()
        self.comments = []

    def __enter__(self):
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        return self

    def __exit__(self, *_):
        self.answer.close()
        self.connection.close()

    def __iter__(self):
        fields = {}
        while line := self.answer.readline():
            key, colon, value = line.decode().rstrip("\n").partition(": ")
            if line == b"\n":
                if "data" in fields:
                    yield Event(fields.get("id"), fields["event"], json.loads(fields["data"]))
                fields = {}
            elif key == "":
                self.comments.append(value)
            else:
                assert colon and key in ("id", "event", "data", "retry"), line
                fields[key] = value

    def until(self, *names):
        """Everything up to the first event of one of these names, that one too."""
        seen = []
        for event in self:
            seen.append(event)
            if event.name in names:
                return seen
        raise AssertionError(f"the stream ended before {names}: {seen[-3:]}")
