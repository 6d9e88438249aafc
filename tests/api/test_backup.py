"""Backup of a running server, restore, export; what shells complete."""
import json
import os
import sqlite3
import stat
import subprocess

import pytest

from peers.flowlet import BINARY, Flowlet
from peers.process import wait_until


def flowlet(*argv, code=0):
    done = subprocess.run([BINARY, *map(str, argv)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def backup(server, tmp_path_factory):
    """Taken while the server runs: one run is in it."""
    assert server.get("/hello?name=Ada").status == 200
    wait_until(lambda: server.in_workspace("runs", "shop")["runs"], 5, "the run's record")
    file = tmp_path_factory.mktemp("backup") / "saved.db"
    assert "hold everything" in flowlet("backup", file, "--data", server.data, "--with-key")
    return file


def test_a_backup_is_private_whole_and_never_overwrites(server, backup):
    for file in (backup, backup.with_suffix(".db.key")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sqlite3.connect(f"file:{backup}?mode=ro&immutable=1", uri=True).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert "is there already" in flowlet("backup", backup, "--data", server.data, code=1)
    without = backup.parent / "without.db"
    assert "--with-key" in flowlet("backup", without, "--data", server.data)
    assert not without.with_suffix(".db.key").exists()
    assert "no data of a server" in flowlet("backup", backup.parent / "x.db", "--data", backup.parent, code=1)
    assert server.get("/hello?name=Ada").status == 200


def test_what_was_restored_serves(backup, tmp_path, server):
    out = flowlet("restore", backup, "--data", tmp_path / "data")
    assert "flowlet serve" in out and "key file" not in out
    with Flowlet(tmp_path / "data") as again:
        assert again.get("/hello?name=Ada").json["greeting"] == "Hello, Ada"
        restored = again.in_workspace("runs", "shop")["runs"]
        assert {run["id"] for run in restored} & {run["id"] for run in server.in_workspace("runs", "shop")["runs"]}
    assert (tmp_path / "data/key").read_text() == (server.data / "key").read_text()


def test_restore_refuses_what_it_would_spoil_or_cannot_read(backup, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("dear")
    assert "not empty" in flowlet("restore", backup, "--data", full, code=1)
    assert os.listdir(full) == ["letter.txt"]
    newer, garbage = tmp_path / "newer.db", tmp_path / "garbage.db"
    newer.write_bytes(backup.read_bytes())
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 9999")
    database.close()
    garbage.write_bytes(b"not a database" * 1000)
    assert "newer Flowlet" in flowlet("restore", newer, "--data", tmp_path / "a", code=4)
    done = subprocess.run([BINARY, "restore", garbage, "--data", tmp_path / "b"], capture_output=True, text=True)
    assert done.returncode in (1, 4) and "flowlet" in done.stderr, done
    flowlet("restore", tmp_path / "missing.db", "--data", tmp_path / "c", code=1)
    for name in "abc":
        assert os.listdir(tmp_path / name) == []


def test_without_the_key_it_says_so(backup, tmp_path):
    alone = tmp_path / "alone.db"
    alone.write_bytes(backup.read_bytes())
    assert "key file" in flowlet("restore", alone, "--data", tmp_path / "data")


def test_an_export_can_be_pushed(server, folder, tmp_path):
    file = tmp_path / "shop.json"
    assert "no secrets" in server.command("export", file).stdout
    archive = json.loads(file.read_text())
    assert archive["workspace"] == "shop" and archive["files"]["flows/greet.ts"] == (folder / "flows/greet.ts").read_text()
    assert json.loads(server.command("export").stdout) == archive
    assert "nothing had changed" in server.command("push", file).stdout
    file.write_text('{"files": 5}')
    assert "must be an object" in server.command("push", file, check=False).stderr


def complete(line):
    """What bash offers at the end of the line."""
    script = f"""source <({BINARY} completion bash)
COMP_WORDS=({line}{' ""' if line.endswith(' ') else ''}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _flowlet; printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p flowlet"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    *words, registered = done.stdout.split("\n")[:-1]
    assert registered.endswith("-F _flowlet flowlet") and not done.stderr
    return {word for word in words if word}


def test_bash_completes_commands_and_options(tmp_path):
    commands = {line.split()[0] for line in flowlet("--help").split("\n") if line.startswith("  ")}
    assert complete("flowlet ") == commands | {"help"}
    assert complete("flowlet re") == {"restore"}
    assert complete("flowlet serve --cons") == {"--console", "--console-cert", "--console-key"}
    (tmp_path / "workspace.json").touch()
    assert complete(f"flowlet push {tmp_path}/work") == {f"{tmp_path}/workspace.json"}
    for command in commands:
        assert "--help" in complete(f"flowlet {command} -")


def test_zsh_gets_every_command_and_option():
    text = flowlet("completion", "zsh")
    for command in complete("flowlet ") - {"help"}:
        assert f"        '{command}:" in text and f"        {command}) _arguments" in text
        for option in complete(f"flowlet {command} --") - {"--help"}:
            assert f"{option}[" in text, (command, option)
    assert "completion for bash and zsh" in flowlet("completion", "fish", code=2)
