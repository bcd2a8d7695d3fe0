"""Names of objects: what may be a key, or one part of it."""

import unicodedata

from pydantic import TypeAdapter, ValidationError

from gatewright.core.errors import SpecError
from gatewright.core.records import Name

__all__ = ["valid_key", "valid_name"]

_SEGMENT_BYTES = 255
_NAME: TypeAdapter[str] = TypeAdapter(Name)


def valid_key(key: str) -> str:
    """``key`` itself, if it is a relative path of visible characters whose parts have 1 to 255 bytes.

    Raises SpecError otherwise: such a key could leave its directory, or be shown as another.
    """
    if any(unicodedata.category(character).startswith("C") for character in key):
        raise _bad_key(key, "it holds control or invisible characters")
    for segment in key.split("/"):
        if segment in ("", ".", "..") or len(segment.encode()) > _SEGMENT_BYTES:
            raise _bad_key(key, f"the part {segment[:40]!r} is empty, a dot path or over {_SEGMENT_BYTES} bytes")
    return key


def valid_name(name: str) -> str:
    """``name`` itself, if it may be one part of a key (see ``Name``). Raises SpecError otherwise."""
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise _bad_key(name, "a name has 1 to 63 lower-case letters, digits, '_', '.' and '-'") from error


def _bad_key(key: str, reason: str) -> SpecError:
    return SpecError(
        f"not a valid object key: {reason}.",
        where=ascii(key[:120]),
        remedy="use parts of letters, digits, '_', '.' and '-', separated by '/'.",
    )
