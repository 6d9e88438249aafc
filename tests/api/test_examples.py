"""`flowlet test`: saved examples replayed and compared."""
import json
import shutil
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from peers.flowlet import BINARY, Flowlet

TRIAL = Path(__file__).resolve().parents[1] / "workspaces/trial"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(TRIAL, tmp_path / "trial"))


def flowlet_test(folder, *argv, env=None):
    return subprocess.run([BINARY, "test", folder, "--data", folder.parent / "none", *argv], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "TMPDIR": str(folder.parent), **(env or {})})


def test_all_examples_pass_on_a_server_of_its_own_that_leaves_nothing(folder):
    done = flowlet_test(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed, 0 failed" in done.stdout and "ok      order.in-the-north" in done.stdout
    assert [p.name for p in folder.parent.iterdir()] == ["trial"], "nothing is left in the temporary folder"


def test_what_differs_is_shown_and_fails(folder, tmp_path):
    script = folder / "flows/count.ts"
    script.write_text(script.read_text().replace("+ 1;", "+ 2;"))
    done = flowlet_test(folder, "--junit", tmp_path / "results.xml")
    assert done.returncode == 1
    assert "FAILED  order.in-the-north" in done.stdout and "1 passed" not in done.stdout and "2 passed, 1 failed" in done.stdout
    for line in ("    /answer/body/orders", "      expected 4", "      got      5", "    /effects/0/content/body/orders",
                 "      - Page 7, the order is number 4", "      + Page 7, the order is number 5"):
        assert line in done.stdout.splitlines(), done.stdout
    suite = xml.parse(tmp_path / "results.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    failed = suite.find("testcase[@name='in-the-north']/failure")
    assert failed is not None and "/answer/body/orders" in failed.text


def test_update_writes_what_came_and_keeps_the_rest_as_it_is(folder):
    before = {p.name: p.read_text() for p in (folder / "examples").iterdir()}
    assert flowlet_test(folder, "--update").returncode == 0
    assert {p.name: p.read_text() for p in (folder / "examples").iterdir()} == before
    script = folder / "flows/count.ts"
    script.write_text(script.read_text().replace("+ 1;", "+ 2;"))
    done = flowlet_test(folder, "--update", "--filter", "order.")
    assert done.returncode == 0 and "1 updated, 1 as they were" in done.stdout, done.stdout
    assert json.loads((folder / "examples/order.in-the-north.json").read_text())["expect"]["answer"]["body"]["orders"] == 5
    assert flowlet_test(folder).returncode == 0


def test_what_is_volatile_is_not_compared(folder):
    example = folder / "examples/order.in-the-north.json"
    value = json.loads(example.read_text())
    value["volatile"] = ["/answer/body/orders", "/effects/*/content"]
    example.write_text(json.dumps(value))
    script = folder / "flows/count.ts"
    script.write_text(script.read_text().replace("+ 1;", "+ 2;"))
    assert flowlet_test(folder, "--filter", "north").returncode == 0
    flowlet_test(folder, "--update", "--filter", "north")
    assert "orders" not in json.loads(example.read_text())["expect"]["answer"]["body"]


def test_filters_json_and_what_is_missing(folder):
    done = flowlet_test(folder, "--filter", "many", "--json")
    assert [(e["flow"], e["example"], e["ok"]) for e in json.loads(done.stdout)["examples"]] == [("many", "three-turns", True)]
    nothing = flowlet_test(folder, "--filter", "nothing")
    assert nothing.returncode == 1 and "no example" in nothing.stderr
    (folder / "examples/many.new.json").write_text('{"request": {"query": {"turns": "x"}}, "now": "today"}')
    done = flowlet_test(folder, "--filter", "many.new")
    assert done.returncode == 1 and "`now` is no time" in done.stdout
    (folder / "flows/twice.ts").write_text("export function twice(")
    done = flowlet_test(folder)
    assert done.returncode == 1 and "flows/twice.ts:1" in done.stderr, (done.returncode, done.stderr)


def test_on_a_running_server_the_folder_is_a_draft(folder, tmp_path):
    (tmp_path / "server").mkdir()
    with Flowlet(tmp_path / "server/data", TRIAL, practice=True) as server:
        server.command("push", folder)
        release = server.in_workspace("files", "trial")["release"]
        done = server.command("test", folder)
        assert "3 passed" in done.stdout and "starting one" not in done.stderr
        script = folder / "flows/count.ts"
        script.write_text(script.read_text().replace("+ 1;", "+ 2;"))
        assert server.command("test", folder, check=False).returncode == 1
        assert server.in_workspace("files", "trial")["release"] == release
        assert server.in_workspace("outbox", "trial")["outbox"] == []
        (folder / "flows/steps.json").unlink()
        script.write_text("export async function count({item}: {item: string}) {")
        broken = server.command("test", folder, check=False)
        assert broken.returncode == 1 and "count.ts" in broken.stdout + broken.stderr


def test_examples_are_pushed_pulled_and_made_canonical(folder, tmp_path):
    (folder / "examples/many.messy.json").write_text('{"volatile":[], "request":{"query":{"turns":1}}}')
    assert subprocess.run([BINARY, "fmt", folder], capture_output=True).returncode == 0
    assert (folder / "examples/many.messy.json").read_text() == '{\n  "request": {"query": {"turns": 1}},\n  "volatile": []\n}\n'
    (tmp_path / "server").mkdir()
    with Flowlet(tmp_path / "server/data", folder, practice=True) as server:
        server.command("pull", tmp_path / "pulled")
        files = lambda of: {str(p.relative_to(of)): p.read_text() for p in of.rglob("*") if p.is_file()}
        assert files(tmp_path / "pulled") == files(folder)
        (folder / "examples/many.messy.json").unlink()
        server.command("push", folder)
        server.command("pull", tmp_path / "pulled")
        assert files(tmp_path / "pulled") == files(folder)


@pytest.mark.parametrize("name, text, words", [
    ("nothing.json", "{}", "FLOW.NAME.json"),
    ("many.x.json", '{"expects": {}}', "expects"),
    ("many.x.json", '{"request": ', ":1:12: error"),
])
def test_broken_examples_are_findings(folder, name, text, words):
    (folder / "examples" / name).write_text(text)
    done = subprocess.run([BINARY, "check", folder], capture_output=True, text=True)
    assert done.returncode == 1 and words in done.stderr and f"examples/{name}" in done.stderr, done.stderr


def test_an_example_without_a_flow_is_in_nobodys_way(folder):
    (folder / "examples/nothing.x.json").write_text("{}")
    done = subprocess.run([BINARY, "check", folder], capture_output=True, text=True)
    assert done.returncode == 0 and "warning: there is no flow `nothing`" in done.stderr


WORKSPACES = Path(__file__).resolve().parents[2] / "workspaces"


@pytest.mark.parametrize("folder", sorted({p.parent.parent for p in WORKSPACES.rglob("examples/*.json")}), ids=lambda p: p.name)
def test_the_examples_of_each_workspace_pass(folder, tmp_path):
    done = subprocess.run([BINARY, "test", folder, "--data", tmp_path / "none"], capture_output=True, text=True, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_flow_of_the_emergency_workspace_has_an_example():
    folder = WORKSPACES / "emergency-response"
    flows = {p.stem for p in (folder / "flows").glob("*.json")}
    assert flows == {p.name.split(".")[0] for p in (folder / "examples").glob("*.json")}
