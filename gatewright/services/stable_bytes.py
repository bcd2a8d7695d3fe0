"""The bytes of a record, checked before they are written for good."""

from gatewright.core.errors import DataError, IntegrityError
from gatewright.core.records import Record

__all__ = ["stable_bytes"]


def stable_bytes(record: Record, *, where: str) -> bytes:
    """The canonical bytes of ``record``, if reading them back gives the same bytes again.

    Canonical JSON writes the float 1e20 as an integer, which it then has no form for: such a record could be
    written once and never verified. Raises DataError for it.
    """
    try:
        body = record.to_bytes()
        if type(record).from_bytes(body, where=where).to_bytes() == body:
            return body
        problem = "it reads back as another record."
    except (ValueError, IntegrityError) as error:
        problem = f"it has no canonical form ({error})."
    raise DataError(
        f"this {type(record).__name__} cannot be stored: {problem}",
        where=where,
        remedy="write numbers of 2**53 and more as text, and leave out NaN and infinity.",
    )
