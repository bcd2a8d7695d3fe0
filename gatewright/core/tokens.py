"""Tokens: a signed JSON body in one line that can be pasted: base64 of the body, a dot, base64 of the signature."""

import base64
import binascii
import json
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from gatewright.core.errors import ApprovalError
from gatewright.core.records import Record

__all__ = ["MAX_TOKEN", "Token", "kind_of", "parse_token", "token_of"]

MAX_TOKEN = 8000

T = TypeVar("T", bound=Record)


class Token(NamedTuple):
    """The signed bytes and the binary SSHSIG blob over them."""

    body: bytes
    signature: bytes

    @property
    def kind(self) -> str:
        """What the body says it is; empty when it says nothing."""
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        kind = said.get("kind") if isinstance(said, dict) else None
        return kind if isinstance(kind, str) else ""

    def read(self, record: type[T]) -> T:
        """The body as a record. Raises ApprovalError unless it is one, in canonical form: one meaning, one form."""
        try:
            found = record.model_validate_json(self.body, strict=True)
            canonical = found.to_bytes() == self.body
        except (ValidationError, ValueError, RecursionError):
            canonical = False
        if not canonical:
            raise _refused(f"its body is no canonical {record.__name__}")
        return found


def token_of(body: bytes, signature: bytes) -> str:
    """One line of base64, a dot, base64."""
    return f"{base64.b64encode(body).decode()}.{base64.b64encode(signature).decode()}"


def parse_token(text: str) -> Token:
    """Raises ApprovalError for anything but two base64 parts with a dot between them."""
    parts = text.strip().split(".")
    if len(text) > MAX_TOKEN or len(parts) != 2 or not all(parts):
        raise _refused("it is not two parts with a dot between them")
    try:
        body, signature = (base64.b64decode(part.encode("ascii"), validate=True) for part in parts)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _refused("a part of it is not base64") from error
    return Token(body, signature)


def kind_of(text: str) -> str:
    """What a pasted token says it is; empty for what is no token."""
    try:
        return parse_token(text).kind
    except ApprovalError:
        return ""


def _refused(problem: str) -> ApprovalError:
    return ApprovalError(
        f"the token cannot be read: {problem}.",
        where="token",
        remedy="paste the whole line that `gatewright approve` printed.",
    )
