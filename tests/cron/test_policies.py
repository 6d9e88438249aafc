"""Every due instant is accounted for, once: over restarts, kill -9, clocks that are set, a disk that is full."""
import os
import random
import resource
import time

from clockwork import MINUTE, ms_of
from peers.process import wait_until

NOON = ms_of("2026-11-23T12:00")


def minutes(first, last):
    return [NOON + n * MINUTE for n in range(first, last + 1)]


def is_each_once(c, flow, first, last):
    """Every minute has one row, every run one instant, and every fired instant its run, which is done."""
    rows = c.instants(flow)
    assert [r["due_ms"] for r in rows] == minutes(first, last)
    fired = [r for r in rows if r["outcome"] == "fired"]

    def all_done():
        runs = c.runs(flow)
        return all(r["state"] == "done" for r in runs) and runs
    runs = wait_until(all_done, 20, "the runs' ends")
    assert sorted(r["id"] for r in runs) == sorted(r["run"] for r in fired)
    assert len({r["trigger"] for r in runs}) == len(runs), "an instant has one run"
    for row in rows:
        assert row["outcome"] in ("fired", "merged", "skipped")
        assert row["outcome"] == "fired" or row["reason"]
    return rows


def test_every_minute_has_its_run(clockwork):
    c = clockwork()
    c.flow("minutely")
    c.server.start()
    for n in 1, 2, 3:
        c.pass_minute(NOON + n * MINUTE)
        c.await_outcomes("minutely", *[(m, "fired") for m in minutes(1, n)])
    rows = is_each_once(c, "minutely", 1, 3)
    assert all(0 <= r["accounted_ms"] - r["due_ms"] < 5000 for r in rows)
    assert [r["trigger"] for r in c.runs("minutely")] == [f"cron 2026-11-23T12:0{n}:00.000Z" for n in (1, 2, 3)]


def test_missed_while_down(clockwork):
    c = clockwork()
    for missed in "once", "all", "skip":
        c.flow(missed, missed=missed)
    c.flow("standard")
    c.server.start()
    c.pass_minute(NOON + MINUTE)
    for flow in "once", "all", "skip", "standard":
        c.await_outcomes(flow, (NOON + MINUTE, "fired"))
        c.await_end(flow)
    c.server.stop()
    c.clock.set(NOON + 5 * MINUTE + 20_000)
    c.server.start()
    first, late = (NOON + MINUTE, "fired"), minutes(2, 5)
    for flow in "once", "standard":
        c.await_outcomes(flow, first, *[(m, "merged") for m in late[:-1]], (late[-1], "fired"))
        rows = is_each_once(c, flow, 1, 5)
        assert {r["run"] for r in rows[1:]} == {rows[-1]["run"]} and {r["into_ms"] for r in rows[1:-1]} == {late[-1]}
        assert len(c.runs(flow)) == 2
    c.await_outcomes("all", first, *[(m, "fired") for m in late])
    is_each_once(c, "all", 1, 5)
    runs = c.runs("all")
    assert [r["trigger"][16:21] for r in runs] == ["12:01", "12:02", "12:03", "12:04", "12:05"], "in their order"
    assert all(a["ended_ms"] <= b["started_ms"] for a, b in zip(runs, runs[1:])), "one after the other"
    c.await_outcomes("skip", first, *[(m, "skipped") for m in late])
    is_each_once(c, "skip", 1, 5)
    c.pass_minute(NOON + 6 * MINUTE)
    c.await_outcomes("skip", first, *[(m, "skipped") for m in late], (NOON + 6 * MINUTE, "fired"))


def test_long_down_is_counted(clockwork):
    c = clockwork()
    c.flow("all", missed="all", overlap="allow")
    c.flow("once")
    c.server.start()
    c.server.stop()
    c.clock.set(NOON + 2500 * MINUTE + 1000)
    c.server.start()
    wait_until(lambda: c.instants("all"), 10, "all that were missed")
    first = c.instants("all")[0]
    assert (first["due_ms"], first["from_ms"], first["instants"], first["outcome"]) == (NOON + 1500 * MINUTE, NOON + MINUTE, 1500, "skipped")
    wait_until(lambda: len(c.runs("all")) == 1000, 30, "a run each of the newest thousand")
    assert [r["due_ms"] for r in c.instants("all")[1:]] == minutes(1501, 2500)
    wait_until(lambda: len(c.runs("once")) == 1, 10, "one for all")
    assert sum(r["instants"] for r in c.instants("once")) == 2500


def test_overlap(clockwork):
    c = clockwork()
    for overlap in "skip", "queue", "allow":
        c.flow(overlap, takes_ms=4000, overlap=overlap)
    c.server.start()
    c.pass_minute(NOON + MINUTE)
    for flow in "skip", "queue", "allow":
        c.await_outcomes(flow, (NOON + MINUTE, "fired"))
    c.pass_minute(NOON + 2 * MINUTE)
    c.await_outcomes("skip", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "skipped"))
    c.await_outcomes("queue", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "queued"))
    c.await_outcomes("allow", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "fired"))
    skipped = c.instants("skip")[1]
    assert skipped["run"] == c.instants("skip")[0]["run"] and "under way" in skipped["reason"]
    c.server.kill()  # what is queued is not forgotten
    c.server.start()
    c.await_outcomes("queue", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "fired"), seconds=20)
    for flow in "skip", "queue", "allow":
        is_each_once(c, flow, 1, 2)
    first, second = c.runs("queue")
    assert first["ended_ms"] <= second["started_ms"]


def test_what_came_due_beside_a_run_that_is_resumed_overlaps(clockwork):
    c = clockwork()
    c.flow("long", takes_ms=5000)
    c.server.start()
    c.pass_minute(NOON + MINUTE)
    c.await_outcomes("long", (NOON + MINUTE, "fired"))
    c.server.kill()
    c.clock.set(NOON + 3 * MINUTE + 10_000)
    c.server.start()
    c.await_outcomes("long", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "skipped"), (NOON + 3 * MINUTE, "skipped"))
    is_each_once(c, "long", 1, 3)


def test_a_schedule_begins_when_it_is_published(clockwork):
    c = clockwork()
    c.flow("early")
    c.server.start()
    c.clock.set(NOON + 10 * MINUTE + 30_000)
    c.flow("late")
    c.publish()
    c.pass_minute(NOON + 11 * MINUTE)
    c.await_outcomes("late", (NOON + 11 * MINUTE, "fired"))
    wait_until(lambda: len(c.instants("early")) == 11, 10, "all since the start")
    c.flow("late", line="*/2 * * * *")  # another schedule
    c.await_end("late")
    c.server.stop()
    c.clock.set(NOON + 20 * MINUTE + 30_000)
    c.server.start()
    c.pass_minute(NOON + 22 * MINUTE)
    c.await_outcomes("late", (NOON + 11 * MINUTE, "fired"), (NOON + 22 * MINUTE, "fired"))
    (c.folder / "flows/late.json").unlink()
    c.publish()
    assert [s["flow"] for s in c.get("schedules")["schedules"]] == ["early"]
    c.clock.set(NOON + 30 * MINUTE + 30_000)
    c.flow("late", line="*/2 * * * *")
    c.publish()
    c.pass_minute(NOON + 32 * MINUTE)
    c.await_outcomes("late", *[(NOON + n * MINUTE, "fired") for n in (11, 22, 32)])


def test_the_same_folder_again_changes_nothing(clockwork):
    c = clockwork()
    c.flow("minutely")
    c.server.start()
    c.flow("other", line="0 0 1 1 *")
    c.server.kill()
    c.clock.set(NOON + 3 * MINUTE + 10_000)
    c.server.start()  # publishes `other`; what `minutely` missed is not forgotten
    c.await_outcomes("minutely", (NOON + MINUTE, "merged"), (NOON + 2 * MINUTE, "merged"), (NOON + 3 * MINUTE, "fired"))


def test_a_clock_that_is_set(clockwork):
    c = clockwork()
    c.flow("minutely")
    c.server.start()
    c.pass_minute(NOON + MINUTE)
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"))
    c.clock.set(NOON - 60 * MINUTE)  # back by an hour, on the way to the same minute again
    time.sleep(1.5)
    c.pass_minute(NOON)
    time.sleep(1.5)
    c.pass_minute(NOON + MINUTE)
    time.sleep(1.5)
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"))
    c.clock.set(NOON + 90 * MINUTE + 1000)  # forward
    wait_until(lambda: len(c.instants("minutely")) == 90, 10, "what the clock jumped over")
    c.pass_minute(NOON + 91 * MINUTE)
    wait_until(lambda: len(c.instants("minutely")) == 91, 10, "the next minute")
    rows = is_each_once(c, "minutely", 1, 91)
    assert [r["due_ms"] for r in rows if r["outcome"] == "fired"] == [NOON + n * MINUTE for n in (1, 90, 91)]


def test_kill_around_firing(clockwork):
    """kill -9 at any moment of a minute's begin: each minute is accounted for once, none is lost, no run comes twice."""
    c = clockwork()
    c.flow("once")
    c.flow("all", missed="all", overlap="queue")
    c.flow("beside", overlap="allow", missed="all")
    moments = random.Random(7)
    c.server.start()
    last = int(os.environ.get("KILLS", 12))
    for n in range(1, last + 1):
        c.clock.set(NOON + n * MINUTE - 1200)  # time to see it, and to sleep until the very moment
        time.sleep(1.2 + moments.uniform(-0.003, 0.025))
        c.server.kill()
        if n % 4 == 0:  # down over some
            c.clock.set(NOON + n * MINUTE + 59_500)
        c.server.start()
    c.clock.set(NOON + last * MINUTE + 30_000)
    for flow in "once", "all", "beside":
        wait_until(lambda f=flow: not [o for _, o in c.outcomes(f) if o == "queued"] and len(c.instants(f)) == last, 20, flow)
        is_each_once(c, flow, 1, last)
    for flow in "all", "beside":
        assert {o for _, o in c.outcomes(flow)} == {"fired"}


def test_full_disk_at_firing(clockwork):
    """What could not be stored when it was due is stored when it can be."""
    c = clockwork()
    c.flow("minutely", missed="skip", overlap="allow")
    c.server.start()
    c.pass_minute(NOON + MINUTE)
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"))
    is_each_once(c, "minutely", 1, 1)
    pid = c.server.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (c.server.log.stat().st_size + 8192, hard))  # the log still fits, a commit does not
    c.pass_minute(NOON + 2 * MINUTE)
    wait_until(lambda: "event=tried_again" in c.server.log.read_text(), 10, "the log's line")
    c.clock.set(NOON + 4 * MINUTE + 30_000)
    time.sleep(2.5)
    assert c.outcomes("minutely") == [(NOON + MINUTE, "fired")]
    assert c.server.log.read_text().count("event=tried_again") == 1, "it is said once"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "fired"), (NOON + 3 * MINUTE, "skipped"),
                     (NOON + 4 * MINUTE, "fired"), seconds=20)  # it is half a minute late only
    is_each_once(c, "minutely", 1, 4)


def test_a_flow_that_is_switched_off_accounts_for_what_it_skips(clockwork):
    c = clockwork()
    c.flow("minutely")
    c.server.start()
    c.pass_minute(NOON + MINUTE)
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"))
    switch = lambda on: c.server.api("PUT", "/workspaces/clockwork/flows/minutely/enabled", {"enabled": on}).status
    assert switch(False) == 200
    c.pass_minute(NOON + 2 * MINUTE)
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "skipped"))
    assert c.instants("minutely")[-1]["reason"] == "the flow was switched off"
    assert switch(True) == 200
    c.pass_minute(NOON + 3 * MINUTE)
    c.await_outcomes("minutely", (NOON + MINUTE, "fired"), (NOON + 2 * MINUTE, "skipped"), (NOON + 3 * MINUTE, "fired"))
