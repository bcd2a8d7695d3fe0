"""A release that one person lets through in an emergency: at a terminal, through promotion, and afterwards."""

from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.cli import main
from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.releases import ReleaseState
from gatewright.services.overdue import Overdue
from gatewright.services.prefect_api import PrefectApi
from gatewright.services.promotion import promote
from tests.services.reports.example_view import NOON
from tests.services.waiting_release import SIGNED, WaitingRelease

REASON = "The model that serves fails on every request."
TWO = SIGNED.model_copy(update={"approvals": 2})


class Night:
    """Nobody answers the phone, and two people would have to approve."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.release = WaitingRelease(folder, TWO)
        self.book = self.release.book
        monkeypatch.setattr("gatewright.wiring.connect", self.release.services)
        monkeypatch.setattr(PrefectApi, "connect", lambda settings: self.release.prefect.api())

    def run(self, command: str, person: str = "dana.reyes") -> int:
        key = str(self.release.people.keys[person])
        return main([command, "r1", "--key", key, "--reason", REASON, "--yes", "--wait", "0"])

    def promote(self) -> None:
        services, release = self.release.services(), self.release
        promote(
            services.releases,
            services.deployment,
            release.opening,
            release.data,
            release.candidate,
            release.request,
            rosters=(services.releases.roster(release.opening), services.roster()),
            signatures=services.signatures,
            now=services.now,
        )
        services.releases.close(release.opening, ReleaseState.DEPLOYED, "gatewright")

    def emergency(self):
        services = self.release.services()
        overdue = Overdue(
            services.releases, services.ledger, services.evidence, services.channels, "production", services.now
        )
        found = overdue.emergency("triage")
        if found:
            overdue.emergency_told("triage", found)
        return found


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Nothing has been signed yet."""
    return Night(tmp_path, monkeypatch)


def test_one_signature_puts_the_model_into_production(night: Night):
    """Its own event in the ledger, with who, why and until when; the channel names who let it through."""
    with pytest.raises(ApprovalError):
        night.promote()
    assert night.run("break-glass") == 0
    night.promote()
    event = next(entry for entry in night.book.entries() if entry.kind == "break_glass")
    assert (event.actor, event.assurance) == ("dana.reyes", "signed")
    assert event.note == f"until 2026-03-03T12:00:00+00:00: {REASON}"
    head = night.release.services().channels.head("triage", "production")
    assert (head[1].actor, head[1].release_id) == ("dana.reyes", "r1")


def test_it_lasts_until_enough_people_have_approved_afterwards(night: Night):
    """Expired, it is told each time and written down once; who broke the glass may be one of the two."""
    night.run("break-glass")
    night.promote()
    night.book.now = NOON + timedelta(hours=24)
    assert night.emergency() is None
    night.book.now += timedelta(seconds=1)
    assert night.emergency() == night.emergency()
    assert night.emergency().principal == "dana.reyes"
    assert night.book.kinds().count("break_glass_expired") == 1
    assert [night.run("approve"), night.run("approve", "sam.okafor")] == [3, 0]
    assert night.emergency() is None
    assert night.book.kinds().count("approved") == 2


def test_nobody_approves_twice_afterwards_nor_rejects_what_serves(night: Night):
    """The quorum needs distinct people; what serves is rolled back, not rejected."""
    night.run("break-glass")
    night.promote()
    assert [night.run("approve"), night.run("approve"), night.run("reject", "sam.okafor")] == [3, 2, 2]
    assert [night.run("approve", "sam.okafor"), night.run("approve", "sam.okafor")] == [0, 1]


def test_the_author_and_who_lacks_the_role_break_no_glass(night: Night):
    """Kim trained the candidate, Sam may approve it; neither may do it alone. Nothing was sent."""
    assert [night.run("break-glass", name) for name in ("kim.larsen", "sam.okafor")] == [2, 2]
    assert night.release.prefect.typed == []


def test_once_somebody_rejected_nobody_breaks_the_glass(night: Night):
    """The release has ended."""
    assert night.run("reject", "sam.okafor") == 0
    assert night.run("break-glass") == 1


def test_evidence_that_changed_after_the_glass_broke_stops_it(night: Night):
    """Only the quorum is replaced."""
    night.run("break-glass")
    night.release.swap(b"model")
    with pytest.raises(IntegrityError):
        night.promote()


def test_a_planted_emergency_is_none(night: Night):
    """A record that nobody's token proves, or that the ledger does not know, lets nothing through."""
    night.run("break-glass")
    night.release.edit("answer-1", b'"expires":"2026-03-03', b'"expires":"2027-03-03')
    with pytest.raises(IntegrityError, match="something else was break_glass"):
        night.promote()


def test_rolled_back_it_bothers_nobody(night: Night):
    """What does not serve needs no quorum."""
    night.run("break-glass")
    night.book.now = NOON + timedelta(hours=25)
    assert night.emergency() is None
