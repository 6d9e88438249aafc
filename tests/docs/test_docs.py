"""What the documentation says is so: generated pages are current, links lead somewhere, commands and examples work."""
import json
import os
import re
import subprocess

import pytest

from peers.flowlet import BINARY, ROOT, Flowlet, request

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page: page.read_text() for page in PAGES}
ids = [page.name for page in PAGES]


def help_of(*command):
    return subprocess.run([BINARY, *command, "--help"], capture_output=True, text=True, check=True).stdout


COMMANDS = re.findall(r"^  (\w+) ", help_of(), re.M)


@pytest.mark.parametrize("page, command", [("blocks.md", [ROOT / "build/release/tests/tools/write_blocks"]), ("library.md", ["node", "tools/library_docs.mjs"])])
def test_generated_pages_are_current(page, command):
    subprocess.run(["make", "-s", "build/release/tests/tools/write_blocks"], cwd=ROOT, check=True, capture_output=True)
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / page).read_text() == made, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", TEXT[page]):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_their_options_are_there(page):
    """In code: `flowlet push shop`, and lines that begin so."""
    code = re.findall(r"`([^`\n]+)`", TEXT[page]) + re.findall(r"^ {4}(?:\$ )?(.*)$", TEXT[page], re.M)
    for line in code:
        used = re.match(r"(?:sudo )?(?:build/)?flowlet (\w+)(.*)", line)
        if not used or used.group(1) in ("COMMAND", "worker", "help"):
            continue
        assert used.group(1) in COMMANDS, line
        options = help_of(used.group(1))
        for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", used.group(2)):
            assert option == "--help" or f"{option} " in options or f"{option}\n" in options, f"{line}: {option}"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_json_is_json(page):
    for text in re.findall(r"^```json\n(.*?)^```", TEXT[page], re.M | re.S):
        json.loads(text)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """As ./run starts it."""
    with Flowlet(tmp_path_factory.mktemp("server") / "data", ROOT / "workspaces/emergency-response", practice=True) as flowlet:
        yield flowlet


def test_the_first_flow_is_made_checked_pushed_and_called(server, tmp_path):
    text = (ROOT / "docs/first-flow.md").read_text()
    files = re.findall(r"^`(shop/\S+)`[^`]*(?:`[^`\n]+`[^`]*)*?\n\n```\w+\n(.*?)^```", text, re.M | re.S)
    assert [path for path, _ in files] == ["shop/workspace.json", "shop/flows/greet.ts", "shop/flows/hello.json", "shop/examples/hello.ada.json"]
    for path, content in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    (tmp_path / "build").symlink_to(ROOT / "build")
    environment = {**os.environ, "FLOWLET_SERVER": server.console, "FLOWLET_TOKEN": server.token}
    port = server.listen.rsplit(":", 1)[1]
    said = []
    for line in re.findall(r"^    ((?:build/flowlet|curl) [^#\n]*)", text, re.M):
        if "logs -f" in line or "init" in line:
            continue
        line = line.replace(":8080", f":{port}").replace("curl", "curl -s")
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    assert json.loads(next(s for s in said if "greeting" in s)) == {"greeting": "Hello, Ada", "letters": 3}
    assert any('"status":400' in s for s in said)


def test_the_metrics_are_those_that_the_list_has(server):
    there = set(re.findall(r"^# TYPE (\w+)", request("GET", server.console + "/metrics").text, re.M))
    section = (ROOT / "docs/operating.md").read_text().split("## What to monitor")[1]
    named = set(re.findall(r"`((?:flowlet|process)_\w+)", section))
    assert named == there and len(there) > 10


def test_the_options_of_operating_are_there():
    text = (ROOT / "docs/operating.md").read_text()
    options = help_of("serve")
    for name in re.findall(r"`FLOWLET_([A-Z_]+)(?:=[^`]*)?`", text):
        assert f"--{name.lower().replace('_', '-')} " in options, name


def test_every_command_is_in_the_manual_page():
    page = subprocess.run([ROOT / "tools/man", BINARY, "1"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^\.SS (\w+)", page, re.M) == COMMANDS
    for command in COMMANDS:
        assert f"flowlet {command}" in help_of(command).split("\nexample:\n")[1], command
