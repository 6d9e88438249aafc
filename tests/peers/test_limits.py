"""Runs that take too much, or give what cannot be handed over: each ends alone, with an error that says so."""
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peers.flowlet import ROOT, SANITIZED, Flowlet
from peers.process import wait_until

FOLDER = ROOT / "tests/workspaces/limits"
SCRIPT = (FOLDER / "flows/abuse.ts").read_text().splitlines()
SLOWEST_NEIGHBOUR_S = 10  # the machine may be busy with other things


class Neighbours:
    """Other runs of the same workspace, all the time: short ones, and ones that wait in a worker."""

    def __init__(self, server):
        self.server, self.wrong, self.answered = server, [], 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(kind,)) for kind in ("hello", "nap") * 2]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self, kind):
        n = 0
        while not self._stop.is_set():
            n += 1
            try:
                answer = self.server.get(f"/{kind}/{n}", timeout=SLOWEST_NEIGHBOUR_S)
                right = (answer.status, answer.text) == (200, f"{kind} {n}")
            except OSError as error:
                answer, right = error, False
            self.answered += right
            if not right:
                self.wrong.append((kind, answer))
            self._stop.wait(0.03)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Flowlet(tmp_path_factory.mktemp("limits") / "data", FOLDER) as flowlet:
        yield flowlet


@pytest.fixture(scope="module")
def neighbours(server):
    with Neighbours(server) as running:
        yield running


def fails(server, path):
    """The record of a run whose caller was told 500 and its id, and nothing from inside."""
    answer = server.get(path, timeout=30)
    assert answer.status == 500 and answer.headers["content-type"] == "application/problem+json", answer
    problem = answer.json
    assert set(problem) <= {"type", "title", "status", "detail", "code", "run"} and ".ts" not in answer.text
    record = server.record(problem["run"], "limits")
    assert record["state"] == "failed"
    return record


def line_of(text):
    return next(i for i, line in enumerate(SCRIPT, 1) if text in line)


CPU, MEMORY = r"used more (than its \d+ ms of CPU|CPU time than it may)", r"used more (than its \d+ MB of memory|memory than it may)"
TOO_LONG = r"took longer than its \d+ ms of run time"  # a busy machine may come to that first


@pytest.mark.parametrize("what, error", [
    ("loop", CPU), ("promises", f"{CPU}|{MEMORY}"), ("regex", f"{CPU}|{TOO_LONG}"), ("getter", CPU), ("thenable", f"{CPU}|{MEMORY}"),
    ("array", MEMORY), ("string", f"{MEMORY}|Out of memory"), ("buffer", MEMORY), ("map", MEMORY), ("proxy", f"{MEMORY}|{CPU}"),
    ("bigint", f"{CPU}|{TOO_LONG}|Out of memory"), ("gigabyte", f"{MEMORY}|Out of memory"),
    ("large", f"larger than 16 MB|{MEMORY}"), ("logging", f"{CPU}|{MEMORY}"),
    ("operations", f"more than 1000 operations at once{'|' + MEMORY if SANITIZED else ''}"),
])
def test_a_run_that_takes_too_much_ends_alone(server, neighbours, what, error):
    wrong, before = len(neighbours.wrong), neighbours.answered
    assert re.search(error, fails(server, f"/abuse/{what}")["error"])
    wait_until(lambda: neighbours.answered > before + 8, SLOWEST_NEIGHBOUR_S, "answers of its neighbours")
    assert neighbours.wrong[wrong:] == []


@pytest.mark.skipif(SANITIZED, reason="under the sanitizer garbage stays longer: the memory limit comes first")
def test_an_endless_run_that_makes_garbage_is_ended_by_its_own_limit(server):
    """Not with its worker, a second later: then nothing would be known of it."""
    record = fails(server, "/abuse/logging")
    assert "abuse: the run used more than its 500 ms" in record["error"]
    assert [block["path"] for block in record["history"]["blocks"]] == ["start"] and len(record["history"]["logs"]) > 50


def test_neighbours_do_not_wait_for_a_run_without_end(tmp_path):
    """What was given to the same worker goes on in another long before the endless run is ended."""
    with Flowlet(tmp_path / "data", FOLDER, options=["--workers", "1"]) as alone, ThreadPoolExecutor(12) as pool:
        alone.get("/hello/0")
        for _ in range(3):  # from the second on its runs have a worker of their own
            ended = []
            endless = pool.submit(lambda: ended.append(alone.get("/abuse/loop", timeout=30)))
            time.sleep(0.02)  # it has begun
            others = [pool.submit(alone.get, f"/hello/{n}") for n in range(10)]
            assert [other.result().text for other in others] == [f"hello {n}" for n in range(10)]
            assert not ended, "they came after its end"
            endless.result()
            assert ended[0].status == 500


def test_a_flood_of_started_runs_leaves_room_for_callers(server, neighbours):
    wrong, before = len(neighbours.wrong), neighbours.answered
    with ThreadPoolExecutor(3) as pool:
        for answer in pool.map(lambda _: server.get("/abuse/starts", timeout=30), range(12)):
            assert answer.status in (200, 500)
    wait_until(lambda: neighbours.answered > before + 8, SLOWEST_NEIGHBOUR_S, "answers of its neighbours")
    assert neighbours.wrong[wrong:] == []


def test_all_of_them_at_once(server, neighbours):
    wrong, before = len(neighbours.wrong), neighbours.answered
    with ThreadPoolExecutor(8) as pool:
        for record in pool.map(lambda what: fails(server, f"/abuse/{what}"), ("loop", "array", "promises", "regex", "operations", "cycle") * 2):
            assert record["error"]
    wait_until(lambda: neighbours.answered > before + 8, SLOWEST_NEIGHBOUR_S, "answers of its neighbours")
    assert neighbours.wrong[wrong:] == []


@pytest.mark.parametrize("what, error", [
    ("wide", "result.items[1].when[1] is NaN"), ("func", "result.items[0].run is a function"),
    ("cycle", "result.child.parent is a cycle"), ("big", "result.amount is a bigint"), ("nested", "nested deeper than 100 levels"),
    ("nothing", "no Error was thrown: null"), ("thrower", "cannot be read"),
])
def test_what_cannot_be_handed_over_is_named(server, what, error):
    record = fails(server, f"/abuse/{what}")
    assert record["error"].startswith("abuse: ") and error in record["error"]
    assert record["history"]["blocks"][-1]["path"] == "abuse" and record["history"]["blocks"][-1]["error"]["code"] == "script"


@pytest.mark.parametrize("what, error, place", [
    ("undefinedName", "TypeError", "user.address.street"), ("recursion", "RangeError: Maximum call stack", "deeper(n + 1)"),
    ("message", "xxxx", "throw new Error(\"x\""),
])
def test_an_exception_names_its_line_of_typescript(server, what, error, place):
    record = fails(server, f"/abuse/{what}")
    assert f"abuse.ts:{line_of(place)}:" in record["error"] and error in record["error"]
    assert len(record["error"]) < 5000


def test_an_expression_names_its_block_and_input(server):
    record = fails(server, "/expression/thrown")
    assert re.match(r'thrown: input "body": .*(JSON|SyntaxError)', record["error"])
    failed = record["history"]["blocks"][-1]
    assert failed["path"] == "thrown" and failed["error"]["code"] == "mapping"
    assert re.search(CPU, fails(server, "/expression/endless")["error"])


def test_the_record_of_too_many_lines_keeps_the_first(server):
    logs = fails(server, "/abuse/lines")["history"]["logs"]
    assert 50 < len(logs) <= 1000 and logs[0]["text"].startswith("xxx") and "not kept" in logs[-1]["text"]


def test_a_run_that_waits_too_long_says_what_it_had_done(server):
    record = fails(server, "/wait")
    assert record["error"].startswith("wait: ") and re.search(TOO_LONG, record["error"])
    assert [block["path"] for block in record["history"]["blocks"]] == ["start", "before"]
    assert [line["text"] for line in record["history"]["logs"]] == ["this far"]


def rss_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def test_a_worker_that_is_gone_is_replaced(server):
    """What it was doing is done elsewhere: nobody hears of it."""
    first = set(server.workers())
    with ThreadPoolExecutor(20) as pool:
        naps = [pool.submit(server.get, f"/nap/{n}") for n in range(20)]
        time.sleep(0.15)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        assert [nap.result().text for nap in naps] == [f"nap {n}" for n in range(20)]
    wait_until(lambda: len(set(server.workers()) - first) >= 2, 10, "new workers")


def test_afterwards_all_is_as_before(server, neighbours):
    assert server.process.child.poll() is None and neighbours.wrong == []
    if not SANITIZED:
        assert rss_mb(server.process.pid) < 100
        wait_until(lambda: sum(map(rss_mb, server.workers())) < 100 * len(server.workers()), 10, "the workers' memory")
    log = server.log.read_text()
    assert "AddressSanitizer" not in log and "event=worker_broke_the_rules" not in log
