"""Channels in the store: one chain of generations per model and channel under ``channels/<model>/<channel>``."""

from gatewright.core.channels import ChannelEntry
from gatewright.services.channel_seals import TrustedSeals
from gatewright.services.generations import Generation, GenerationLog
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["ChannelStore"]

_ROOT = "channels"
_Name = tuple[str, str]


class ChannelStore:
    """Moves a channel by compare-and-swap: the head's number is what a mover must have seen.

    With ``seals`` every move that is read must have a seal they trust, the first one too: a forged move in the
    history would otherwise become the model that a rollback goes back to.
    """

    def __init__(self, store: ObjectStore, seals: TrustedSeals | None = None) -> None:
        self._store = store
        self._seals = seals
        self._logs: dict[_Name, GenerationLog] = {}
        self._trusted: dict[_Name, list[tuple[int, ChannelEntry]]] = {}

    def head(self, model: str, channel: str) -> tuple[int, ChannelEntry] | None:
        """The number and the entry of the last move, None before the first.

        Raises IntegrityError, also for a seal that is not trusted, and StoreError.
        """
        if self._seals:
            return next(reversed(self.history(model, channel)), None)
        generation = self._log(model, channel).head()
        return None if generation is None else self._entry(model, channel, generation)

    def move(self, model: str, channel: str, entry: ChannelEntry, *, expected: int) -> int:
        """Make ``entry`` the head if the head is still number ``expected`` (0: none); its number.

        Raises ConflictError when somebody moved first, StoreError when the outcome is not known: then read the
        head before doing anything else; IntegrityError, with nothing written, for a seal that no reader would trust.
        """
        if self._seals:
            history = self.history(model, channel)
            if len(history) == expected:
                self._require(model, channel, expected + 1, entry, history)
        return self._log(model, channel).append(entry.model_dump(mode="json"), expected=expected).n

    def history(self, model: str, channel: str) -> list[tuple[int, ChannelEntry]]:
        """All moves with their numbers, the hash chain and the seals verified. Raises IntegrityError, StoreError."""
        generations = self._log(model, channel).all()
        if not self._seals:
            return [self._entry(model, channel, generation) for generation in generations]
        # A copy: of two threads that verify the same moves, each must add them to a history of its own.
        known = list(self._trusted.get((model, channel), ()))
        for generation in generations[len(known) :]:
            n, entry = self._entry(model, channel, generation)
            self._require(model, channel, n, entry, known)
            known.append((n, entry))
        self._trusted[model, channel] = known
        return list(known)

    def digests(self, model: str, channel: str) -> list[str]:
        """The SHA-256 of each generation's bytes, the hash chain verified. Raises IntegrityError, StoreError."""
        return self._log(model, channel).digests()

    def _require(
        self, model: str, channel: str, n: int, entry: ChannelEntry, history: list[tuple[int, ChannelEntry]]
    ) -> None:
        before = history[-1][1] if history else None
        where = self._log(model, channel).key(n)
        if self._seals:
            self._seals.require(entry, before, model=model, channel=channel, n=n, where=where)

    def _entry(self, model: str, channel: str, generation: Generation) -> tuple[int, ChannelEntry]:
        where = self._log(model, channel).key(generation.n)
        return generation.n, generation.record(ChannelEntry, where=where)

    def _log(self, model: str, channel: str) -> GenerationLog:
        name = (model, channel)
        if name not in self._logs:
            self._logs[name] = GenerationLog(self._store, f"{_ROOT}/{valid_name(model)}/{valid_name(channel)}")
        return self._logs[name]
