"""The documents of a release are written once for each moment, and are the same bytes whenever they are made again."""

from pathlib import Path

import pytest

from gatewright import __version__
from gatewright.core.errors import IntegrityError, NotFoundError
from gatewright.core.records import sha256_hex
from gatewright.core.releases import ReleaseState
from gatewright.services.documents import Documents, WrittenDocuments
from gatewright.services.reports.documents import DOCUMENTS, document_kind
from tests.services.release_book import Asked, Book


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """A release that waits for its approval."""
    return Asked(Book(tmp_path))


def documents(asked: Asked) -> Documents:
    """As another process sees them."""
    return Documents(asked.book.process(), asked.book.evidence, asked.book.blobs)


def test_documents_that_people_were_asked_with_are_the_same_bytes_after_they_answered(asked: Asked) -> None:
    """An auditor makes them again a year later."""
    written = documents(asked).write(asked.opening, "asked").documents
    asked.answer(1)
    asked.releases.close(asked.opening, ReleaseState.DEPLOYED, "gatewright")
    again = documents(asked).again("r1", "asked")
    assert {name: ref.sha256 for name, ref in written.items()} == {name: sha256_hex(b) for name, b in again.items()}
    assert set(written) == {kind.name for kind in DOCUMENTS}


def test_documents_of_the_end_know_who_answered_and_are_the_latest(asked: Asked) -> None:
    """What people were asked with stays beside them."""
    store = documents(asked)
    store.write(asked.opening, "asked")
    assert store.latest("r1")[0] == "asked"
    asked.answer(1)
    asked.releases.close(asked.opening, ReleaseState.DEPLOYED, "gatewright")
    view = store.view("r1", "ended")
    ended = store.write(asked.opening, "ended")
    assert store.latest("r1") == ("ended", ended)
    assert (view.state, len(view.approvals)) == (ReleaseState.DEPLOYED, 1)
    assert (ended.version, ended.revision) == (__version__, asked.opening.code_revision)


def test_what_happens_to_a_release_after_its_end_does_not_change_its_documents(asked: Asked) -> None:
    """Monitoring notes events on the release that serves, and an approval may come after a break-glass."""
    store = documents(asked)
    asked.answer(1)
    asked.releases.close(asked.opening, ReleaseState.DEPLOYED, "gatewright")
    before = store.view("r1", "ended")
    asked.book.releases.note(asked.opening, "monitored", "gatewright", note="drift")
    asked.answer(2, "lee.wong")
    assert len(store.view("r1", "asked").approvals) == 0
    assert store.view("r1", "ended") == before
    assert [approval.principal for approval in before.approvals] == ["dana.reyes"]


def test_a_run_that_is_taken_over_keeps_what_was_written(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the code may word them differently; evidence is never replaced."""
    first = documents(asked).write(asked.opening, "asked")
    monkeypatch.setattr("gatewright.services.documents.__version__", "99.0")
    assert documents(asked).write(asked.opening, "asked") == first
    assert documents(asked).written("r1", "asked") == first


def test_a_document_that_was_changed_in_the_store_is_refused(asked: Asked) -> None:
    """What is read has the digest that was recorded."""
    store = documents(asked)
    store.write(asked.opening, "asked")
    asked.swap(store.read("r1", "model-card"))
    with pytest.raises(IntegrityError):
        store.read("r1", "model-card")


def test_what_is_not_there_is_said(asked: Asked) -> None:
    """No documents yet, no such document, and one that an older version did not make."""
    store = documents(asked)
    with pytest.raises(NotFoundError, match="no documents were written"):
        store.latest("r1")
    asked.record("documents-asked", WrittenDocuments(version="0.1", revision="0" * 40, documents={}))
    with pytest.raises(NotFoundError, match="no document `model-card`"):
        store.read("r1", "model-card")
    with pytest.raises(NotFoundError, match="there is no document"):
        document_kind("../secrets")


def test_names_and_files_of_documents_are_distinct_and_plain() -> None:
    """They become addresses and files."""
    for names in ([kind.name for kind in DOCUMENTS], [kind.filename for kind in DOCUMENTS]):
        assert len(set(names)) == len(names)
        assert all(name.replace("-", "").replace(".", "").isalnum() and name.islower() for name in names)


def test_earlier_releases_are_those_decided_before_this_one_opened(tmp_path: Path) -> None:
    """A trend must not change when later releases are measured."""
    book = Book(tmp_path)
    first = Asked(book)
    first.releases.close(first.opening, ReleaseState.DEPLOYED, "gatewright")
    second = book.open("r2")
    before = book.process().view("r2", earlier=5).earlier
    assert [(one.release_id, one.state, sorted(one.stages)) for one in before] == [
        ("r1", ReleaseState.DEPLOYED, ["drift", "evaluate", "fairness"])
    ]
    book.releases.note(second, "decided", "gatewright")
    assert book.process().view("r2", earlier=5).earlier == before
    assert book.process().view("r2", earlier=0).earlier == ()
    assert book.process().view("r1", earlier=5).earlier == ()
