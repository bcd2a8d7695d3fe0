"""What is written to the store: frozen records with one canonical form, so that equal records have equal digests."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any, Self

import rfc8785
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from gatewright.core.errors import IntegrityError

__all__ = ["Name", "Record", "Sha256", "Timestamp", "canonical_json", "sha256_hex"]

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Names become parts of object keys; this alphabet cannot leave its directory nor hide characters.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
# In UTC, so that one moment has one form, which plain text tools can compare.
Timestamp = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


def sha256_hex(body: bytes) -> str:
    """SHA-256 of ``body`` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """RFC 8785 (JSON Canonicalization Scheme) bytes of a JSON object."""
    return rfc8785.dumps(dict(value))


class Record(BaseModel):
    """A frozen value that refuses unknown fields and NaN, and has one canonical JSON form (RFC 8785)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_bytes(self) -> bytes:
        """Canonical JSON; two equal records give the same bytes."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON."""
        return sha256_hex(self.to_bytes())

    @classmethod
    def from_bytes(cls, body: bytes, *, where: str) -> Self:
        """Parse stored bytes, which must be canonical: a key that stands twice means two things to two readers.

        Raises IntegrityError when they are not a record of this kind.
        """
        try:
            record = cls.model_validate_json(body)
        except ValidationError as error:
            problem = f"{error.error_count()} problem(s), first: {error.errors()[0]['msg']}"
            raise _not_valid(cls.__name__, problem, where) from error
        if not _is_canonical(body):
            raise _not_valid(cls.__name__, "its JSON is not in canonical form (RFC 8785)", where)
        return record


def _is_canonical(body: bytes) -> bool:
    """Of the JSON itself, not of the record: fields that were added later are not in earlier bytes."""
    try:
        return canonical_json(json.loads(body)) == body
    except (ValueError, RecursionError):  # also for numbers that canonical JSON does not have
        return False


def _not_valid(kind: str, problem: str, where: str) -> IntegrityError:
    return IntegrityError(
        f"not a valid {kind}: {problem}.",
        where=where,
        remedy="compare the object with its digest in the ledger; restore it from a backup if it was edited.",
    )
