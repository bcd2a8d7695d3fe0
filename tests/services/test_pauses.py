"""The question of a waiting run, as the gateway finds it."""

import pytest

from gatewright.core.errors import ConflictError, NotFoundError, SpecError
from gatewright.services.pauses import PauseNote, Pauses
from tests.fakes import MemoryStore

RUN = "0c8a2f66-6f0f-4a0e-9a53-0f3c1f0d6a10"
NOTE = PauseNote(release_id="example-1", request_sha256="ab" * 32, evidence_root="cd" * 32, nonce="ef" * 32)


def test_the_note_of_a_pause_is_read_as_it_was_written(memory_store: MemoryStore) -> None:
    """Also after a run that was suspended has written it again."""
    for _ in range(2):
        Pauses(memory_store).write(RUN, "approval-1", NOTE)
    assert Pauses(memory_store).read(RUN, "approval-1") == NOTE
    assert list(memory_store.objects) == [f"pauses/{RUN}/approval-1.json"]


def test_another_question_at_the_same_pause_is_refused(memory_store: MemoryStore) -> None:
    """A nonce cannot be exchanged under people who read the first one."""
    Pauses(memory_store).write(RUN, "approval-1", NOTE)
    with pytest.raises(ConflictError):
        Pauses(memory_store).write(RUN, "approval-1", NOTE.model_copy(update={"nonce": "00" * 32}))


def test_a_pause_of_another_flow_has_no_note(memory_store: MemoryStore) -> None:
    """Nothing is stamped there."""
    with pytest.raises(NotFoundError):
        Pauses(memory_store).read(RUN, "approval-1")


@pytest.mark.parametrize("key", ["../approval-1", "a/b", "", "Approval", "a\n"])
def test_a_pause_key_never_becomes_a_path(memory_store: MemoryStore, key: str) -> None:
    """It comes from the server's state, which anyone with its database can edit."""
    with pytest.raises(SpecError):
        Pauses(memory_store).read(RUN, key)
