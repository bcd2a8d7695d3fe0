"""Generation objects: a chain of numbered, create-only objects, each naming the digest of the one before.

The number is the lock: of all who write generation n + 1 the store lets one through. History comes for free, and
a lost reply is told from a lost race, because a nonce makes every body unique.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import Field, JsonValue, StringConstraints

from gatewright.core.errors import ConflictError, IntegrityError, NotFoundError
from gatewright.core.records import Record, Sha256, canonical_json, sha256_hex
from gatewright.services.stable_bytes import stable_bytes
from gatewright.services.store import ObjectStore, valid_key

__all__ = ["FIRST_PREVIOUS", "Generation", "GenerationLog"]

FIRST_PREVIOUS = "0" * 64
_DIGITS = 10
_NAME = re.compile(rf"(\d{{{_DIGITS}}})\.json", re.ASCII)
_REMEDY = "stop and investigate; restore the objects from a backup, never renumber or delete them."


RecordT = TypeVar("RecordT", bound=Record)


class Generation(Record):
    """One link: ``previous_sha256`` is of the bytes of generation n - 1 (64 zeros for the first)."""

    n: Annotated[int, Field(ge=1, lt=10**_DIGITS)]
    previous_sha256: Sha256
    nonce: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    payload: dict[str, JsonValue]

    def record(self, kind: type[RecordT], *, where: str) -> RecordT:
        """The payload as a record. Raises IntegrityError when it is none of this kind."""
        return kind.from_bytes(canonical_json(self.payload), where=where)


class _Seen(NamedTuple):
    generation: Generation
    sha256: str


class GenerationLog:
    """The chain under ``<prefix>/0000000001.json`` and so on, in a bucket without versions."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = valid_key(prefix)
        self._last_seen: _Seen | None = None
        self._verified: list[_Seen] = []

    def head(self) -> Generation | None:
        """The highest generation, None for an empty log. Raises IntegrityError, StoreError."""
        seen = self._last_seen
        last = self._last_number(seen.generation.n if seen else 0)
        if last == 0:
            return None
        if seen is None or seen.generation.n != last:
            seen = self._last_seen = self._read(last)
        return seen.generation

    def all(self) -> list[Generation]:
        """The whole chain from the first on. Raises IntegrityError at the first link that does not hold.

        Links that this object has verified before are not read again: an audit begins with a new object.
        """
        links = list(self._verified)
        for n in range(len(links) + 1, self._last_number(len(links)) + 1):
            link = self._read(n)
            if link.generation.previous_sha256 != (links[-1].sha256 if links else FIRST_PREVIOUS):
                raise self._broken(n, "it does not name the digest of the generation before it")
            links.append(link)
        self._verified = links
        return [link.generation for link in links]

    def digests(self) -> list[str]:
        """The SHA-256 of each generation's bytes, the chain verified as by ``all``."""
        self.all()
        return [link.sha256 for link in self._verified]

    def append(self, payload: Mapping[str, Any], *, expected: int) -> Generation:
        """Write generation ``expected`` + 1, where ``expected`` is the head's number, 0 for an empty log.

        Raises ConflictError when ``expected`` is not the head, StoreError when the outcome is not known:
        then read the log before trying again; DataError when the payload has no stable canonical form.
        """
        generation = Generation(
            n=expected + 1,
            previous_sha256=self._digest(expected),
            nonce=secrets.token_hex(16),
            payload=dict(payload),
        )
        body = stable_bytes(generation, where=self.key(generation.n))
        if not self._store.create(self.key(generation.n), body, "application/json"):
            raise self._conflict(expected, "somebody else wrote the next generation first")
        self._last_seen = _Seen(generation, sha256_hex(body))
        return generation

    def key(self, n: int) -> str:
        """The object key of generation ``n``."""
        return f"{self._prefix}/{n:0{_DIGITS}}.json"

    def _digest(self, n: int) -> str:
        if n == 0:
            return FIRST_PREVIOUS
        seen = self._last_seen
        if seen is None or seen.generation.n != n:
            try:
                seen = self._read(n)
            except NotFoundError as error:
                raise self._conflict(n, "the log is shorter") from error
        return seen.sha256

    def _read(self, n: int) -> _Seen:
        body = self._store.get(self.key(n))
        generation = Generation.from_bytes(body, where=self.key(n))
        if generation.n != n:
            raise self._broken(n, f"it says that it is generation {generation.n}")
        if not _canonical(generation, body):
            raise self._broken(n, "its bytes are not in canonical form")
        return _Seen(generation, sha256_hex(body))

    def _last_number(self, seen: int) -> int:
        """The highest number; ``seen`` is one that was there before, 0 if none was."""
        last = max(seen - 1, 0)
        for key in self._store.keys(f"{self._prefix}/", start_after=self.key(last)):
            name = _NAME.fullmatch(key.removeprefix(f"{self._prefix}/"))
            if name is None or int(name[1]) != last + 1:
                raise self._broken(last + 1, f"{key} was found in its place")
            last += 1
        if last < seen:
            raise self._broken(seen, "it was there and is gone")
        return last

    def _broken(self, n: int, problem: str) -> IntegrityError:
        return IntegrityError(f"the chain is broken: {problem}.", where=self.key(n), remedy=_REMEDY)

    def _conflict(self, expected: int, problem: str) -> ConflictError:
        return ConflictError(
            f"generation {expected} is not the head: {problem}.",
            where=self._prefix,
            remedy="read the head again, then decide again.",
        )


def _canonical(generation: Generation, body: bytes) -> bool:
    try:
        return generation.to_bytes() == body
    except ValueError:  # numbers that canonical JSON does not have
        return False
