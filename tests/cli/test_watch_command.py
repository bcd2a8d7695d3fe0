"""Somebody watches a release while it runs: stages as they finish, rules as they are judged, the verdict at the end."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gatewright.core.errors import StoreError
from gatewright.core.releases import Champion, EvidenceRoot, Opening, ReleaseState
from gatewright.core.statements import Approval
from gatewright.services.release_records import AnswerRecord
from gatewright.wiring import Services
from tests.cli.conftest import COLOUR, Run
from tests.services.reports.example_view import CANDIDATE, DATA, NOON, STAGES, example_view, stage

R = "early-1"
LATER = NOON + timedelta(seconds=9)


class Gates:
    """A run that goes on by one step each time the watcher sleeps."""

    def __init__(self, services: Services) -> None:
        self.services = services
        stored = services.evidence.read("opening", "triage-2000-3", Opening)
        champion = Champion(release_id="triage-2000-1", model_sha256="a1" * 32)
        fresh = stored.model_copy(update={"release_id": R, "model": "early", "champion": champion})
        self.opening = services.releases.open(fresh)
        self.steps: Iterator[Callable[[], None]] = iter(())

    def plan(self, *steps: Callable[[], None]) -> None:
        self.steps = iter(steps)

    def sleep(self, _seconds: float) -> None:
        next(self.steps)()

    def stage(self, name: str) -> Callable[[], None]:
        found = STAGES.get(name, stage(name)).model_copy(update={"release_id": R})
        return lambda: void(self.services.releases.record(name, self.opening, found))

    def all_stages(self) -> list[Callable[[], None]]:
        names = (
            "ingest", "train", "validate", "lineage", "leakage", "evaluate", "slices", "uncertainty", "robustness",
            "fairness", "drift",
        )  # fmt: skip
        return [self.stage(name) for name in names]

    def decided(self, outcome: str = "promote") -> None:
        decision = example_view().decision
        assert decision is not None
        releases = self.services.releases
        releases.record("data", self.opening, DATA)
        releases.record("candidate", self.opening, CANDIDATE)
        decision = releases.record("decision", self.opening, decision.model_copy(update={"outcome": outcome}))
        root = EvidenceRoot(release_id=R, records={}, model_sha256=CANDIDATE.artifact.sha256)
        releases.record("root", self.opening, root)
        if outcome == "promote":
            releases.ask(self.opening, CANDIDATE, decision, environment="production")

    def approved(self) -> None:
        request = self.services.view(R).request
        assert request is not None
        approval = Approval(
            request=request.digest, decision="approve", principal="dana.reyes", role="release-manager",
            reason="Better for every group.", assurance="declared", at=NOON,
        )  # fmt: skip
        self.services.releases.record("answer-1", self.opening, AnswerRecord(approval=approval, refusal=None))

    def end(self, state: ReleaseState, note: str = "") -> Callable[[], None]:
        return lambda: void(self.services.releases.close(self.opening, state, "gatewright", note=note))


def void(_value: object) -> None:
    """A step returns nothing."""


@pytest.fixture
def gates(services: Services, monkeypatch: pytest.MonkeyPatch) -> Gates:
    run = Gates(services)
    monkeypatch.setattr("gatewright.cli.watch.time.sleep", run.sleep)
    return run


def test_stages_are_told_as_they_finish_and_the_verdict_ends_it(run: Run, gates: Gates) -> None:
    """In the order of the gates, with seconds and the rules that did not pass; 3: people are asked."""
    gates.plan(*gates.all_stages(), gates.decided)
    code, out, _ = run("watch", R)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 3
    assert lines[0] == f"{R}: 2000, opened by kim.larsen"
    assert "evaluate done 2.5 s 2 of 2 checks pass" in lines
    drift = lines.index("drift done 2.5 s 3 of 4 checks pass")
    assert lines[drift + 1] == "FAIL warns: feature-drift on year_built: PSI 0.320, at most 0.25"
    assert lines[drift + 2] == f"PASS {R}: it waits for approval"
    assert lines[-1] == f"gatewright approve {R}"
    told = [line.split()[0] for line in lines[1 : drift + 1]]
    assert told == ["ingest", "train", "validate", "lineage", "leakage", "evaluate", "slices", "uncertainty",
                    "robustness", "fairness", "drift"]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (ReleaseState.FAILED, 2, "it failed"),
        (ReleaseState.EXPIRED, 2, "it expired"),
        (ReleaseState.DEPLOYED, 0, "it was"),
    ],
)
def test_the_exit_code_is_the_release_s(run: Run, gates: Gates, state: ReleaseState, code: int, words: str) -> None:
    """0 deployed, 2 stopped, with what the ledger says of it."""
    gates.plan(gates.stage("ingest"), gates.end(state, "the data cannot be read"))
    found, out, _ = run("watch", R)
    assert found == code
    assert f"{R}: {words}" in out
    assert ("the data cannot be read" in out) == (state is not ReleaseState.DEPLOYED)


def test_a_blocked_release_names_the_command_that_explains_it(run: Run, gates: Gates) -> None:
    """The champion stays."""
    gates.plan(lambda: gates.decided("block"), gates.end(ReleaseState.BLOCKED))
    code, out, _ = run("watch", R)
    assert code == 2
    assert out.splitlines()[-1].strip() == f"gatewright explain {R}"


def test_once_enough_people_approved_it_is_watched_until_it_serves(run: Run, gates: Gates) -> None:
    """While people are asked it would end; with --stay it goes on through that too."""
    gates.plan(gates.decided, gates.approved, gates.end(ReleaseState.DEPLOYED))
    code, out, _ = run("watch", R, "--stay")
    assert (code, out.count("it was deployed")) == (0, 1)


def test_an_approved_release_is_not_over(run: Run, gates: Gates) -> None:
    """It waits for nobody any more: the watcher stays without being asked to."""
    gates.decided()
    gates.approved()
    gates.plan(gates.end(ReleaseState.DEPLOYED))
    assert run("watch", R)[0] == 0


def test_machines_get_one_object_a_line(run: Run, gates: Gates) -> None:
    """Stages with their results, then the end with the exit code."""
    gates.plan(gates.stage("drift"), gates.decided)
    code, out, _ = run("watch", R, "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in found] == ["stage", "waiting"]
    assert (found[0]["stage"], found[0]["seconds"], found[0]["passed"]) == ("drift", 2.5, 3)
    assert found[0]["not_passed"][0]["rule"] == "feature-drift"
    assert (found[1]["state"], found[1]["exit_code"]) == ("waiting", code)


def test_leaving_is_no_error_and_stops_nothing(run: Run, gates: Gates) -> None:
    """Ctrl-C: the release is as open as before."""

    def leave() -> None:
        raise KeyboardInterrupt

    gates.plan(gates.stage("ingest"), leave)
    code, out, err = run("watch", R)
    assert (code, err) == (3, "")
    assert out.endswith(f"You left; {R} goes on.\n")
    assert gates.services.releases.state(gates.opening) is ReleaseState.OPEN


def test_a_release_whose_run_has_died_is_an_error_not_a_wait_for_ever(
    run: Run, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is over, and nothing has come."""
    gates.plan(lambda: monkeypatch.setattr("gatewright.services.releases.Releases.expired", lambda *_: True))
    code, _, err = run("watch", R)
    assert code == 1
    assert "its run has died" in err
    assert "gatewright abandon" in err
    assert f'"release_id": "{R}"' in err


def test_a_store_that_is_away_for_a_moment_is_asked_again(run: Run, gates: Gates) -> None:
    """A restart takes a moment."""
    store = gates.services.records
    away = StoreError("the store does not answer.", where="store", remedy="start it.")
    gates.plan(lambda: store.fail("keys", away, times=2), *[lambda: None] * 2, gates.end(ReleaseState.FAILED))  # type: ignore[attr-defined]
    assert run("watch", R)[0] == 2


def test_a_store_that_stays_away_is_an_error(run: Run, gates: Gates) -> None:
    """After five looks, not for ever."""
    away = StoreError("the store does not answer.", where="store", remedy="start it.")
    fail = gates.services.records.fail  # type: ignore[attr-defined]
    gates.plan(lambda: fail("keys", away, times=9), *[lambda: None] * 9, gates.end(ReleaseState.FAILED))
    code, _, err = run("watch", R)
    assert (code, "the store does not answer." in err) == (1, True)


def test_a_terminal_shows_what_runs_what_waits_and_the_plots(
    run: Run, gates: Gates, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drawn anew with each look: evaluate is done, slices is at work since then, drift has not begun."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    later = replace(gates.services, now=lambda: LATER)
    monkeypatch.setattr("gatewright.wiring.connect", lambda *, read_only: later)
    shown: list[str] = []
    steps = [*gates.all_stages()[:6], lambda: shown.append(capsys.readouterr().out), *gates.all_stages()[6:]]
    gates.plan(*steps, gates.decided)
    run("watch", R)
    frame = COLOUR.sub("", shown[0])[COLOUR.sub("", shown[0]).rindex(f"{R}: 2000") :]
    lines = [" ".join(line.split()) for line in frame.splitlines()]
    assert "evaluate done 2.5 s 2 of 2 checks pass" in lines
    assert any(line.startswith("slices running") for line in lines)
    assert "drift waiting" in lines
    assert any(line.startswith("AUC 0.858 +0.030") and line.endswith("better") for line in lines)
    assert "year_built" not in frame
