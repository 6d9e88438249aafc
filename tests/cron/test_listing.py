"""What the API and the command line tell of schedules: when they are due, by which clock."""
from clockwork import MINUTE, WORKSPACE, ms_of

NOON = ms_of("2026-11-23T12:00")


def local(schedule):
    return [t["local"] for t in schedule["next"]]


def test_next_times_and_clock_changes(clockwork):
    c = clockwork("2026-03-27T12:00:30")
    c.flow("night", line="30 2 * * *", zone="Europe/Berlin", overlap="queue", missed="all")
    c.flow("interval", every="6 hours")
    c.server.start()
    interval, night = c.get("schedules")["schedules"]
    assert (night["flow"], night["line"], night["zone"], night["overlap"], night["missed"]) == ("night", "30 2 * * *", "Europe/Berlin", "queue", "all")
    assert local(night) == ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00",
                            "2026-03-31T02:30:00+02:00", "2026-04-01T02:30:00+02:00"], "the gap fires at its end"
    assert [t["due_ms"] for t in night["next"]][:2] == [ms_of("2026-03-28T01:30"), ms_of("2026-03-29T01:00")]
    assert night["clock_change"] == {"at_ms": ms_of("2026-03-29T01:00"), "local_before": "2026-03-29T02:00:00+01:00",
                                     "local_after": "2026-03-29T03:00:00+02:00"}
    assert night["recent"] == [] and night["last_run"] is None
    assert (interval["every"], interval["line"], interval["zone"], interval["overlap"], interval["missed"]) == ("6 hours", None, None, "skip", "once")
    assert {b["due_ms"] - a["due_ms"] for a, b in zip(interval["next"], interval["next"][1:])} == {360 * MINUTE}
    assert interval["clock_change"] is None
    autumn = c.get("schedules/night?limit=3&from=%d" % ms_of("2026-10-24T00:30"))
    assert local(autumn) == ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"], "from is included"
    assert autumn["clock_change"]["at_ms"] == ms_of("2026-10-25T01:00")
    assert len(c.get("schedules/night?limit=1000")["next"]) == 1000
    assert c.get("schedules/night?limit=1")["clock_change"] is None, "not before the first"


def test_the_times_are_the_same_after_a_restart(clockwork):
    c = clockwork()
    c.flow("interval", every="5 minutes")
    c.server.start()
    before = c.get("schedules/interval")["next"]
    c.server.stop()
    c.clock.set(NOON + 2 * MINUTE + 500)
    c.server.start()
    after = c.get("schedules/interval")["next"]
    assert set(t["due_ms"] for t in before[1:90]) < set(t["due_ms"] for t in after)


def test_refusals(clockwork):
    c = clockwork()
    c.flow("minutely")
    c.server.start()
    for path, status, word in [("schedules/none", 404, "none"), ("schedules/minutely?limit=0", 400, "limit"),
                               ("schedules?limit=1001", 400, "limit"), ("schedules/minutely?from=x", 400, "from"),
                               ("schedules/minutely?form=1", 400, "form"), ("schedules/minutely/instants?limit=2000", 400, "limit")]:
        answer = c.server.api("GET", f"/workspaces/{WORKSPACE}/{path}")
        assert answer.status == status and word in answer.json["detail"], answer.body
    c.flow("bad", overlap="never", line="61 * * * *")
    told = c.server.command("check", c.folder, check=False)
    assert told.returncode == 1 and "skip, queue, allow" in told.stdout + told.stderr


def test_command_line(clockwork):
    c = clockwork("2026-03-28T23:59:30")
    c.flow("night", line="30 2 * * *", zone="Europe/Berlin")
    c.flow("minutely")
    c.server.start()
    c.pass_minute(ms_of("2026-03-29T00:00"))
    c.await_outcomes("minutely", (ms_of("2026-03-29T00:00"), "fired"))
    text = c.server.command("schedules").stdout
    for words in ("night: 30 2 * * *, Europe/Berlin; overlap skip, missed once", "next  2026-03-29 03:00 +02:00",
                  "the clock changes meanwhile: 2026-03-29 02:00 +01:00 becomes 2026-03-29 03:00 +02:00",
                  "2026-03-29 00:00 UTC  fired  run "):
        assert words in text, text
    assert "minutely" not in c.server.command("schedules", "night").stdout
    assert c.server.command("schedules", "other", check=False).returncode == 1
