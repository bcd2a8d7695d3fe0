"""Fakes of the ports; each passes the same contract tests as the real thing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from gatewright.core.errors import NotFoundError
from gatewright.core.records import sha256_hex
from gatewright.services.store import ObjectStore, valid_key

__all__ = ["FakeSignatures", "FakeSigner", "MemoryStore"]


@dataclass
class _Planned:
    operation: str
    error: Exception
    key_part: str
    times: int
    applied: bool


class MemoryStore(ObjectStore):
    """An object store in memory. ``objects`` and ``skew`` may be changed by tests that play a damaged store."""

    def __init__(self) -> None:
        self.skew = timedelta(0)
        self.objects: dict[str, bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self._planned: list[_Planned] = []
        self._turn = RLock()

    def fail(
        self, operation: str, error: Exception, *, key_part: str = "", times: int = 1, applied: bool = False
    ) -> None:
        """Raise ``error`` from the next ``times`` calls of ``get``, ``exists``, ``create`` or ``keys``.

        Only keys that contain ``key_part`` count. ``applied``: the call takes effect before it raises, as when
        the reply of a write is lost.
        """
        self._planned.append(_Planned(operation, error, key_part, times, applied))

    def get(self, key: str) -> bytes:
        with self._turn:
            self._call("get", valid_key(key))
            if key not in self.objects:
                raise NotFoundError("there is no such object.", where=key, remedy="check the name.")
            return self.objects[key]

    def exists(self, key: str) -> bool:
        with self._turn:
            self._call("exists", valid_key(key))
            return key in self.objects

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        with self._turn:
            self.calls.append(("create", valid_key(key)))
            fault = self._fault("create", key)
            if fault is None or fault.applied:
                there = self.objects.setdefault(key, bytes(body))
            if fault is not None:
                raise fault.error
            return there == body

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        with self._turn:
            if prefix:
                valid_key(prefix.removesuffix("/"))
            self._call("keys", prefix)
            return iter(sorted(key for key in self.objects if key.startswith(prefix) and key > start_after))

    def clock_skew(self, now: Callable[[], datetime]) -> timedelta:
        return self.skew

    def _call(self, operation: str, key: str) -> None:
        self.calls.append((operation, key))
        fault = self._fault(operation, key)
        if fault is not None:
            raise fault.error

    def _fault(self, operation: str, key: str) -> _Planned | None:
        for planned in self._planned:
            if planned.times > 0 and planned.operation == operation and planned.key_part in key:
                planned.times -= 1
                return planned
        return None


class FakeSigner:
    """Signs with a digest that anybody could make: for tests about rules, not about cryptography."""

    def __init__(self, public_key: str) -> None:
        self.public_key = public_key

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        return _fake_signature(message, namespace, self.public_key)


class FakeSignatures:
    """Verifies what `FakeSigner` made."""

    def signer(self, message: bytes, signature: bytes, *, namespace: str, keys: Sequence[str]) -> str | None:
        return next((key for key in keys if _fake_signature(message, namespace, key) == signature), None)


def _fake_signature(message: bytes, namespace: str, key: str) -> bytes:
    return sha256_hex(b"\0".join((key.encode(), namespace.encode(), message))).encode()
