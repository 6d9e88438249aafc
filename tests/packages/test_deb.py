"""The Debian package, installed, updated and removed in a copy-on-write view of this machine: nothing of it stays."""
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from peers.flowlet import ROOT
from peers.process import wait_until

UNIT = ROOT / "packaging/flowlet.service"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and installing take root")


class Machine:
    """An overlay over / in namespaces of its own; run() works in it."""

    def __init__(self, folder: Path):
        root = folder / "root"
        script = f"""set -e
            mount -t tmpfs tmpfs {folder}; mkdir {folder}/upper {folder}/work {root}
            mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {root}
            for d in proc dev sys; do mount --rbind /$d {root}/$d; done
            mount -t tmpfs tmpfs {root}/run; mount -t tmpfs tmpfs {root}/tmp
            cd {root}; pivot_root . .; umount -l .; echo ready; exec sleep 300"""
        self.process = subprocess.Popen(["unshare", "--mount", "--kill-child", "--fork", "--pid", "--mount-proc", "sh", "-c", script],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pid = children.read_text().split()[0]

    def close(self):
        self.process.kill()
        self.process.wait()

    def argv(self, command):
        return ["nsenter", "--target", self.pid, "--mount", "--pid", "sh", "-c", command]

    def run(self, command, code=0, **more):
        done = subprocess.run(self.argv(command), capture_output=True, text=True, timeout=60, **more)
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    file = tmp_path_factory.mktemp("package") / "flowlet.deb"
    subprocess.run(["make", "-s", "deb", f"DEB={file}", "VERSION=1.0.0"], cwd=ROOT, check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def machine(package, tmp_path_factory):
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.run("cat > /tmp/flowlet.deb", stdin=open(package, "rb"))
    yield machine
    machine.close()


def settings(unit):
    return [line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#")]


def start(machine, listen="127.0.0.1:0"):
    """What the unit would start, as its user, with its environment and without a single capability."""
    unit = settings(machine.run("cat /lib/systemd/system/flowlet.service"))
    environment = [value for name, value in unit if name == "Environment"]
    options = [line for line in machine.run("cat /etc/default/flowlet").splitlines() if line.startswith("FLOWLET_")]
    options = [re.sub(r"127\.0\.0\.1:808\d", listen, line) for line in options]
    command, = [value for name, value in unit if name == "ExecStart"]
    drop = "--reuid flowlet --regid flowlet --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
    words = " ".join(map(shlex.quote, environment + options))
    log = "/tmp/serve.log"
    process = subprocess.Popen(machine.argv(f"umask 0077; exec setpriv {drop} env -i {words} {command} > {log} 2>&1"))

    def ready():
        assert process.poll() is None, machine.run(f"cat {log}")
        return re.search(r"ready listen=(\S+) console=(\S+)", machine.run(f"cat {log}"))
    return process, *wait_until(ready, 15, "the service").groups(), machine.run(f"cat {log}")


def stop(machine, process):
    machine.run("kill -TERM $(cat /var/lib/flowlet/lock)")
    assert process.wait(20) == 0


def test_it_installs_serves_updates_and_goes_without_the_data(machine, package):
    machine.run("dpkg -i /tmp/flowlet.deb")
    assert machine.run("stat -c '%U %a' /var/lib/flowlet").split() == ["flowlet", "700"]
    assert "serve" in machine.run("man -l /usr/share/man/man1/flowlet.1.gz")
    assert machine.run("bash -c '. /usr/share/bash-completion/completions/flowlet; complete -p flowlet'")
    assert machine.run("flowlet check /usr/share/flowlet/workspaces/hello")

    process, _, console, log = start(machine)
    assert 'lacks=""' in log, "the whole sandbox holds under the unit's user, capabilities and rights"
    dockerfile = (ROOT / "Dockerfile").read_text()
    check = json.loads(re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", dockerfile, re.M).group(1))
    port = console.rsplit(":", 1)[1]
    machine.run(shlex.join(check).replace("/8081", f"/{port}"))
    machine.run(shlex.join(check).replace("/8081", "/1"), code=1)
    machine.run("flowlet push /usr/share/flowlet/workspaces/hello --data /var/lib/flowlet")
    token = machine.run("cat /var/lib/flowlet/token").strip()
    stop(machine, process)

    machine.run("echo FLOWLET_WORKERS=1 >> /etc/default/flowlet")
    machine.run("dpkg-deb -R /tmp/flowlet.deb /tmp/next && sed -i 's/^Version: .*/Version: 1.0.1/' /tmp/next/DEBIAN/control"
                " && echo '# news' >> /tmp/next/etc/default/flowlet && dpkg-deb -b /tmp/next /tmp/next.deb")
    machine.run("dpkg --force-confold -i /tmp/next.deb")
    assert "FLOWLET_WORKERS=1" in machine.run("cat /etc/default/flowlet"), "what was set stays"
    process, listen, _, _ = start(machine)
    assert machine.run("cat /var/lib/flowlet/token").strip() == token
    assert "Hello, Ada" in machine.run(f"curl -s '{listen}/hello?name=Ada'"), "the workspace is still there"
    stop(machine, process)

    machine.run("dpkg --remove flowlet")
    machine.run("test ! -e /usr/bin/flowlet && test -e /etc/default/flowlet && test -e /var/lib/flowlet/flowlet.db")
    assert "is kept" in machine.run("dpkg --purge flowlet")
    machine.run("test ! -e /etc/default/flowlet && test -e /var/lib/flowlet/flowlet.db")


def test_make_install_takes_prefix_and_destdir(tmp_path):
    subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/opt/flowlet"], cwd=ROOT, check=True, capture_output=True)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} >= {
        "opt/flowlet/bin/flowlet", "opt/flowlet/share/man/man1/flowlet.1", "opt/flowlet/share/bash-completion/completions/flowlet",
        "opt/flowlet/share/zsh/vendor-completions/_flowlet", "opt/flowlet/share/flowlet/workspaces/hello/workspace.json"}
    subprocess.run([tmp_path / "opt/flowlet/bin/flowlet", "init", "--list"], check=True, capture_output=True)


def test_the_unit_is_as_tight_as_the_workers_allow():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", UNIT], capture_output=True, text=True)
    level = float(re.search(r"exposure level for \S+ ([\d.]+)", done.stdout).group(1))
    assert level <= 2.5, done.stdout
    unit = dict(settings(UNIT.read_text()))
    assert unit["ExecReload"] == "/bin/kill -HUP $MAINPID" and unit["KillMode"] == "mixed"
    assert set(unit["RestrictNamespaces"].split()) == {"user", "pid", "net", "mnt", "ipc", "uts"}, "those of src/js/spawn.c"


def test_system_calls_of_server_and_workers_are_those_that_the_unit_allows(tmp_path):
    """strace writes down what a start, a request and a stop call; systemd tells what its groups hold."""
    trace, data = tmp_path / "trace", tmp_path / "data"
    server = subprocess.Popen(["strace", "-f", "-qq", "-o", trace, "-e", "trace=all", "build/flowlet", "serve", "--data", data, "--listen",
                               "127.0.0.1:0", "--console", "127.0.0.1:0", "--workspace", "workspaces/hello"], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    line = next(text for text in server.stdout if text.startswith("ready"))
    subprocess.run(["curl", "-s", line.split()[1].split("=", 1)[1] + "/hello?name=Ada"], check=True, capture_output=True)
    subprocess.run(["kill", "-TERM", (data / "lock").read_text().strip()], check=True)
    server.wait(30)
    used = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", trace.read_text(), re.M))
    allowed = set()
    for name, value in settings(UNIT.read_text()):
        for word in value.split() if name == "SystemCallFilter" else []:
            allowed |= group(word) if word.startswith("@") else {word}
    assert "pivot_root" in used and used - allowed == set()


def group(name):
    lines = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout.splitlines()
    words = [line.strip() for line in lines[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*(group(word) if word.startswith("@") else {word} for word in words))
