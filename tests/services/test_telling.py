"""The ledger is what people are told of: once, by whichever run comes by, and not of what is long over."""

from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.core.errors import StoreError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.releases import ReleaseState
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.outbox import Outbox
from gatewright.services.telling import NEWS, Telling
from tests.core.test_notices import finding, looked
from tests.core.waiver_examples import waiver
from tests.services.release_book import ROSTER, Asked, Book
from tests.services.reports.example_view import NOON
from tests.services.test_overdue import serving_under


class Office:
    """A release that waits, and whoever tells people of it."""

    def __init__(self, folder: Path) -> None:
        self.book = Book(folder)
        self.asked = Asked(self.book)

    def telling(self) -> Telling:
        """As another process would: nothing is remembered."""
        book = self.book
        return Telling(
            book.process(), LedgerStore(book.store), self.outbox, lambda: ROSTER,
            lambda opening: f"http://prefect/runs/flow-run/{opening.flow_run}", lambda: book.now,
        )  # fmt: skip

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.book.store, lambda: self.book.now)

    def told(self) -> list[str]:
        return [notice.event for notice in self.telling().what_happened("triage")]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_people_are_asked_once_however_often_the_run_starts_again(office: Office):
    """A run that was suspended, or taken over, goes through the same lines again."""
    (notice,) = office.telling().what_happened("triage")
    assert (notice.event, notice.link) == ("asked", "http://prefect/runs/flow-run/clever-otter")
    assert office.told() == []


def test_what_a_dead_run_did_not_tell_the_next_sweep_tells(office: Office):
    """It had closed the release and died before it told anybody."""
    office.told()
    office.asked.releases.close(office.asked.opening, ReleaseState.FAILED, "gatewright", note="the store went away")
    office.book.now += timedelta(minutes=10)
    (notice,) = office.telling().what_happened("triage")
    assert (notice.event, notice.reasons) == ("failed", ("gatewright: the store went away",))


def test_a_store_that_fails_while_people_are_told_leaves_it_for_the_next(office: Office):
    """Nothing was stored, so nothing counts as told."""
    office.book.store.fail("create", StoreError("down.", where="store", remedy="wait."), key_part="notices/")
    with pytest.raises(StoreError):
        office.told()
    assert office.told() == ["asked"]


def test_a_question_that_was_answered_before_anybody_heard_of_it_is_not_asked(office: Office):
    """Only how it ended is told."""
    office.asked.releases.close(office.asked.opening, ReleaseState.DEPLOYED, "gatewright")
    assert office.told() == ["deployed"]


def test_an_outbox_that_is_younger_than_the_ledger_tells_no_old_news(office: Office):
    """Three days; the day after an upgrade nobody reads of last year."""
    office.book.now += NEWS + timedelta(seconds=1)
    assert office.told() == []


def test_a_rollback_is_told_each_time(office: Office):
    """Two of them to one release, each with its reason."""
    ledger = LedgerStore(office.book.store)
    office.told()
    for number in (1, 2):
        ledger.append(
            "triage",
            LedgerEntry(
                kind="rolled_back", release_id="r1", actor="dana.reyes", at=office.book.now, assurance="gateway",
                digests={"move": f"{number}" * 64, "model": "a" * 64}, note="It misses too many of the old.",
            ),
        )  # fmt: skip
        (notice,) = office.telling().what_happened("triage")
        assert notice.reasons == ("dana.reyes (gateway): It misses too many of the old.",)


def test_time_reminds_once_and_once_more_near_the_end(office: Office):
    """The sweep looks every ten minutes; the message comes at half of the window and at nine tenths."""
    told = []
    for hours in (1, 36, 37, 50, 65, 66, 71):
        office.book.now = NOON + timedelta(hours=hours)
        notice = office.telling().what_is_due("triage")
        told += [(hours, notice.event)] if notice else []
    assert told == [(36, "reminded"), (65, "closing")]


def test_a_model_that_nobody_knows_is_due_for_nothing(office: Office):
    """Neither is one whose release has ended."""
    assert office.telling().what_is_due("unknown") is None
    office.asked.releases.close(office.asked.opening, ReleaseState.REJECTED, "dana.reyes")
    office.book.now += timedelta(hours=40)
    assert office.telling().what_is_due("triage") is None


def test_a_drift_that_lasts_a_day_pages_once(office: Office):
    """Twenty-four looks at the same column, then a day without it, then it comes back."""
    paged = []
    for hour in range(72):
        office.book.now = NOON + timedelta(hours=hour)
        drifts = not 24 <= hour < 48
        decision = looked(finding("failed", "alert") if drifts else finding("passed", "record"))
        if office.telling().what_production_shows("triage", "r1", decision):
            paged.append(hour)
    assert paged == [0, 48]


def test_a_waiver_that_ends_within_a_week_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Early enough to do something, and not again with each sweep."""
    serving = serving_under(tmp_path, monkeypatch)
    services, expires = serving.release.services(), waiver().statement.expires
    told = []
    for before in (timedelta(days=7, seconds=1), timedelta(days=7), timedelta(days=1), timedelta(0)):
        serving.book.now = expires - before
        telling = Telling(
            services.releases, services.ledger, Outbox(services.records, services.now), services.roster,
            lambda _: "", services.now,
        )  # fmt: skip
        told += [(before, notice.reasons[0]) for notice in telling.what_expires("triage", serving.overdue)]
    assert told == [(timedelta(days=7), waiver().in_full)]
