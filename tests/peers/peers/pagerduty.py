"""PagerDuty's REST API: Prism validates each call against the OpenAPI excerpt, a mock in front remembers incidents."""
import collections
import http.client
import itertools
import json
from pathlib import Path

from .http_peer import Answer, Call, HttpPeer
from .process import Process, free_port

FOLDER = Path(__file__).resolve().parents[1]
RATE_LIMITED = Answer.of_json(429, {"error": {"message": "Rate Limit Exceeded", "code": 2020}},
                              **{"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "1"})
INTERNAL_ERROR = Answer.of_json(500, {"error": {"message": "Internal Server Error", "code": 2000}})
UNAUTHORIZED = Answer.of_json(401, {"error": {"message": "Authentication failed", "code": 2006}})
ALREADY_OPEN = Answer.of_json(400, {"error": {"message": "Arguments Caused Error", "code": 2002, "errors": [
    "Open incident with matching dedup key already exists on this service"]}})


class Prism:
    """@stoplight/prism-cli answering from fixtures/pagerduty.openapi.json; what breaks the contract gets its 4xx."""

    def __init__(self, folder: Path, spec=FOLDER / "fixtures/pagerduty.openapi.json"):
        self.folder, self.spec = folder, spec

    def __enter__(self):
        self.port = free_port()
        binary = FOLDER / "node_modules/.bin/prism"
        assert binary.exists(), "Prism is not installed: tools/setup test"
        self.process = Process([binary, "mock", "-h", "127.0.0.1", "-p", self.port, "--errors", self.spec],
                               self.folder / "prism.log")
        self.process.wait_ready(lambda: "is listening" in self.process.tail(), 60, "Prism")
        return self

    def __exit__(self, *_):
        self.process.stop()

    def ask(self, call: Call):
        """Prism's answer to that call: an Answer, and the violations it names."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            query = "&".join(f"{k}={v}" for k, v in call.query.items())
            headers = {k: v for k, v in call.headers.items() if k not in ("host", "connection", "content-length", "accept-encoding")}
            connection.putrequest(call.method, call.path + ("?" + query if query else ""), skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if call.body:
                connection.putheader("Content-Length", str(len(call.body)))
            connection.endheaders(call.body or None)
            got = connection.getresponse()
            violations = json.loads(got.getheader("sl-violations") or "[]")
            return Answer(got.status, {"Content-Type": got.getheader("Content-Type") or "text/plain"}, got.read()), violations
        finally:
            connection.close()


class PagerDuty(HttpPeer):
    """An account with memory. calls_of[key] lists every POST of an incident_key, whatever became of it; incidents[key]
    is what was opened under it; violations is everything Prism objected to, to be empty at the end of a good test."""

    def __init__(self, prism: Prism):
        super().__init__()
        self.prism = prism
        self.calls_of = collections.defaultdict(list)
        self.incidents = {}
        self.violations = []
        self._numbers = itertools.count(1)

    def _fault(self, call):
        if call.method == "POST" and call.path == "/incidents":
            with self.lock:
                self.calls_of[_key(call)].append(call)
        return super()._fault(call)

    def act(self, call):
        answer, violations = self.prism.ask(call)
        if answer.status >= 400:
            with self.lock:
                self.violations += violations or [{"message": f"{call.method} {call.path}: {answer.status}"}]
            return answer
        return {"POST": self._create, "PUT": self._update, "GET": self._list}[call.method](call)

    def resolve(self, key):
        with self.lock:
            self.incidents[key]["status"] = "resolved"

    def _create(self, call):
        given = call.json["incident"]
        with self.lock:
            number = next(self._numbers)
            key = given.get("incident_key") or f"generated-{number}"
            known = self.incidents.get(key)
            if known and known["status"] != "resolved":
                return ALREADY_OPEN
            ident = f"PINC{number:04}"
            self.incidents[key] = {
                "id": ident, "type": "incident", "incident_number": number, "title": given["title"],
                "summary": f"[#{number}] {given['title']}", "status": "triggered", "incident_key": key,
                "urgency": given.get("urgency", "high"), "service": given["service"], "body": given.get("body"),
                "assignments": [], "self": f"https://api.pagerduty.com/incidents/{ident}",
                "html_url": f"https://example.pagerduty.com/incidents/{ident}"}
            return Answer.of_json(201, {"incident": self.incidents[key]})

    def _update(self, call):
        with self.lock:
            for incident in self.incidents.values():
                if incident["id"] == call.path.rsplit("/", 1)[1]:
                    incident["status"] = call.json["incident"].get("status", incident["status"])
                    return Answer.of_json(200, {"incident": incident})
        return Answer.of_json(404, {"error": {"message": "Not Found", "code": 2100}})

    def _list(self, call):
        with self.lock:
            found = [i for k, i in self.incidents.items() if call.query.get("incident_key", k) == k]
        return Answer.of_json(200, {"incidents": found, "limit": 25, "offset": 0, "more": False, "total": None})


def _key(call):
    try:
        return call.json["incident"].get("incident_key")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
