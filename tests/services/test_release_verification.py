"""What is promoted is what was approved: nothing edited, swapped, added or taken away behind our back."""

import pytest

from gatewright.core.approval import accept
from gatewright.core.errors import ConflictError, IntegrityError, NotFoundError
from gatewright.core.records import sha256_hex
from gatewright.core.releases import ReleaseState
from gatewright.core.results import StageEvidence
from gatewright.core.statements import Request
from gatewright.services.release_records import AnswerRecord
from tests.fakes import FakeSignatures
from tests.services.release_book import ANSWER, ROSTER, Asked, Book
from tests.services.reports.example_view import NOON, POLICY, SPEC


@pytest.fixture
def book(tmp_path) -> Book:
    return Book(tmp_path)


@pytest.fixture
def asked(book: Book) -> Asked:
    return Asked(book)


def test_an_untouched_release_verifies(asked: Asked):
    """Before the approval and after it."""
    asked.verify()
    asked.answer(1)
    asked.verify()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("evaluate", b'"value":0.', b'"value":0.9'),
        ("decision", b'"outcome":"promote"', b'"outcome":"review"'),
        ("opening", b'"period":"2000"', b'"period":"1999"'),
        ("data", b'"rows":3', b'"rows":4'),
        ("candidate", b'"seed":0', b'"seed":1'),
        ("request", b'"approvals":1', b'"approvals":0'),
    ],
)
def test_an_edited_record_is_found(asked: Asked, name: str, old: bytes, new: bytes):
    """Each of them, by its digest."""
    asked.edit(name, old, new)
    with pytest.raises(IntegrityError):
        asked.verify()


def test_a_request_that_was_edited_before_it_was_read_is_found_by_the_ledger(asked: Asked):
    """The run believes the edited request; the chain of the ledger does not."""
    asked.edit("request", b'"approvals":1', b'"approvals":0')
    request = asked.book.evidence.read("request", "r1", Request)
    with pytest.raises(IntegrityError, match="the ledger says something else was waiting"):
        asked.verify(request=request)


def test_a_request_that_named_another_model_from_the_beginning_is_found(book: Book):
    """Evidence and ledger are as they should be; only the model that people were asked about is not the candidate."""

    class Misled(Asked):
        def _request(self, root: str) -> Request:
            return super()._request(root).model_copy(update={"model_sha256": sha256_hex(b"another model")})

    with pytest.raises(IntegrityError):
        Misled(book).verify()


def test_an_approval_that_the_ledger_does_not_know_is_found(asked: Asked):
    """Somebody put it beside the others."""
    approval = accept(ANSWER, asked.request, [ROSTER], FakeSignatures(), pause=None, at=NOON)
    asked.record("answer-1", AnswerRecord(approval=approval, refusal=None))
    with pytest.raises(IntegrityError, match="something else was approved"):
        asked.verify()


def test_a_record_that_is_gone_is_found(asked: Asked):
    """A stage that nobody can read was not approved."""
    del asked.book.store.objects["releases/r1/fairness.json"]
    with pytest.raises(IntegrityError, match="approved was"):
        asked.verify()


def test_a_stage_that_was_added_later_is_found(asked: Asked):
    """What was not there when people looked, they did not approve."""
    asked.record("ingest", StageEvidence(release_id="r1", stage="ingest", started_at=NOON, finished_at=NOON, inputs={}))
    with pytest.raises(IntegrityError, match="approved was"):
        asked.verify()


@pytest.mark.parametrize(
    "body", [b"model", b"rows", b"profile of drift", SPEC.to_bytes(), POLICY.to_bytes(), ROSTER.to_bytes()]
)
def test_swapped_bytes_are_found(asked: Asked, body: bytes):
    """The model, a data file, an artifact of a stage, the spec, the policy, the roster."""
    asked.swap(body)
    with pytest.raises(IntegrityError):
        asked.verify()


def test_bytes_that_are_gone_are_found(asked: Asked):
    """A model that cannot be read cannot be promoted."""
    asked.book.store.objects.pop(f"blobs/sha256/{sha256_hex(b'model')[:2]}/{sha256_hex(b'model')}")
    with pytest.raises(NotFoundError):
        asked.verify()


def test_other_things_than_those_in_the_store_are_not_promoted(asked: Asked):
    """A run that holds another candidate, other data or another request in memory is refused."""
    other = asked.book.put(b"other")
    changed = {
        "candidate": asked.candidate.model_copy(update={"artifact": other}),
        "data": asked.data.model_copy(update={"evaluation": asked.data.evaluation.model_copy(update={"name": "x"})}),
        "request": asked.request.model_copy(update={"author": "lee.wong"}),
        "opening": asked.opening.model_copy(update={"channel_generation": 9}),
    }
    for name, value in changed.items():
        with pytest.raises(IntegrityError):
            asked.verify(**{name: value})


def test_another_policy_than_the_approved_one_is_found(asked: Asked):
    """The request names the policy it was decided by."""
    with pytest.raises(IntegrityError):
        asked.verify(request=asked.request.model_copy(update={"policy_sha256": "0" * 64}))


@pytest.mark.parametrize("state", [ReleaseState.FAILED, ReleaseState.EXPIRED, ReleaseState.REJECTED])
def test_a_release_that_somebody_ended_is_not_promoted(asked: Asked, state: ReleaseState):
    """Its run may still live: it was only paused when it was abandoned."""
    asked.answer(1)
    asked.book.process().close(asked.opening, state, "dana.reyes")
    with pytest.raises(ConflictError, match=f"has ended as {state.value}"):
        asked.verify()
