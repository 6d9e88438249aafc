"""Each test gets a server whose clock it sets."""
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("clockwork")
from clockwork import Clockwork  # noqa: E402


@pytest.fixture
def clockwork(tmp_path):
    made = []

    def make(at="2026-11-23T12:00:30"):
        made.append(Clockwork(tmp_path, at))
        return made[0]
    yield make
    for c in made:
        if hasattr(c.server, "process"):
            c.server.stop()
    shutil.rmtree(tmp_path, ignore_errors=True)
