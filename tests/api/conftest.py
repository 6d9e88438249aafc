"""A server of its own for each test file, with the workspace that `flowlet init` writes."""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
from peers.flowlet import BINARY, Flowlet  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspaces") / "shop"
    subprocess.run([BINARY, "init", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("server") / "data", folder, practice=True) as server:
        yield server
