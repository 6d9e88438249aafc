"""The workers of the real binary from outside: what the kernel says of them is what `serve` says at its start."""
import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from peers.flowlet import BINARY, ROOT, SANITIZED, Flowlet
from peers.process import wait_until

FOLDER = ROOT / "tests/workspaces/limits"
MUST = {"closed descriptors", "not dumpable", "parent death signal", "no new privileges", "system calls"}
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--pdeathsig", "KILL"]


@pytest.fixture(scope="module", params=["root", "nobody"])
def server(request):
    prefix = []
    if request.param == "nobody":
        if os.geteuid() != 0 or subprocess.run([*NOBODY, "test", "-r", FOLDER / "workspace.json", "-a", "-x", BINARY]).returncode:
            pytest.skip("only root can start it as somebody else, from a folder that everybody may read")
        prefix = NOBODY
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are for its user alone
        if prefix:
            os.chown(folder, 65534, 65534)
        with Flowlet(Path(folder) / "data", FOLDER, prefix=prefix) as flowlet:
            yield flowlet


@pytest.fixture
def layers(server):
    holds, lacks = re.search(r'event=sealed holds="(.*?)" lacks="(.*?)"', server.log.read_text()).groups()
    return set(holds.split(", ")), set(filter(None, lacks.split(", ")))


def status(pid):
    return dict(re.findall(r"^(\w+):\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))


def test_serve_says_which_layers_hold(server, layers):
    holds, lacks = layers
    assert holds >= MUST and not holds & lacks
    assert server.get("/hello/1").text == "hello 1"


def test_the_kernel_says_so_too(server, layers):
    holds, _ = layers
    own = {name: os.readlink(f"/proc/{server.process.pid}/ns/{name}") for name in ("user", "pid", "net", "mnt")}

    def sealed():
        found = server.workers()
        return len(found) >= 2 and all(status(pid)["Seccomp"] == "2" for pid in found) and found
    workers = wait_until(sealed, 5, "two sealed workers")
    for pid in workers:
        facts = status(pid)
        assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2"
        assert Path(f"/proc/{pid}/environ").read_bytes().replace(b"\0", b" ").split(b"=")[0].startswith(b"JSC_")
        if "no capabilities" in holds:
            assert {facts[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
        for layer, space in (("user namespace", "user"), ("process namespace", "pid"), ("network namespace", "net"), ("empty root", "mnt")):
            if layer in holds:
                assert os.readlink(f"/proc/{pid}/ns/{space}") != own[space], layer
        if "empty root" in holds:
            assert sorted(os.listdir(f"/proc/{pid}/root")) == ["dev"] and os.listdir(f"/proc/{pid}/root/dev") == ["urandom"]
        opened = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        others = [file for fd, file in opened.items() if file not in ("/dev/null", "/dev/urandom", f"/proc/{pid}/statm", "anon_inode:[eventfd]") and not (SANITIZED and fd == "2")]
        assert len(others) == 1 and others[0].startswith("socket:"), opened


def test_workers_go_with_their_server(server):
    workers = server.workers()
    server.kill()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() and not status(pid)["State"].startswith("Z") for pid in workers), 5, "the workers' end")
    server.start()
    assert server.get("/hello/2").text == "hello 2"
