"""A recipe on a live server, and the service on its other side."""
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
from peers.flowlet import BINARY, ROOT, request  # noqa: E402, F401
from peers.http_peer import Answer, HttpPeer  # noqa: E402

RECIPES = ROOT / "workspaces/recipes"
TOKEN = "t0ken"  # every password and key, where a test gives no other


class Api(HttpPeer):
    """The service on the other side: `gives` has what a path answers, a value or a function (call) -> Answer; else {}."""

    def __init__(self):
        super().__init__()
        self.gives = {}

    def act(self, call):
        given = self.gives.get(call.path, {})
        return given(call) if callable(given) else given if isinstance(given, Answer) else Answer.of_json(200, given)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def to(self, path):
        return [call for call in self.calls if call.path == path]


class Recipe:
    """A recipe on the server, with the test's settings and secrets, its effects real."""

    def __init__(self, server, source, folder, settings, secrets):
        name = source.name
        self.server, self.name, self.host = server, name, f"{name}.localhost"
        shutil.copytree(source, folder, dirs_exist_ok=True)
        document = json.loads((folder / "workspace.json").read_text())
        (folder / "workspace.json").write_text(json.dumps({**document, "hosts": [self.host]}))
        (folder / "settings.json").write_text(json.dumps(settings))
        server.command("push", folder)
        for secret, value in secrets.items():
            assert server.api("PUT", f"/workspaces/{name}/secrets/{secret}", {"value": value}).status < 300
        answer = server.api("PUT", f"/workspaces/{name}/mode", {"mode": "live"})
        assert answer.status == 200, answer.text

    def ask(self, method, path, body=None, **headers):
        """A request to one of its endpoints; a list or dict goes as JSON, a `form` as one."""
        form = headers.pop("form", None)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is None and body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        return request(method, self.server.listen + path, form if form is not None else body, {"Host": self.host, **headers})

    def run(self, flow):
        """What its schedule would do now; the run's record."""
        answer = self.server.api("POST", f"/workspaces/{self.name}/flows/{flow}/runs?wait=true", {"input": {}})
        assert answer.status == 200, answer.text
        return answer.json

    def last_run(self, flow):
        runs = self.server.in_workspace(f"runs?flow={flow}&limit=1", self.name)["runs"]
        return self.server.record(runs[0]["id"], self.name)
