"""The sweep does what a suspended run cannot: it runs while people think."""

from datetime import timedelta
from pathlib import Path

import pytest
from prefect import flow, get_client
from prefect.states import Paused

from flows.sweep import sweep
from gatewright.core.releases import ReleaseState
from gatewright.services.attestations import LATE_ATTESTATION, Attestation
from tests.services.audit_world import AuditWorld
from tests.services.emergencies import break_glass, with_break_glass
from tests.services.reports.example_view import NOON
from tests.services.waiting_release import SIGNED, WaitingRelease

LATE = SIGNED.model_copy(update={"escalate_after_hours": 4.0, "escalate_to": ("compliance-officer",)})


@flow(name="waits")
def waits() -> None:
    """Stands for a run that was suspended."""


@pytest.fixture
def release(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WaitingRelease:
    """It waits in a run that is paused on the real server."""
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(waits)
        client.set_flow_run_state(run.id, Paused(timeout_seconds=600), force=True)
    found = WaitingRelease(tmp_path, LATE, flow_run=str(run.id))
    monkeypatch.setattr("tasks.sweep.connect", found.services)
    return found


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What people are told."""
    told: list[dict] = []
    monkeypatch.setattr("tasks.events.emit_event", lambda **event: told.append(event))
    return told


def test_who_waits_too_long_is_named_once_and_expires_in_the_end(release: WaitingRelease, events):
    """One event names roles and people; when the window is over the release ends, and so does its run's state."""
    release.book.now = NOON + timedelta(hours=5)
    assert sweep(return_state=True).name == "Swept"
    assert sweep(return_state=True).name == "Swept"
    (event,) = events
    assert event["event"] == "gatewright.approval.escalated"
    assert (event["payload"]["roles"], event["payload"]["people"]) == (["compliance-officer"], ["sam.okafor"])
    assert release.book.kinds().count("escalated") == 1

    release.book.now = release.request.expires_at + timedelta(seconds=1)
    sweep(return_state=True)
    assert release.services().releases.state(release.opening) is ReleaseState.EXPIRED
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(release.opening.flow_run).state_name == "Expired"


def test_a_quorum_after_a_break_glass_is_attested_by_the_next_sweep(prefect_server, events, tmp_path, monkeypatch):
    """Once, held against the roster of the moment at which the last of them approved."""
    (tmp_path / "keys").mkdir()
    world = AuditWorld(tmp_path, tmp_path / "keys")
    monkeypatch.setattr("tasks.sweep.connect", world.process)
    world.checkpoints.mkdir()
    world.govern(with_break_glass(world.policy))
    opening = world.open("r1")
    request = world.ask(opening)
    break_glass(world, opening, request)
    world.deploy(opening, request)
    for number, name in enumerate(("dana.reyes", "lee.wong"), 2):
        world.answer(opening, request, number, name)
    # By the roster in force afterwards she may approve nothing.
    world.change_roster(left={"dana.reyes": NOON.date() - timedelta(days=1)})
    assert sweep(return_state=True).name == "Swept"
    assert world.process().evidence.find(LATE_ATTESTATION, "r1", Attestation) is not None


def test_a_broken_ledger_does_not_keep_other_models_from_being_swept(release: WaitingRelease, events):
    """The run says what it could not do, and has done the rest."""
    release.book.store.objects["ledger/broken/0000000001.json"] = b"{}"
    release.book.now = NOON + timedelta(hours=5)
    state = sweep(return_state=True)
    assert (state.name, state.type.value) == ("Incomplete", "FAILED")
    assert "could not expire overdue of broken" in state.message
    assert [event["payload"]["release_id"] for event in events] == ["r1"]
