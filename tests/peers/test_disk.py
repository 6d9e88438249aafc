"""The store in trouble: a full disk and its end, damage, a newer file, a second server, a folder that is not ours to write."""
import json
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

from peers.flowlet import BINARY, ROOT, Flowlet, request
from peers.process import wait_until

WORKSPACE = "endpoints"
FOLDER = ROOT / "tests/workspaces" / WORKSPACE
DISK_MB = 12


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tmpfs", folder]).returncode == 0
    if not mounted:
        pytest.skip("a small disk can only be mounted as root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk):
    with open(disk / "ballast", "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def empty(disk):
    (disk / "ballast").unlink()


def post(server, path, value):
    return server.post(path, json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def is_ready(server):
    return request("GET", server.console + "/readyz").status == 200


def test_a_full_disk(disk):
    with Flowlet(disk / "data", FOLDER, practice=True) as server:
        server.log = disk.parent / "server.log"
        assert post(server, "/later", {"id": "before"}).status == 202
        under_way = [post(server, "/later", {"id": f"w{n}", "ms": 1500}).json["run"] for n in range(3)]
        fill(disk)
        refused = [post(server, path, {"id": f"{path}{n}", "ms": 1}) for n in range(4) for path in ("/later", "/stored")]
        for answer in refused:
            assert answer.status == 503 and "retry-after" in answer.headers and answer.headers["content-type"] == "application/problem+json"
            assert "disk" in answer.text and str(disk) not in answer.text
        assert [server.get(f"/html?title={n}").status for n in range(20)] == [200] * 20
        wait_until(lambda: not is_ready(server), 3, "the server to say that it is not ready")
        assert request("GET", server.console + "/healthz").status == 200
        time.sleep(2)  # those under way come to a halt at what they want to store
        assert not server.api("GET", f"/workspaces/{WORKSPACE}/runs/{under_way[0]}").json["ended_ms"]
        empty(disk)
        wait_until(lambda: is_ready(server), 5, "recovery by itself")
        for n in range(4):
            assert post(server, "/stored", {"id": f"/stored{n}"}).json == {"count": 1}
        for run in under_way:
            assert server.record(run, WORKSPACE)["state"] == "done"
        assert [server.get(f"/counted/w{n}").json["count"] for n in range(3)] == [1, 1, 1]


def test_killed_on_a_full_disk(disk):
    """What was accepted is there again, whatever the disk was like when the power went."""
    with Flowlet(disk / "data", FOLDER, practice=True) as server:
        runs = [post(server, "/later", {"id": f"w{n}", "ms": 300}).json["run"] for n in range(20)]
        fill(disk)
        time.sleep(0.5)
        server.kill()
        fill(disk)
        server.start()
        time.sleep(0.5)
        empty(disk)
        assert {server.record(run, WORKSPACE)["state"] for run in runs} == {"done"}
        assert [server.get(f"/counted/w{n}").json["count"] for n in range(20)] == [1] * 20


def refused(data, *more, user=None):
    """What `flowlet serve` says when it refuses to start."""
    argv = [BINARY, "serve", "--data", data, "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", *more]
    done = subprocess.run([*(["runuser", "-u", user, "--"] if user else []), *map(str, argv)], capture_output=True, text=True, timeout=20)
    assert done.returncode not in (0, 2) and done.returncode > 0 and "ready" not in done.stdout, done
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr
    return done.stderr


@pytest.fixture
def used(tmp_path):
    """A data directory with some runs in it."""
    with Flowlet(tmp_path / "data", FOLDER, practice=True) as server:
        for n in range(30):
            post(server, "/stored", {"id": f"{n}"})
        server.stop()
    return tmp_path / "data"


def test_started_on_a_full_disk(disk):
    fill(disk)
    said = refused(disk / "data", "--workspace", FOLDER)
    assert "full" in said or "No space left" in said
    empty(disk)
    with Flowlet(disk / "data", FOLDER, practice=True) as server:
        assert post(server, "/stored", {"id": "a"}).json == {"count": 1}


@pytest.mark.parametrize("damage", ["header", "middle", "cut", "no database"])
def test_a_corrupt_database(used, damage):
    file = used / "flowlet.db"
    content = bytearray(file.read_bytes())
    if damage == "header":
        content[:100] = b"\0" * 100
    elif damage == "middle":
        for page in range(1, len(content) // 4096):
            content[page * 4096:page * 4096 + 200] = b"\xa5" * 200
    elif damage == "cut":
        del content[len(content) // 3:]
    else:
        content = b"hello, this is no database at all\n" * 500
    for left in ("flowlet.db-wal", "flowlet.db-shm"):
        (used / left).unlink(missing_ok=True)
    file.write_bytes(content)
    said = refused(used)
    assert str(file) in said and ("damaged" in said or "no database" in said or "another program" in said) and ("backup" in said or "another data directory" in said)
    assert file.read_bytes() == bytes(content)  # for whoever can mend it


def test_a_newer_database(used):
    with sqlite3.connect(used / "flowlet.db") as database:
        database.execute("PRAGMA user_version = 4711")
    said = refused(used)
    assert "newer Flowlet" in said and "install" in said


def test_a_second_server(tmp_path):
    with Flowlet(tmp_path / "data", FOLDER, practice=True) as server:
        said = refused(server.data)
        assert str(server.data) in said and ("already" in said or "another" in said)
        assert server.get("/html").status == 200


def test_places_that_are_not_ours(tmp_path):
    assert "/proc/none" in refused("/proc/none/data")
    (tmp_path / "file").write_text("")
    assert "file" in refused(tmp_path / "file")
    if os.geteuid() == 0 and shutil.which("runuser"):
        tmp_path.chmod(0o755)
        (tmp_path / "theirs").mkdir(0o755)
        said = refused(tmp_path / "theirs", user="nobody")
        assert str(tmp_path / "theirs") in said and "ermission denied" in said


def test_a_port_that_is_taken(used, tmp_path):
    with Flowlet(tmp_path / "other", FOLDER, practice=True) as server:
        port = server.listen.rsplit(":", 1)[1]
        said = refused(used, "--listen", f"127.0.0.1:{port}")
        assert port in said and "in use" in said
