"""Which question a waiting run asks: ``pauses/<flow run id>/<pause key>.json``, written before the run stops.

The identity gateway and ``gatewright approve`` read it, so that an answer is bound to one release and one nonce.
"""

from gatewright.core.errors import ConflictError
from gatewright.core.records import Record, Sha256
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["PauseNote", "Pauses"]


class PauseNote(Record):
    """What somebody who resumes the run here answers."""

    release_id: str
    request_sha256: Sha256
    evidence_root: Sha256
    nonce: Sha256


class Pauses:
    """Writes the note of a pause once, and reads it back."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def write(self, run_id: str, key: str, note: PauseNote) -> None:
        """Store the note, or find the equal one. Raises ConflictError when another is there, StoreError."""
        name = _key(run_id, key)
        if not self._store.create(name, note.to_bytes(), "application/json"):
            raise ConflictError(
                "another question was asked at this pause before.",
                where=name,
                remedy="ask under a new pause key, or start a new run.",
            )

    def read(self, run_id: str, key: str) -> PauseNote:
        """Raises NotFoundError when nothing of ours is asked there, IntegrityError, SpecError, StoreError."""
        name = _key(run_id, key)
        return PauseNote.from_bytes(self._store.get(name), where=name)


def _key(run_id: str, key: str) -> str:
    return f"pauses/{valid_name(run_id)}/{valid_name(key)}.json"
