"""The credential file: a YAML mapping from a person's id in the roster to the scrypt hash of their secret.

scrypt: RFC 7914. One hash is ``scrypt$n$r$p$<salt>$<key>``, the last two in base64.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, RootModel

from gatewright.core.errors import SpecError
from gatewright.core.records import Name
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.text_files import read_text

__all__ = ["SERVICE", "PeopleFile", "SecretHash"]

SERVICE = "service"
_B64 = r"([A-Za-z0-9+/]+={0,2})"
_FORM = re.compile(rf"scrypt\$(\d{{1,7}})\$(\d{{1,2}})\$(\d{{1,2}})\${_B64}\${_B64}", re.ASCII)
_N, _R, _P = 2**14, 8, 1
_MAX_MEMORY = 256 * 2**20
_REMEDY = "make the line with `python -m deployments.gateway secret NAME`."


@dataclass(frozen=True)
class SecretHash:
    """scrypt of a secret, with its cost (``n``, ``r``, ``p``) and a salt of its own."""

    n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    @classmethod
    def of(cls, secret: str) -> Self:
        """Hash a new secret; 16 MiB and about 50 ms each time it is compared."""
        salt = secrets.token_bytes(16)
        return cls(_N, _R, _P, salt, _scrypt(secret, _N, _R, _P, salt, 32))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for another form, and for a cost that is too cheap to protect or too dear to compute."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("is not of the form scrypt$n$r$p$salt$key")
        n, r, p = (int(part) for part in found.groups()[:3])
        salt, key = (base64.b64decode(part, validate=True) for part in found.groups()[3:])
        if not n >= _N or n & (n - 1) or not (r >= _R and p >= _P) or not 128 * n * r * p <= _MAX_MEMORY // 2:
            raise ValueError(f"needs n >= {_N}, a power of two, r >= {_R}, p >= {_P}, and at most 128 MiB")
        if len(salt) < 16 or len(key) < 32:
            raise ValueError("needs 16 bytes of salt and 32 of key")
        return cls(n, r, p, salt, key)

    def matches(self, secret: str) -> bool:
        """In a time that does not depend on where the two differ."""
        made = _scrypt(secret, self.n, self.r, self.p, self.salt, len(self.key))
        return hmac.compare_digest(made, self.key)

    def __str__(self) -> str:
        salt, key = (base64.b64encode(part).decode() for part in (self.salt, self.key))
        return f"scrypt${self.n}${self.r}${self.p}${salt}${key}"


class PeopleFile:
    """The people who may log in, read again when the file changes. A broken file lets nobody in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_as: tuple[int, ...] | None = None
        self._hashes: Mapping[str, SecretHash] = {}

    def current(self) -> tuple[str, Mapping[str, SecretHash]]:
        """A name for this state of the file, and the hashes. Raises SpecError."""
        state = self._state()
        if state != self._read_as:
            self._read_as = None
            self._hashes = _parse(self._path)
            self._read_as = state
        return repr(state), self._hashes

    def _state(self) -> tuple[int, ...]:
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise SpecError(f"cannot be read: {error.strerror}.", where=str(self._path), remedy=_REMEDY) from None
        if found.st_mode & 0o022:
            raise SpecError("others may write it.", where=str(self._path), remedy=f"`chmod 600 {self._path}`.")
        return found.st_mtime_ns, found.st_size, found.st_ino


def _well_formed(text: str) -> str:
    SecretHash.parse(text)
    return text


class _Credentials(RootModel[dict[Name, Annotated[str, AfterValidator(_well_formed)]]]):
    pass


def _parse(path: Path) -> Mapping[str, SecretHash]:
    where = str(path)
    found = parse_yaml(read_text(path, remedy=_REMEDY), _Credentials, where=where).root
    if SERVICE in found:
        raise SpecError(f"`{SERVICE}` is no person.", where=where, remedy="set its secret in the settings.")
    return {name: SecretHash.parse(text) for name, text in found.items()}


def _scrypt(secret: str, n: int, r: int, p: int, salt: bytes, length: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=p, dklen=length, maxmem=_MAX_MEMORY)
