"""Channels in the store: one chain of generations per model and channel under ``channels/<model>/<channel>``."""

from gatewright.core.channels import ChannelEntry
from gatewright.services.generations import GenerationLog
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["ChannelStore"]

_ROOT = "channels"


class ChannelStore:
    """Moves a channel by compare-and-swap: the head's number is what a mover must have seen."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._logs: dict[tuple[str, str], GenerationLog] = {}

    def head(self, model: str, channel: str) -> tuple[int, ChannelEntry] | None:
        """The number and the entry of the last move, None before the first. Raises IntegrityError, StoreError."""
        log = self._log(model, channel)
        generation = log.head()
        if generation is None:
            return None
        return generation.n, generation.record(ChannelEntry, where=log.key(generation.n))

    def move(self, model: str, channel: str, entry: ChannelEntry, *, expected: int) -> int:
        """Make ``entry`` the head if the head is still number ``expected`` (0: none); its number.

        Raises ConflictError when somebody moved first, StoreError when the outcome is not known: then read the
        head before doing anything else.
        """
        return self._log(model, channel).append(entry.model_dump(mode="json"), expected=expected).n

    def history(self, model: str, channel: str) -> list[tuple[int, ChannelEntry]]:
        """All moves with their numbers, the hash chain verified. Raises IntegrityError, StoreError."""
        log = self._log(model, channel)
        return [
            (generation.n, generation.record(ChannelEntry, where=log.key(generation.n))) for generation in log.all()
        ]

    def _log(self, model: str, channel: str) -> GenerationLog:
        name = (model, channel)
        if name not in self._logs:
            self._logs[name] = GenerationLog(self._store, f"{_ROOT}/{valid_name(model)}/{valid_name(channel)}")
        return self._logs[name]
