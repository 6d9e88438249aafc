"""The emergency response workspace, live, against all the peers."""
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

from . import deliveries, smtp
from .certificates import Authority
from .flowlet import ROOT, WORKSPACE, Flowlet
from .internet import Internet
from .nginx import EXPECTED_TEXT
from .pagerduty import Prism

BUTTON_PASSWORD = "correct horse battery"
NODEPING_SECRET = "nodeping-secret"
SECRETS = {
    "emergency_password": BUTTON_PASSWORD,
    "pagerduty_token": "pagerduty-api-key-of-the-tests",
    "pagerduty_signing_key": deliveries.SECRET,
    "smtp_server": f"smtps://{smtp.USER.replace('@', '%40')}:{smtp.PASSWORD}@smtp.mailgun.org",
    "nodeping_secret": NODEPING_SECRET,
}
SETTINGS = {
    "site_name": "Customer's shop",
    "pagerduty_service_id": "PSERV01",
    "pagerduty_from": "ops@example.com",
    "mail_from": "alarm@mg.example.com",
    "mail_to": ["team@example.com"],
}


def scanned(site=None, name_servers=()):
    """Settings that make the scan look at these peers."""
    settings = {}
    if site:
        settings |= {"endpoints": [{"url": "https://www.customer.example/", "text": EXPECTED_TEXT}],
                     "load_url": "https://www.customer.example/load.txt", "memory_url": "https://www.customer.example/memory.txt"}
    if name_servers:
        settings |= {"domain": "customer.example", "name_servers": [s.server for s in name_servers]}
    return settings


def live(folder: Path, internet: Internet, settings=None, secrets=None, options=()) -> Flowlet:
    """A started server on which the workspace is live: the documented way, practice mode first. options: of `serve`."""
    workspace = folder / "workspace"
    shutil.copytree(ROOT / "workspaces" / WORKSPACE, workspace)
    (workspace / "settings.json").write_text(json.dumps({**SETTINGS, **(settings or {})}))
    server = Flowlet(folder / "data", workspace, practice=True, options=[*internet.options, *options]).start()
    for name, value in {**SECRETS, **(secrets or {})}.items():
        server.command("secret", "set", name, text=value)
    server.command("live")
    server.practice = False
    return server


class Stage:
    """For programs without pytest: the authority, Prism and the services in one."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self) -> Internet:
        with ExitStack() as stack:
            prism = stack.enter_context(Prism(self.folder))
            internet = stack.enter_context(Internet(self.folder, Authority(self.folder), prism))
            self._stack = stack.pop_all()
        return internet

    def __exit__(self, *_):
        self._stack.close()
