"""Somebody watches a release whose run has died: what Prefect knows of it is told, or since when nothing came."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from gatewright.services.prefect_api import PrefectApi
from gatewright.wiring import Services
from tests.cli.conftest import COLOUR, Run
from tests.cli.test_watch_command import Gates, R
from tests.services.reports.example_view import NOON, OPENING

MINUTE = timedelta(minutes=1)


class Prefect:
    """The routes of Prefect's API that are read here; ``asked`` counts how often it was asked for the first run."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.heard: dict[str, datetime] = {}
        self.down = False
        self.asked = 0
        self.state(OPENING.flow_run, "RUNNING", "Running")

    def state(self, run_id: str, kind: str, name: str, message: str = "", **parameters: str) -> None:
        state = {"type": kind, "name": name, "message": message}
        self.runs[run_id] = {"id": run_id, "state": state, "parameters": parameters}

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused")
        path = request.url.path.removeprefix("/api")
        if path == "/flow_runs/filter":
            asked = json.loads(request.content)
            assert asked["flows"]["name"]["any_"] == ["retrain", "release"]
            return httpx.Response(200, json=[run for run_id, run in self.runs.items() if run_id != OPENING.flow_run])
        if path == "/events/filter":
            (named,) = json.loads(request.content)["filter"]["resource"]["id"]
            at = self.heard.get(named.removeprefix("prefect.flow-run."))
            return httpx.Response(200, json={"events": [{"occurred": at.isoformat()}] if at else []})
        self.asked += 1
        found = self.runs.get(path.rpartition("/")[2])
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={})


class Watched:
    """A release that is watched; each time the watcher sleeps, the clock goes on by ``step``."""

    def __init__(self, gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gates = gates
        self.at, self.step = NOON, MINUTE
        services = replace(gates.services, now=lambda: self.at)
        monkeypatch.setattr("gatewright.wiring.connect", lambda *, read_only: services)
        monkeypatch.setattr("gatewright.cli.watch.time.sleep", self.sleep)
        self.steps: Iterator[Callable[[], None]] = iter(())

    def plan(self, *steps: Callable[[], None]) -> None:
        self.steps = iter(steps)

    def sleep(self, _seconds: float) -> None:
        self.at += self.step
        next(self.steps, leave)()


def leave() -> None:
    raise KeyboardInterrupt


def nothing() -> None:
    """No stage ends."""


@pytest.fixture
def watched(services: Services, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return Watched(Gates(services), monkeypatch)


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Prefect:
    found = Prefect()
    client = httpx.Client(base_url="http://p/api", transport=httpx.MockTransport(found.answer))
    monkeypatch.setenv("PREFECT_API_URL", "http://p/api")
    monkeypatch.setattr(PrefectApi, "connect", classmethod(lambda cls, settings: cls(client)))
    return found


@pytest.mark.parametrize(("kind", "name"), [("CRASHED", "Crashed"), ("FAILED", "Failed"), ("CANCELLED", "Cancelled")])
def test_a_run_that_prefect_knows_to_be_over_is_told_with_the_command_that_goes_on(
    run: Run, watched: Watched, prefect: Prefect, kind: str, name: str
) -> None:
    """Exit code 1, what Prefect says of it, and how to take the release over or end it."""
    prefect.state(OPENING.flow_run, kind, name, "the process ended with status -9.")
    watched.plan(watched.gates.stage("ingest"), nothing, nothing)
    code, out, err = run("watch", R)
    assert code == 1
    assert "ingest" in out
    assert f"its run has ended as {name}, and nothing works on it any more: the process ended with status -9." in err
    taken = f'{{"model": "early", "period": "2000", "release_id": "{R}"}}'
    assert f"prefect deployment run retrain/retrain --params '{taken}'" in err
    assert f"gatewright abandon {R}" in err


def test_an_approved_release_whose_run_has_died_is_told_too(run: Run, watched: Watched, prefect: Prefect) -> None:
    """It waits for nobody any more, so nothing else would end the watching."""
    watched.gates.decided()
    watched.gates.approved()
    prefect.state(OPENING.flow_run, "CRASHED", "Crashed")
    watched.plan(nothing, nothing)
    code, _, err = run("watch", R)
    assert (code, "its run has ended as Crashed" in err) == (1, True)


def test_a_heartbeat_that_is_old_is_a_death_though_prefect_says_running(
    run: Run, watched: Watched, prefect: Prefect
) -> None:
    """After kill -9 the state stays Running for ever; a recent heartbeat, or none at all, is no death."""
    prefect.heard[OPENING.flow_run] = NOON
    watched.plan(*[nothing] * 12)
    code, _, err = run("watch", R)
    assert (code, "its run is Running in Prefect, but was last heard of 10 min ago" in err) == (1, True)
    prefect.heard.clear()
    assert run("watch", R)[0] == 3


def test_a_run_that_took_over_is_the_one_that_counts(run: Run, watched: Watched, prefect: Prefect) -> None:
    """The first has crashed, another works on; a run of another release is none of ours."""
    prefect.state(OPENING.flow_run, "CRASHED", "Crashed")
    prefect.state("second", "RUNNING", "Running", release_id=R)
    prefect.state("other", "RUNNING", "Running", release_id="other-1")
    watched.plan(nothing, nothing)
    assert run("watch", R)[0] == 3
    prefect.state("second", "FAILED", "Failed", "the store was away.", release_id=R, candidate_of="triage-2000-1")
    watched.plan(nothing, nothing)
    code, _, err = run("watch", R)
    assert (code, "its run has ended as Failed" in err) == (1, True)
    assert "prefect deployment run release/release" in err
    assert '"candidate_of": "triage-2000-1"' in err


def test_a_run_that_no_worker_has_begun_with_is_no_death_but_told_once(
    run: Run, watched: Watched, prefect: Prefect
) -> None:
    """Resumed after an approval, and no worker is there."""
    prefect.state(OPENING.flow_run, "SCHEDULED", "Late")
    watched.plan(nothing, nothing, nothing)
    code, out, _ = run("watch", R)
    assert (code, out.count("Its run is Late: no worker has begun with it.")) == (3, 1)


def test_without_prefect_a_silence_longer_than_usual_is_told_once_with_what_is_usual(
    run: Run, watched: Watched
) -> None:
    """The stage took 2.5 s in the champion's release; since when nothing came, and what to do if the run has died."""
    watched.step = timedelta(seconds=40)
    for stage in watched.gates.all_stages()[:5]:
        stage()
    watched.plan(*[nothing] * 4)
    code, out, _ = run("watch", R)
    lines = out.splitlines()
    told = [line for line in lines if line.startswith("Nothing was recorded since 2026-03-02 12:00:")]
    assert (code, len(told)) == (3, 1)
    assert "The stage evaluate took 2.5 s in triage-2000-1." in told[0]
    after = lines[lines.index(told[0]) + 1 :]
    assert after[0] == "  If its run has died, start one that goes on after the last stage that finished:"
    assert after[1].strip().startswith("prefect deployment run retrain/retrain --params ")


def test_prefect_that_does_not_answer_is_as_none(run: Run, watched: Watched, prefect: Prefect) -> None:
    """The store is enough to watch with."""
    prefect.down = True
    watched.plan(*[nothing] * 7)
    code, out, err = run("watch", R)
    assert (code, err, out.count("Nothing was recorded since")) == (3, "", 1)


def test_while_all_is_as_usual_nobody_is_asked_and_nothing_told(run: Run, watched: Watched, prefect: Prefect) -> None:
    """Prefect is asked after fifteen seconds of silence, and once in as many."""
    watched.step = timedelta(seconds=1)
    watched.plan(*[nothing] * 14)
    assert "Nothing was recorded" not in run("watch", R)[1]
    assert prefect.asked == 0
    watched.at = NOON
    watched.plan(*[nothing] * 40)
    assert "Nothing was recorded" not in run("watch", R)[1]
    assert prefect.asked == 2


def test_people_may_think_as_long_as_they_like(run: Run, watched: Watched, prefect: Prefect) -> None:
    """A release that waits for approval is silent by rights, even with its run suspended."""
    watched.gates.decided()
    prefect.state(OPENING.flow_run, "PAUSED", "Suspended")
    watched.plan(*[nothing] * 20)
    code, out, _ = run("watch", R, "--stay")
    assert (code, "Nothing was recorded" in out, prefect.asked) == (3, False, 0)


def test_machines_get_the_silence_as_an_object(run: Run, watched: Watched) -> None:
    """With the command."""
    watched.plan(*[nothing] * 7)
    events = [json.loads(line) for line in run("watch", R, "--json")[1].splitlines()]
    assert [one["event"] for one in events] == ["silent", "left"]
    assert R in events[0]["next_step"]["command"]


def test_a_terminal_shows_the_silence_below_the_stages(
    run: Run, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until something comes."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    watched.plan(*[nothing] * 8)
    shown = COLOUR.sub("", run("watch", R)[1])
    frame = shown[shown.rindex(f"{R}: 2000") :]
    assert "Nothing was recorded since 2026-03-02 12:00:00 UTC" in " ".join(frame.split())
    assert "prefect deployment run retrain/retrain" in frame
