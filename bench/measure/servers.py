"""What is measured, each on one core with all its processes; the load comes from the other."""
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from .records import readable_share

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/peers"))
from peers.flowlet import Flowlet, request  # noqa: E402
from peers.process import Process, connects, free_port  # noqa: E402

PEERS = ROOT / "bench/peers"
BUILD = ROOT / "build/bench"
HELLO_WORKSPACE = ROOT / "tests/workspaces/hello"
BENCH_WORKSPACE = ROOT / "bench/workspace"
SERVER_CORE, LOAD_CORE = 0, 1
NODE_AT_LEAST = 20  # what fastify 5 runs on
START_SECONDS = 30


@contextmanager
def on_core(core):
    """Programs started inside stay on this core, and so do theirs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """Something with `url` and `pid` that has started when it is entered and is gone when left."""

    name = url = pid = None
    core = SERVER_CORE
    upstream = None  # the URL of what it asks in turn (W3)
    validates = True  # requests that do not fit a schema

    def __init__(self, folder: Path, workspace: Path = HELLO_WORKSPACE):
        self.folder = folder  # empty, its own
        self.workspace = workspace  # what flowlet serves; its peers know all that is asked here

    def __enter__(self):
        with on_core(self.core):
            self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def recorded(self, requests, tells):
        """The share of so many requests whose record can be read, where the server keeps any; tells: as readable_share has it."""
        return None


class FlowletServer(Server):
    name = "flowlet"

    def start(self):
        outgoing = ["--allow-address", "127.0.0.1", "--resolve", f"upstream.example:80={self.upstream.split('//')[1]}"] if self.upstream else []
        self.flowlet = Flowlet(self.folder / "data", self.workspace, options=outgoing).start(START_SECONDS)
        self.url, self.pid = self.flowlet.listen, self.flowlet.process.pid

    def stop(self):
        self.flowlet.stop()

    def recorded(self, requests, tells):
        return readable_share(self.flowlet, json.loads((self.workspace / "workspace.json").read_text())["name"], requests, tells)


class ProgramServer(Server):
    def start(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.launch(self.command(port))
        self.process.wait_ready(lambda: self.answers(port), START_SECONDS, self.name)
        self.pid = self.process.pid

    def launch(self, command):
        self.process = Process(command, self.folder / "log", cwd=self.folder)

    def answers(self, port):
        return connects(port)

    def stop(self):
        self.process.stop()


class Epoll(ProgramServer):
    name = "epoll"

    def command(self, port):
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-o", BUILD / "epoll", ROOT / "bench/epoll.c"], check=True)
        return [BUILD / "epoll", port]


class Upstream(Epoll):
    """What W3 asks, on the core of the load."""

    core = LOAD_CORE


class NodeProgram(ProgramServer):
    """From npm."""


class Fastify(NodeProgram):
    name = "fastify"

    def command(self, port):
        return ["node", PEERS / "fastify.mjs", port, self.upstream or ""]


class Node(NodeProgram):
    """Hand-written, for W3."""

    name = "node"
    validates = False

    def command(self, port):
        return ["node", PEERS / "node.mjs", port, self.upstream]


class NodeRed(NodeProgram):
    name = "node-red"
    validates = False

    def command(self, port):
        shutil.copytree(PEERS / "node-red", self.folder / "user")
        shutil.copy(PEERS / "work.cjs", self.folder / "user")
        return ["node", PEERS / "node_modules/node-red/red.js", "--userDir", self.folder / "user", "--port", port]

    def answers(self, port):
        """It listens before it has its flows."""
        return connects(port) and request("GET", f"http://127.0.0.1:{port}/hello?name=x").status == 200


def with_peers(options):
    """Whether servers from npm take part; installs them then. A look whether all runs takes them only where they are."""
    if options.smoke and not (PEERS / "node_modules/.package-lock.json").exists():
        return False
    _install_peers()
    return True


def chosen(kinds, options):
    names = options.only.split(",") if options.only else [kind.name for kind in kinds]
    found = [kind for kind in kinds if kind.name in names]
    if not found:
        sys.exit(f"bench: --only takes {', '.join(kind.name for kind in kinds)} here")
    peers = [kind for kind in found if issubclass(kind, NodeProgram)]
    return found if not peers or with_peers(options) else [kind for kind in found if kind not in peers]


def install(what, *more):
    """tools/setup: what is missing, and it says so, on stderr."""
    if subprocess.run([ROOT / "tools/setup", what, *more], stdout=sys.stderr).returncode:
        sys.exit(1)


def _install_peers():
    install("npm", "bench/peers")
    version = subprocess.run(["node", "-p", "process.versions.node"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.split(".")[0]) < NODE_AT_LEAST:
        sys.exit(f"bench: fastify runs on node {NODE_AT_LEAST} and newer, this one is {version}: put a newer one first in PATH.")
