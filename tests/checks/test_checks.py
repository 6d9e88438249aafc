"""Broken flows and what is found in each: a folder of flows a subject, and beside it, in SUBJECT.expected, every line that
`flowlet check` is to print. A new sentence is read before it is written there."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
from peers.flowlet import BINARY, Flowlet  # noqa: E402

SUBJECTS = sorted(path.stem for path in HERE.glob("*.expected"))
SOUND = {"callers/notify", "callers/an-endpoint", "callers/recursion-that-may-end", "starts/route-first", "starts/route-same"}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_found_in_broken_flows(subject):
    done = subprocess.run([BINARY, "check", HERE / subject], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines() == (HERE / f"{subject}.expected").read_text().splitlines()


def test_each_flow_is_found_and_there_are_enough():
    flows = {f"{subject}/{path.stem}" for subject in SUBJECTS for path in (HERE / subject / "flows").glob("*.json")}
    found = {f"{subject}/{line[len('flows/'):].split('.')[0]}" for subject in SUBJECTS
             for line in (HERE / f"{subject}.expected").read_text().splitlines()}
    assert flows - found == SOUND
    assert len(found) >= 100


def test_a_change_of_inputs_lists_every_caller_that_breaks_before_it_is_saved(tmp_path):
    folder = tmp_path / "shop"
    flows = folder / "flows"
    flows.mkdir(parents=True)
    (folder / "workspace.json").write_text('{"name": "shop"}')

    def notify(inputs):
        return {"name": "Notify", "type": "reusable", "start": {"inputs": inputs}, "blocks": [], "connections": []}

    def caller(mapping):
        return {"name": "Caller", "type": "reusable", "blocks": [{"id": "tell", "type": "call", "flow": "notify"}],
                "connections": [{"from": "start.out", "to": "tell", "map": mapping}]}

    before = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}, "times": {"type": "string"}}}
    after = {"type": "object", "required": ["text", "to"], "properties": {"text": {"type": "string"}, "to": {"type": "string"},
                                                                         "times": {"type": "integer"}}}
    (flows / "notify.json").write_text(json.dumps(notify(before)))
    (flows / "a.json").write_text(json.dumps(caller({"text": {"value": "x"}})))
    (flows / "b.json").write_text(json.dumps(caller({"text": {"value": "x"}, "times": {"code": "'1' + 1"}})))
    with Flowlet(tmp_path / "data", folder) as server:
        stored = server.api("GET", "/workspaces/shop/files").json
        changed = {"files": {**stored["files"], "flows/notify.json": json.dumps(notify(after))}}
        checked = server.api("POST", "/workspaces/shop/check", changed).json
        told = [(one["file"], one["code"]) for one in checked["findings"]]
        assert not checked["ok"]
        assert told == [("flows/a.json", "missing_input"), ("flows/b.json", "missing_input"), ("flows/b.json", "type")]
        assert server.api("GET", "/workspaces/shop/files").json == stored
        again = server.api("POST", "/workspaces/shop/check", changed).json
        assert again == checked  # kept by content
