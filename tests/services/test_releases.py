"""The book of releases: one open release a model, records once, and an end once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gatewright.core.errors import ConflictError, GatewrightError, NotFoundError, StoreError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.releases import ReleaseState
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.release_records import AnswerRecord
from tests.services.release_book import Asked, Book
from tests.services.reports.example_view import NOON, POLICY, SPEC, STAGES


@pytest.fixture
def book(tmp_path) -> Book:
    return Book(tmp_path)


@pytest.fixture
def asked(book: Book) -> Asked:
    return Asked(book)


def test_a_release_is_opened_with_its_terms_in_the_ledger(book: Book):
    """The ledger holds the digest of what was pinned, and who asked."""
    opening = book.open()
    entry = book.entries()[0]
    assert (entry.kind, entry.release_id, entry.actor) == ("opened", "r1", "kim.larsen")
    pinned = {"policy": opening.policy.sha256, "roster": opening.roster.sha256}
    assert entry.digests == {"opening": opening.digest, **pinned}
    assert book.releases.state(opening) is ReleaseState.OPEN


def test_a_second_release_of_the_model_is_refused_while_the_first_is_open(book: Book):
    """The message names the first; nothing of the second is written."""
    book.open()
    with pytest.raises(ConflictError, match="release r1 has not ended"):
        book.open("r2")
    assert book.kinds() == ["opened"]
    assert book.evidence.releases() == ["r1"]


def test_releases_of_two_models_do_not_hinder_each_other(book: Book):
    """The lock is the model's ledger."""
    book.open()
    other = book.releases.open(book.terms("r2", model="other"))
    assert book.releases.state(other) is ReleaseState.OPEN


def test_an_open_release_is_taken_over_under_its_first_terms(book: Book):
    """Whatever the new run would have pinned."""
    first = book.open()
    book.now += timedelta(hours=1)
    assert book.process().open(book.terms(period="1999")) == first
    assert book.kinds() == ["opened"]


def test_an_ended_release_is_never_opened_again(book: Book):
    """Not even by a run that knows its id."""
    book.releases.close(book.open(), ReleaseState.REJECTED, "dana.reyes")
    with pytest.raises(ConflictError, match="has ended as rejected"):
        book.open()


def test_a_release_id_of_another_model_is_refused(book: Book):
    """Its terms would be taken over, and its ledger be written to."""
    book.open()
    with pytest.raises(ConflictError, match="a release of triage"):
        book.releases.open(book.terms(model="other"))
    assert book.kinds() == ["opened"]
    assert book.entries("other") == []


def test_a_release_whose_gates_took_too_long_makes_way(book: Book):
    """Its run is dead; it ends as expired, and the next one opens."""
    book.open()
    book.now += timedelta(hours=13)
    second = book.open("r2")
    assert [(entry.release_id, entry.kind) for entry in book.entries()] == [
        ("r1", "opened"),
        ("r1", "expired"),
        ("r2", "opened"),
    ]
    assert book.releases.state(second) is ReleaseState.OPEN


def test_of_two_releases_that_open_at_once_one_is_refused(book: Book):
    """The other wrote between our look at the ledger and our entry."""
    at_first_write(book, lambda: book.process().open(book.terms("r2")))
    with pytest.raises(ConflictError, match="release r2 has not ended"):
        book.open("r1")
    assert [(entry.release_id, entry.kind) for entry in book.entries()] == [("r2", "opened")]


def test_an_event_that_comes_between_does_not_hinder_an_opening(book: Book):
    """Monitoring writes to the same ledger; only another open release is a reason to refuse."""
    noise = LedgerEntry(kind="monitored", release_id="r0", actor="gatewright", at=NOON)
    at_first_write(book, lambda: LedgerStore(book.store).append("triage", noise))
    book.open()
    assert book.kinds() == ["monitored", "opened"]


def at_first_write(book: Book, happens: Callable[[], object]) -> None:
    """``happens`` just before the next entry of the ledger is written."""
    create, todo = book.store.create, [happens]

    def interrupted(key: str, body: bytes, media_type: str) -> bool:
        if key.startswith("ledger/") and todo:
            todo.pop()()
        return create(key, body, media_type)

    book.store.create = interrupted


def test_a_run_that_died_before_the_ledger_knew_is_repaired_by_the_next(book: Book):
    """The terms that it wrote hold."""
    first = book.terms()
    book.store.fail("create", StoreError("no answer.", where="s3", remedy="wait."), key_part="ledger/")
    with pytest.raises(StoreError, match="no answer"):
        book.releases.open(first)
    assert book.kinds() == []
    assert book.process().open(book.terms(period="1999")) == first
    assert book.kinds() == ["opened"]


def test_an_opening_whose_reply_was_lost_is_found_again(book: Book):
    """It is in the ledger once."""
    book.store.fail("create", StoreError("no answer.", where="s3", remedy="wait."), key_part="ledger/", applied=True)
    with pytest.raises(StoreError):
        book.open()
    book.process().open(book.terms())
    assert book.kinds() == ["opened"]


def test_the_first_record_of_a_stage_stands(book: Book):
    """A second run of the same stage gets what the first one wrote."""
    opening = book.open()
    first = STAGES["evaluate"].model_copy(update={"release_id": "r1"})
    second = first.model_copy(update={"finished_at": NOON + timedelta(hours=1)})
    assert book.releases.record("evaluate", opening, first) == first
    assert book.process().record("evaluate", opening, second) == first


def test_a_record_that_cannot_be_written_is_an_error(book: Book):
    """A failure to write evidence stops the release."""
    opening = book.open()
    book.store.fail("create", StoreError("no answer.", where="s3", remedy="wait."), key_part="evaluate")
    with pytest.raises(StoreError):
        book.releases.record("evaluate", opening, STAGES["evaluate"])


def test_an_event_is_noted_once(book: Book):
    """Also when a run that took over notes it later; another note is another event."""
    opening = book.open()
    for note in ("promote", "promote", "review"):
        book.now += timedelta(minutes=1)
        book.process().note(opening, "decided", "gatewright", note=note)
    assert [entry.note for entry in book.entries()] == ["", "promote", "review"]


def test_the_first_end_of_a_release_stands(book: Book):
    """Whoever closes it later is told how it ended."""
    opening = book.open()
    assert book.releases.close(opening, ReleaseState.FAILED, "gatewright") is ReleaseState.FAILED
    assert book.process().close(opening, ReleaseState.DEPLOYED, "gatewright") is ReleaseState.FAILED
    assert book.kinds() == ["opened", "failed"]


def test_of_two_that_end_a_release_at_once_one_does(book: Book):
    """The run says rejected, monitoring says expired: the ledger holds one end."""
    opening = book.open()
    at_first_write(book, lambda: book.process().close(opening, ReleaseState.EXPIRED, "gatewright"))
    assert book.releases.close(opening, ReleaseState.REJECTED, "dana.reyes") is ReleaseState.EXPIRED
    assert book.kinds() == ["opened", "expired"]


def test_a_release_that_was_never_opened_cannot_end(book: Book):
    """It has no state, and gets none."""
    opening = book.terms()
    assert book.releases.close(opening, ReleaseState.FAILED, "gatewright") is None
    assert book.entries() == []
    with pytest.raises(ConflictError, match="never opened"):
        book.releases.must_be_open(opening)


def test_a_release_nobody_answered_expires(asked: Asked):
    """At the end of its window, not before."""
    asked.book.now = asked.request.expires_at
    assert asked.releases.expire_overdue("triage") == []
    asked.book.now += timedelta(seconds=1)
    assert asked.releases.expire_overdue("triage") == ["r1"]
    assert asked.releases.state(asked.opening) is ReleaseState.EXPIRED
    assert asked.releases.expire_overdue("triage") == []


def test_an_approved_release_does_not_expire_on_its_way_into_production(asked: Asked):
    """Its run may be waiting for the target just now; a refusal or an old approval does not count."""
    asked.record("answer-1", AnswerRecord(approval=None, refusal="unclear"))
    asked.book.now = asked.request.expires_at
    late = timedelta(seconds=1)
    assert asked.releases.expired(asked.opening) is False
    asked.answer(2)
    asked.book.now += late
    assert asked.releases.expired(asked.opening) is False
    assert asked.releases.expire_overdue("triage") == []


def test_half_a_quorum_does_expire(asked: Asked):
    """Two people must approve; one has."""
    both = POLICY.tiers[0].model_copy(update={"approvals": 2})
    asked.book.store.objects.pop("releases/r1/request.json")
    asked.request = asked.record("request", asked.request.model_copy(update={"tier": both}))
    asked.answer(1)
    asked.book.now = asked.request.expires_at + timedelta(seconds=1)
    assert asked.releases.expired(asked.opening)


def test_answers_come_in_the_order_they_were_given(asked: Asked):
    """The tenth after the ninth, and a record of another kind is none."""
    for number in range(1, 13):
        asked.record(f"answer-{number}", AnswerRecord(approval=None, refusal=f"refusal {number}"))
    asked.record("answer-page", AnswerRecord(approval=None, refusal="no answer"))
    found = [answer.refusal for answer in asked.releases.answers("r1")]
    assert found == [f"refusal {number}" for number in range(1, 13)]
    assert asked.releases.approvals("r1") == ()


def test_the_view_of_a_release_grows_with_it(book: Book):
    """What has not happened yet is None or empty."""
    book.open()
    view = book.releases.view("r1")
    assert view.state is ReleaseState.OPEN
    assert (view.spec, view.policy) == (SPEC, POLICY)
    assert (view.data, view.candidate, view.decision, view.evidence_root, view.request) == (None,) * 5
    assert (view.stages, view.approvals, [event.kind for event in view.events]) == ({}, (), ["opened"])


def test_the_view_of_an_approved_release_holds_everything(asked: Asked):
    """In the words of the store."""
    approval = asked.answer(1)
    view = asked.releases.view("r1")
    assert view.state is ReleaseState.WAITING
    assert (view.candidate, view.data, view.decision) == (asked.candidate, asked.data, asked.decision)
    assert view.request == asked.request
    assert view.evidence_root == asked.request.evidence_root
    assert set(view.stages) == set(STAGES)
    assert view.approvals == (approval,)
    assert [event.kind for event in view.events] == ["opened", "decided", "waiting", "approved"]


def test_a_view_is_of_one_release_only(book: Book):
    """Events of others are not among its own."""
    book.releases.close(book.open(), ReleaseState.FAILED, "gatewright")
    book.open("r2")
    assert [event.release_id for event in book.releases.view("r2").events] == ["r2"]
    with pytest.raises(NotFoundError):
        book.releases.view("r3")


def test_a_damaged_opening_is_an_error_and_not_an_unknown_release(book: Book):
    """Nobody may believe that there was none."""
    book.open()
    book.store.objects["releases/r1/opening.json"] = b"{}"
    with pytest.raises(GatewrightError, match="not a valid Opening"):
        book.releases.view("r1")
