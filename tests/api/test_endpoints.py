"""The public listener: who may call, methods, other origins, host names, limits, what is answered."""
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from peers.flowlet import Flowlet, request

GUARDED = [
    ("github", {"type": "github-hmac", "secret": "key"}),
    ("header-token", {"type": "shared-token", "secret": "token", "header": "X-Gitlab-Token"}),
    ("query-token", {"type": "shared-token", "secret": "token", "query": "key"}),
]


def endpoint(method, path, answer=None, **start):
    """A flow that answers with these inputs of its End."""
    return {"name": path, "type": "endpoint", "start": {"method": method, "path": path, **start}, "blocks": [{"id": "end", "type": "end"}],
            "connections": [{"from": "start.out", "to": "end", "map": answer or {"body": {"value": {"path": path}}}}]}


def workspace(folder: Path, name, flows, **more):
    """Writes a folder; flows: id -> document."""
    (folder / "flows").mkdir(parents=True)
    (folder / "workspace.json").write_text(json.dumps({"name": name, **more}))
    for id, flow in flows.items():
        (folder / "flows" / f"{id}.json").write_text(json.dumps(flow))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flows = {name: endpoint("POST", f"/{name}", access=[rule]) for name, rule in GUARDED}
    secrets = {"key": {"type": "signing-key", "practice": "s3cret-key"}, "token": {"type": "password", "practice": "t0ken"}}
    folder = workspace(tmp_path_factory.mktemp("workspaces") / "shop", "shop", flows, secrets=secrets)
    with Flowlet(tmp_path_factory.mktemp("server") / "data", folder, practice=True) as server:
        yield server


# Who may call

def test_github_signs_the_raw_body(server):
    body = b'{"zen": "Speak like a human."}'
    signature = "sha256=" + hmac.new(b"s3cret-key", body, hashlib.sha256).hexdigest()
    assert server.post("/github", body, headers={"X-Hub-Signature-256": signature}).status == 200
    assert server.post("/github", body + b" ", headers={"X-Hub-Signature-256": signature}).status == 403
    assert server.post("/github", body, headers={"X-Hub-Signature-256": signature[7:]}).status == 400
    assert "missing" in server.post("/github", body).json["detail"]


def test_a_shared_token_stands_in_a_header_or_the_query(server):
    assert server.post("/header-token", b"", headers={"X-Gitlab-Token": "t0ken"}).status == 200
    assert server.post("/header-token", b"", headers={"X-Gitlab-Token": "t0ke"}).status == 403
    assert server.post("/header-token?key=t0ken", b"").status == 403
    assert server.post("/query-token?key=t%30ken", b"").status == 200
    assert server.post("/query-token?key=wrong", b"").status == 403
