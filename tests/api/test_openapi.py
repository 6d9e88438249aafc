"""The OpenAPI document: valid by a public validator, and what the server does (contract.mjs)."""
import json
import subprocess
from pathlib import Path

import pytest

from peers.flowlet import Flowlet, request

CONTRACT = Path(__file__).with_name("contract.mjs")
TRIAL = Path(__file__).resolve().parents[1] / "workspaces/trial"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("server") / "data", TRIAL, practice=True) as server:
        yield server


def test_the_server_keeps_to_its_document(server):
    answer = server.api("POST", "/workspaces/trial/flows/order/runs?wait=true",
                        {"input": {"shop": "north", "query": {}, "requestBody": {"item": "book"}}})
    token = server.api("POST", "/tokens", {"name": "one to revoke", "permissions": ["runs:read"]}).json["id"]
    secrets = [s["name"] for s in server.in_workspace("secrets", "trial")["secrets"]]
    known = {"workspace": "trial", "flow": ["order", "many", "made"], "run": answer.json["run"], "token": str(token), "version": "1", "secret": secrets}
    done = subprocess.run(["node", CONTRACT, server.console, server.token, json.dumps(known)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-6000:]
    told = json.loads(done.stdout)
    answered = told["answered"]
    assert len(answered) == told["operations"]
    # Not all of it was refused: most operations were seen to do what they are for.
    useful = [name for name, statuses in answered.items() if any(status < 300 for status in statuses)]
    assert len(useful) > len(answered) * 0.7, sorted(set(answered) - set(useful))


def test_the_document_needs_no_token_and_names_all_permissions(server):
    document = request("GET", f"{server.console}/api/v1/openapi.json").json
    scheme = document["components"]["securitySchemes"]["token"]
    used = {role for path in document["paths"].values() for operation in path.values() for need in operation["security"] for role in need["token"]}
    assert used <= {permission["name"] for permission in scheme["x-permissions"]}
