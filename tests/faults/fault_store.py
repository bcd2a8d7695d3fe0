"""An object store that fails at a chosen call, in the ways that real stores and machines do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from gatewright.core.errors import StoreError
from gatewright.services.store import ObjectStore

__all__ = ["READ_KINDS", "WRITE_KINDS", "Fault", "FaultStore", "Kind", "PowerCutError"]

Answer = TypeVar("Answer")
Kind = Literal[
    "kill before",
    "kill after",
    "kill, lands later",
    "503 before",
    "503 after",
    "time-out, lost",
    "time-out, lands later",
]
WRITE_KINDS: tuple[Kind, ...] = (
    "kill before", "kill after", "kill, lands later", "503 before", "503 after", "time-out, lands later",
)  # fmt: skip
# A read changes nothing, so before and after it are the same.
READ_KINDS: tuple[Kind, ...] = ("kill before", "503 before")


class PowerCutError(BaseException):
    """The process is gone: no handler for ordinary errors sees it, and nothing may run after it."""


class Fault(NamedTuple):
    """Call number ``call`` (from 1) fails; a write that lands later does so ``delay`` calls after it."""

    call: int
    kind: Kind
    delay: int = 0


@dataclass
class _Late:
    calls: int
    write: Callable[[], bool]


class FaultStore(ObjectStore):
    """``store``, seen by a process that is hit by ``faults``.

    ``asked`` counts and names the calls. ``after_each`` is called after every one that the store carried out, as the
    rest of the world goes on whatever happens to this process. ``restart`` is what another process sees.
    """

    def __init__(
        self, store: ObjectStore, *faults: Fault, after_each: Callable[[str], None] = lambda key: None
    ) -> None:
        self._store = store
        self._faults = {fault.call: fault for fault in faults}
        self._after_each = after_each
        self._late: list[_Late] = []
        self._dead = False
        self.hit: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.acknowledged: dict[str, bytes] = {}

    def restart(self) -> None:
        """The process is gone; the next one sees the same store."""
        self._dead = False

    def land(self) -> None:
        """Whatever is still on its way arrives now."""
        for late in self._late:
            late.write()
        self._late.clear()
        self._after_each("")

    def raw(self, key: str) -> bytes:
        """What lies there, whatever is to fail."""
        return self._store.get(key)

    def get(self, key: str) -> bytes:
        self._ask("get", key)
        return self._done(key, self._store.get(key))

    def exists(self, key: str) -> bool:
        self._ask("exists", key)
        return self._done(key, self._store.exists(key))

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        self._ask("keys", prefix)
        return self._done(prefix, self._store.keys(prefix, start_after=start_after))

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        def write() -> bool:
            return self._store.create(key, body, media_type)

        fault = self._turn("create", key)
        if fault is None:
            ours = self._done(key, write())
            if ours:
                self.acknowledged[key] = body
            return ours
        if fault.kind.endswith("after"):
            self._done(key, write())
        elif fault.kind.endswith("later"):
            self._late.append(_Late(fault.delay, write))
        raise self._failure(fault, key)

    def _ask(self, operation: str, key: str) -> None:
        fault = self._turn(operation, key)
        if fault is not None:
            raise self._failure(fault, key)

    def _turn(self, operation: str, key: str) -> Fault | None:
        assert not self._dead, "something ran on after the power was cut"
        self.asked.append((operation, key))
        for late in self._late:
            late.calls -= 1
            if late.calls == 0:
                late.write()
                self._after_each("channels/")
        self._late = [late for late in self._late if late.calls > 0]
        fault = self._faults.pop(len(self.asked), None)
        if fault is not None:
            self.hit.append(fault)
        return fault

    def _failure(self, fault: Fault, key: str) -> BaseException:
        if fault.kind.startswith("kill"):
            self._dead = True
            return PowerCutError(f"{fault.kind} call {fault.call} ({key})")
        return StoreError(f"{fault.kind}.", where=key, remedy="try again.")

    def _done(self, key: str, answer: Answer) -> Answer:
        self._after_each(key)
        return answer
