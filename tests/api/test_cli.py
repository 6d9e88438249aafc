"""The command line, as people and scripts use it."""
import email
import email.policy
import json
import os
import subprocess
import threading
import time

import pytest

from peers.flowlet import BINARY, Flowlet, request
from peers.process import free_port, wait_until

OK, FAILED, USAGE, UNREACHABLE, FAULT = range(5)

WORKSPACE = {
    "name": "alarm", "title": "Alarm",
    "settings": {"team": {"title": "Team", "schema": {"type": "string"}, "required": True}},
    "secrets": {
        "door": {"title": "Door", "type": "password", "required": True, "practice": "practice"},
        "login": {"title": "Login", "type": "basic"},
        "mail_server": {"title": "Mail server", "type": "smtp"},
    },
}
RING = {
    "name": "Ring", "type": "endpoint",
    "start": {"method": "POST", "path": "/ring", "access": [{"type": "bearer", "secret": "door"}],
              "body": {"type": "json", "schema": {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}}},
    "blocks": [{"id": "page", "type": "http", "counts_as": "page"}, {"id": "mail", "type": "script", "script": "mail.ts"},
               {"id": "end", "type": "end"}],
    "connections": [
        {"from": "start.out", "to": "page", "map": {"method": {"value": "POST"}, "url": {"value": "https://page.example/incidents"},
                                                    "to": {"value": "on call"}, "body": {"object": {"title": {"from": "requestBody.what"}}}}},
        {"from": "page.out", "to": "mail", "map": {"server": {"secret": "mail_server"}, "what": {"from": "requestBody.what"}}},
        {"from": "mail.out", "to": "end", "map": {"body": {"value": "rung"}}}],
}
NOTE = {
    "name": "Note", "type": "reusable",
    "start": {"inputs": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
              "outputs": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}},
    "blocks": [{"id": "end", "type": "end"}],
    "connections": [{"from": "start.out", "to": "end", "map": {"said": {"from": "text"}}}],
}
MAIL = """export async function notify({server, what}: {server: string; what: string}): Promise<{}> {
    await mail.send(server, 'Ops <ops@alarm.example>', 'team@alarm.example', `Störung: ${what}`, `Es brennt: ${what}\\n`, false);
    return {};
}
"""


@pytest.fixture(scope="module")
def alarm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alarm") / "alarm"
    (folder / "flows").mkdir(parents=True)
    (folder / "workspace.json").write_text(json.dumps(WORKSPACE))
    (folder / "flows/ring.json").write_text(json.dumps(RING))
    (folder / "flows/note.json").write_text(json.dumps(NOTE))
    (folder / "flows/mail.ts").write_text(MAIL)
    return folder


@pytest.fixture(scope="module")
def ringing(alarm, tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("ringing") / "data", alarm, practice=True) as server:
        yield server


def flowlet(*argv, text="", code=OK, **environment):
    done = subprocess.run([BINARY, *map(str, argv)], input=text, capture_output=True, text=True, timeout=60,
                          env={**{k: v for k, v in os.environ.items() if not k.startswith("FLOWLET_")}, **environment})
    assert done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def ring(server, what="Checkout", token="practice"):
    return request("POST", server.listen + "/ring", json.dumps({"what": what}).encode(),
                   {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})


def runs(server):
    return json.loads(server.command("runs", "--json").stdout)["runs"]


# Without a server

def test_help_is_everywhere_with_an_example():
    listed = flowlet("--help").stdout
    commands = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert {"serve", "init", "check", "fmt", "push", "pull", "run", "runs", "schedules", "logs", "outbox", "inbox", "enable", "disable", "secret", "token", "practice", "live", "backup", "restore", "export", "completion", "openapi", "test", "again"} == set(commands)
    for command in commands:
        text = flowlet(command, "--help").stdout
        assert "usage: flowlet " + command in text and "example:" in text and "flowlet " + command in text.split("example:")[1]
        assert flowlet("help", command).stdout == text


def test_wrong_command_lines_are_2():
    assert "comand" in flowlet("comand", code=USAGE).stderr
    assert "--jsn" in flowlet("runs", "--jsn", code=USAGE).stderr
    assert "missing" in flowlet("run", code=USAGE).stderr
    assert "many" in flowlet("init", "a", "b", code=USAGE).stderr
    flowlet(code=USAGE)
    assert "1 to 64" in flowlet("serve", "--workers", "0", code=USAGE).stderr


def test_what_init_writes_is_canonical_and_has_no_errors(tmp_path):
    flowlet("init", tmp_path / "shop")
    assert flowlet("fmt", "--check", tmp_path / "shop").stdout == ""
    flowlet("check", tmp_path / "shop")
    assert json.loads(flowlet("check", "--json", tmp_path / "shop").stdout) == {"ok": True, "findings": []}
    assert "workspace.json" in flowlet("init", tmp_path / "shop", code=FAILED).stderr


def test_check_says_where_like_a_compiler(tmp_path):
    flowlet("init", tmp_path / "shop")
    flow = tmp_path / "shop/flows/hello.json"
    flow.write_text(flow.read_text().replace('"to": "end"', '"to": "ned"'))
    found = flowlet("check", tmp_path / "shop", code=FAILED)
    assert "flows/hello.json:25:" in found.stderr and "error:" in found.stderr and "ned" in found.stderr
    flow.write_text(flow.read_text().replace('"to": "ned"', '"to": "end"'))
    script = tmp_path / "shop/flows/greet.ts"
    script.write_text(script.read_text() + "function (\n")
    assert "flows/greet.ts:6" in flowlet("check", tmp_path / "shop", code=FAILED).stderr
    flowlet("check", tmp_path / "nowhere", code=FAILED)


def test_fmt_makes_canonical_once(alarm, tmp_path):
    copy = tmp_path / "alarm"
    subprocess.run(["cp", "-r", alarm, copy], check=True)
    assert "flows/ring.json" in flowlet("fmt", "--check", copy, code=FAILED).stdout
    assert "flows/ring.json" in flowlet("fmt", copy).stdout
    assert flowlet("fmt", copy).stdout == "" and json.loads((copy / "flows/ring.json").read_text()) == RING


def test_no_server_is_3(tmp_path):
    token = tmp_path / "token"
    token.write_text("flw_something\n")
    nobody = f"http://127.0.0.1:{free_port()}"
    assert "flowlet serve" in flowlet("runs", "--server", nobody, "--token-file", token, code=UNREACHABLE).stderr
    assert "--data" in flowlet("runs", "--data", tmp_path / "none", code=UNREACHABLE).stderr


# With one

def test_a_wrong_token_is_3(ringing):
    assert "token" in flowlet("runs", code=UNREACHABLE, FLOWLET_SERVER=ringing.console, FLOWLET_TOKEN="flw_wrong").stderr


def test_the_data_folder_tells_where_the_server_is(ringing):
    assert json.loads(flowlet("runs", "--data", ringing.data, "--json").stdout)["runs"] == []


def test_a_ring_is_found_in_the_outbox(ringing):
    assert ring(ringing).status == 200
    entries = json.loads(ringing.command("outbox", "--json").stdout)["outbox"]
    assert [e["kind"] for e in entries] == ["page", "mail"]
    text = ringing.command("outbox").stdout
    assert "page to on call" in text and '"title": "Checkout"' in text
    assert "To: team@alarm.example" in text and "Subject: Störung: Checkout" in text and "Es brennt: Checkout" in text
    raw = ringing.command("outbox", "--raw", entries[1]["id"]).stdout
    mail = email.message_from_string(raw, policy=email.policy.default)
    assert mail["Subject"] == "Störung: Checkout" and mail["From"] == "Ops <ops@alarm.example>"
    assert ringing.command("outbox", "--raw", "99999", check=False).returncode == FAILED
    ringing.command("outbox", "--clear")
    assert "empty" in ringing.command("outbox").stderr


def test_a_run_is_shown_block_by_block(ringing):
    time.sleep(0.5)  # a run that is not durable is listed within 0.2 s
    before = len(runs(ringing))
    ring(ringing, "Search")
    run = wait_until(lambda: len(runs(ringing)) > before and runs(ringing)[0], 5, "the run's record")
    assert run["id"] in ringing.command("runs", "--flow", "ring", "--state", "done").stdout
    assert run["id"] in ringing.command("runs", "--text", "RING", "--since", "5m").stdout
    assert ringing.command("runs", "--text", "no such text").stdout == ringing.command("runs", "--until", "2020-01-31").stdout == ""
    assert "7d" in ringing.command("runs", "--since", "soon", check=False).stderr
    text = ringing.command("runs", run["id"]).stdout
    assert "page" in text and "captured as page: POST https://page.example/incidents" in text and "Search" in text
    assert ringing.command("runs", "zzz", check=False).returncode == FAILED


def test_run_prints_what_the_flow_gave(ringing):
    done = ringing.command("run", "ring", "--input", '{"requestBody": {"what": "x"}}')
    assert done.stdout == "rung\n"
    assert ringing.command("run", "ring", "--input", "@-", text='{"requestBody": {"what": "x"}}').stdout == "rung\n"
    assert "--input" in ringing.command("run", "ring", "--input", "{", check=False).stderr
    assert ringing.command("run", "nothing", check=False).returncode == FAILED
    failed = ringing.command("run", "ring", "--input", '{"requestBody": {"what": 5}}', "--json", check=False)
    assert json.loads(failed.stdout)["run"]


def test_a_run_that_is_not_waited_for_is_stored_first(ringing):
    run = ringing.command("run", "note", "--input", '{"text": "x"}', "--no-wait").stdout.strip()
    assert run in [r["id"] for r in runs(ringing)], "durable: listed as soon as its id is told"
    assert json.loads(ringing.command("run", "note", "--input", '{"text": "x"}').stdout) == {"said": "x"}


def test_logs_follow(ringing):
    lines = []
    child = subprocess.Popen([BINARY, "logs", "-f", "--json", "--data", ringing.data], stdout=subprocess.PIPE, text=True)
    try:
        threading.Thread(target=lambda: lines.extend(iter(child.stdout.readline, "")), daemon=True).start()
        time.sleep(0.5)
        before = len(lines)
        ring(ringing)
        wait_until(lambda: any(json.loads(line)["kind"] == "done" for line in lines[before:]), 5, "the run's end in the log")
    finally:
        child.kill()
        child.wait()


def test_secrets_are_set_and_never_shown(ringing):
    assert "door" in ringing.command("secret", "list").stdout and "EMPTY, needed" in ringing.command("secret", "list").stdout
    ringing.command("secret", "set", "login", text="ann:s3cret-word\n")
    listed = json.loads(ringing.command("secret", "list", "--json").stdout)["secrets"]
    assert next(s for s in listed if s["name"] == "login")["set"]
    assert "s3cret-word" not in json.dumps(listed)
    ringing.command("secret", "rm", "login")
    assert not next(s for s in json.loads(ringing.command("secret", "list", "--json").stdout)["secrets"] if s["name"] == "login")["set"]
    assert "never given on the command line" in flowlet("secret", "set", "login", "x:y", code=USAGE).stderr
    assert "nothing" in ringing.command("secret", "set", "nothing", text="x", check=False).stderr
    assert ringing.command("secret", "set", "login", text="", check=False).returncode == FAILED


def test_tokens_are_made_listed_and_revoked(ringing):
    made = json.loads(ringing.command("token", "create", "grafana", "--allow", "runs:read", "--days", "1", "--json").stdout)
    mine = {"FLOWLET_TOKEN": made["token"]}
    assert flowlet("runs", "--server", ringing.console, "--workspace", "alarm", **mine).returncode == 0
    assert "secrets:write" in flowlet("secret", "rm", "door", "--server", ringing.console, "--workspace", "alarm", code=FAILED, **mine).stderr
    listed = ringing.command("token", "list").stdout
    assert f"#{made['id']}  grafana" in listed and "runs:read" in listed and made["token"] not in listed
    ringing.command("token", "revoke", str(made["id"]))
    assert "grafana" not in ringing.command("token", "list").stdout
    assert "runs:red" in ringing.command("token", "create", "x", "--allow", "runs:red", check=False).stderr
    assert "--allow" in flowlet("token", "create", "x", code=USAGE).stderr


def test_the_document_of_the_api_needs_no_server():
    assert json.loads(flowlet("openapi").stdout)["openapi"].startswith("3.1")


def test_live_is_refused_until_all_is_there(ringing, alarm):
    assert "team" in ringing.command("live", check=False).stderr
    (alarm / "settings.json").write_text('{"team": "Night shift"}')
    ringing.command("push", alarm)
    assert "door" in ringing.command("live", check=False).stderr
    ringing.command("secret", "set", "door", text="practice")
    assert "practice" in ringing.command("live", check=False).stderr
    ringing.command("secret", "set", "door", text="open-sesame-7")
    ringing.command("live")
    assert ring(ringing).status == 401 and ring(ringing, token="open-sesame-7").status != 401
    ringing.command("practice")
    assert ring(ringing).status == 200


def test_a_pushed_folder_comes_back_the_same(ringing, alarm, tmp_path):
    flowlet("fmt", alarm)
    assert "published" in ringing.command("push", alarm).stdout
    ringing.command("pull", tmp_path / "pulled")
    assert subprocess.run(["diff", "-r", alarm, tmp_path / "pulled"], capture_output=True).stdout == b""
    (tmp_path / "pulled/flows/old.ts").write_text("")
    ringing.command("pull", tmp_path / "pulled")
    assert not (tmp_path / "pulled/flows/old.ts").exists()
    (tmp_path / "else").mkdir()
    (tmp_path / "else/thesis.txt").write_text("")
    assert ringing.command("pull", tmp_path / "else", check=False).returncode == FAILED
    (alarm / "flows/ring.json").write_text("{}")
    assert "flows/ring.json" in ringing.command("push", alarm, check=False).stderr
