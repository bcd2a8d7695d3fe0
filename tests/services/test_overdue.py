"""What time alone makes due is found once, and told to the right people."""

from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.core.decision import Decision
from gatewright.services.overdue import Overdue
from tests.core.waiver_examples import waiver
from tests.services.release_book import Asked
from tests.services.reports.example_view import NOON
from tests.services.waiting_release import SIGNED, WaitingRelease

LATE = SIGNED.model_copy(update={"escalate_after_hours": 4.0, "escalate_to": ("compliance-officer",)})


class Office:
    """A release that waits, and who looks after it."""

    def __init__(self, folder: Path, tier=LATE) -> None:
        self.release = WaitingRelease(folder, tier)
        self.book = self.release.book

    @property
    def overdue(self) -> Overdue:
        services = self.release.services()
        return Overdue(
            services.releases, services.ledger, services.evidence, services.channels, "production", services.now
        )

    def escalation(self):
        return self.overdue.escalation("triage", self.release.services().roster())


def test_a_release_is_escalated_to_the_second(tmp_path: Path):
    """Four hours after people were asked, to everybody who holds the role; not a second earlier."""
    office = Office(tmp_path)
    office.book.now = NOON + timedelta(hours=4, seconds=-1)
    assert office.escalation() is None
    office.book.now = NOON + timedelta(hours=4)
    found = office.escalation()
    assert (found.release_id, found.roles, found.people) == ("r1", ("compliance-officer",), ("sam.okafor",))


def test_people_are_told_once(tmp_path: Path):
    """The ledger remembers it for every later sweep."""
    office = Office(tmp_path)
    office.book.now = NOON + timedelta(hours=5)
    office.overdue.escalated(office.escalation())
    assert office.escalation() is None
    assert office.book.entries()[-1].note == "told: compliance-officer, sam.okafor"


def test_whoever_dies_before_the_note_tells_again(tmp_path: Path):
    """Twice rather than never."""
    office = Office(tmp_path)
    office.book.now = NOON + timedelta(hours=5)
    assert office.escalation() == office.escalation()


def test_nobody_is_bothered_by_a_release_that_was_approved(tmp_path: Path):
    """It may be on its way into production."""
    office = Office(tmp_path, LATE.model_copy(update={"assurance": "declared", "risk": "low"}))
    office.release.answer(1)
    office.book.now = NOON + timedelta(hours=5)
    assert office.escalation() is None


def test_a_tier_without_escalation_escalates_nothing(tmp_path: Path):
    """However long it takes."""
    office = Office(tmp_path, SIGNED)
    office.book.now = NOON + timedelta(days=3)
    assert office.escalation() is None


def serving_under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The release serves, and its decision rests on a waiver."""
    record = Asked.record

    def waived(self, name, given):
        return record(
            self, name, given.model_copy(update={"waivers": (waiver(),)}) if isinstance(given, Decision) else given
        )

    monkeypatch.setattr(Asked, "record", waived)
    office = Office(tmp_path)
    entry = ChannelEntry(
        action="deploy", release_id="r1", model_sha256=office.release.request.model_sha256,
        actor="dana.reyes", reason="Better for every group.", at=NOON, operation="r1",
    )  # fmt: skip
    office.release.services().channels.move("triage", "production", entry, expected=0)
    return office


def test_a_waiver_that_ends_under_the_model_that_serves_is_told_once(tmp_path: Path, monkeypatch):
    """The model goes on serving, but somebody must decide what becomes of it."""
    office = serving_under(tmp_path, monkeypatch)
    office.book.now = waiver().statement.expires
    assert office.overdue.expired_waivers("triage") == []
    office.book.now += timedelta(seconds=1)
    (found,) = office.overdue.expired_waivers("triage")
    assert found.waiver == waiver()
    office.overdue.waiver_expired(found)
    assert office.overdue.expired_waivers("triage") == []
    assert office.book.kinds()[-1] == "waiver_expired"


def test_where_nothing_serves_no_waiver_matters(tmp_path: Path):
    """Neither for a model that nobody knows."""
    office = Office(tmp_path)
    assert office.overdue.expired_waivers("triage") == []
    assert office.overdue.expired_waivers("unknown") == []
