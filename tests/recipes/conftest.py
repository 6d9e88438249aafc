"""One live server that holds every recipe, each under a host name of its own, and the peers that their settings name."""
import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
from peers import smtp  # noqa: E402
from peers.certificates import Authority  # noqa: E402
from peers.dns import NameServer  # noqa: E402
from peers.flowlet import BINARY, ROOT, Flowlet, request  # noqa: E402, F401
from peers.http_peer import Answer, HttpPeer  # noqa: E402
from peers.nginx import TlsFront  # noqa: E402

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


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def mail_server(authority):
    with smtp.Smtp(authority) as peer:
        yield peer


@pytest.fixture
def mailbox(mail_server):
    mail_server.mails.clear()
    yield mail_server
    mail_server.fault_always(None)


@pytest.fixture(scope="session")
def api_server():
    with Api() as peer:
        yield peer


@pytest.fixture
def api(api_server):
    api_server.calls.clear()
    api_server.gives.clear()
    yield api_server
    api_server.fault_always(None)


@pytest.fixture(scope="session")
def name_server(tmp_path_factory):
    with NameServer(tmp_path_factory.mktemp("names")) as peer:
        yield peer


@pytest.fixture(scope="session")
def front(authority, api_server, tmp_path_factory):
    """api.github.com behind TLS, with a certificate of twenty days."""
    with TlsFront(tmp_path_factory.mktemp("front"), authority, {"api.github.com": api_server.port}) as peer:
        yield peer


@pytest.fixture(scope="session")
def server(tmp_path_factory, authority, mail_server, api_server, front):
    options = ["--allow-address", "127.0.0.0/8", "--ca-file", str(authority.file), "--workers", "1",
               "--resolve", f"site.test:80=127.0.0.1:{api_server.port}",
               *mail_server.resolve_options(), *front.resolve_options()]
    with Flowlet(tmp_path_factory.mktemp("server") / "data", options=options) as flowlet:
        yield flowlet


@pytest.fixture
def recipe(server, tmp_path):
    """recipe("form-to-mail", {settings}, {secrets}); mails go through the mail server of the tests."""
    def make(name, settings=None, secrets=None, parent=RECIPES):
        document = json.loads((parent / name / "workspace.json").read_text())
        settings, secrets = dict(settings or {}), dict(secrets or {})
        for key, spec in document["settings"].items():
            if spec.get("required") and "default" not in spec:
                settings.setdefault(key, spec["practice"])
        for key, spec in document["secrets"].items():
            usual = "smtps://postmaster%40mg.example.com:smtp-password@smtp.mailgun.org" if spec["type"] == "smtp" else TOKEN
            secrets.setdefault(key, usual)
        return Recipe(server, parent / name, tmp_path / name, settings, secrets)
    return make
