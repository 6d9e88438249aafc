"""One live server that holds every recipe, each under a host name of its own, and the peers that their settings name."""
import json

import pytest

from live import RECIPES, TOKEN, Api, Recipe  # first: it makes the peers known
from peers import smtp
from peers.certificates import Authority
from peers.dns import NameServer
from peers.flowlet import Flowlet
from peers.nginx import TlsFront


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
