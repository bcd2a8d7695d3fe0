"""A store in memory that holds a deployed, a blocked and an open release."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.cli import main
from gatewright.core.channels import ChannelEntry
from gatewright.core.decision import Decision
from gatewright.core.refs import Candidate
from gatewright.core.releases import EvidenceRoot, ReleaseState
from gatewright.core.roster import Person, Roster
from gatewright.settings import Settings
from gatewright.wiring import Services, build
from tests.fakes import MemoryStore
from tests.services.reports.example_view import CANDIDATE, DATA, NOON, OPENING, POLICY, SPEC, STAGES, example_view

ROSTER = Roster(
    version=1, people=(Person(id="dana.reyes", name="Dana", roles=("release-manager",), joined=NOON.date()),)
)
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    """``triage-2000-1`` deployed, ``triage-2000-2`` blocked, ``triage-2000-3`` open; the command line uses them."""
    monkeypatch.chdir(tmp_path)
    blobs, records = MemoryStore(), MemoryStore()

    def connect(*, read_only: bool = False) -> Services:
        """New objects for each command, as each command is a new process."""
        return build(Settings(root=tmp_path), blob_store=blobs, record_store=records, now=lambda: NOON)

    monkeypatch.setattr("gatewright.wiring.connect", connect)
    found = connect()
    decision = example_view().decision
    assert decision is not None
    _release(found, "triage-2000-1", ReleaseState.DEPLOYED, CANDIDATE, decision)
    blocked = decision.model_copy(update={"outcome": "block", "reasons": ("auc-floor: \x1b[2Jfailed",)})
    _release(found, "triage-2000-2", ReleaseState.BLOCKED, _candidate("b7"), blocked)
    _release(found, "triage-2000-3", None, _candidate("b8"), None)
    _deploy(found)
    return found


@pytest.fixture
def run(services: Services, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same as somebody sees it in a terminal of 80 columns, without its colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")

    def call(*arguments: str) -> tuple[int, str, str]:
        code, out, err = run(*arguments)
        assert "\x1b[" in out
        return code, COLOUR.sub("", out), err

    return call


def _candidate(digits: str) -> Candidate:
    return CANDIDATE.model_copy(update={"artifact": CANDIDATE.artifact.model_copy(update={"sha256": digits * 32})})


def _release(
    services: Services, release_id: str, state: ReleaseState | None, candidate: Candidate, decision: Decision | None
) -> None:
    pinned = {
        name: services.blobs.put(record.to_bytes(), "application/json")
        for name, record in (("spec", SPEC), ("policy", POLICY), ("roster", ROSTER))
    }
    opening = services.releases.open(OPENING.model_copy(update={"release_id": release_id, **pinned}))
    services.releases.record("data", opening, DATA)
    services.releases.record("candidate", opening, candidate)
    for name, evidence in STAGES.items():
        services.releases.record(name, opening, evidence.model_copy(update={"release_id": release_id}))
    if decision is not None:
        services.releases.record("decision", opening, decision)
        root = EvidenceRoot(release_id=release_id, records={}, model_sha256=candidate.artifact.sha256)
        services.releases.record("root", opening, root)
    if state is ReleaseState.DEPLOYED:
        services.releases.note(opening, "approved", "dana.reyes", note="Better for every group.", assurance="signed")
    if state is not None:
        services.releases.close(opening, state, "gatewright")


def _deploy(services: Services) -> None:
    for n, action in enumerate(("deploy", "confirm")):
        entry = ChannelEntry(
            action=action,  # type: ignore[arg-type]
            release_id="triage-2000-1",
            model_sha256=CANDIDATE.artifact.sha256,
            actor="dana.reyes",
            reason="Better for every group.",
            at=NOON + timedelta(minutes=n),
            operation="triage-2000-1",
        )
        services.channels.move("triage", "production", entry, expected=n)
