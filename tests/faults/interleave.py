"""Run several processes over one store, step by step, in every order of their steps up to a bound.

A step is one store call on an object that others write too: the ledger and the channel. All else is written once
under a name of its own, so its order cannot matter. Every schedule is one run from the beginning; a switch away from
a process that could have gone on counts as a preemption, and `schedules` yields all orders with at most so many
(Musuvathi and Qadeer, PLDI 2007: most races need two).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from gatewright.core.errors import GatewrightError
from gatewright.services.store import ObjectStore

__all__ = ["Run", "TurnStore", "explore"]

PATIENCE_SECONDS = 20.0
Process = Callable[[ObjectStore], None]


class Run:
    """One run of ``processes`` (by number), the first steps in the order ``prefix``, then without preemptions.

    After it, ``order`` is who took each step, ``could`` who could have, ``errors`` what each process raised.
    """

    def __init__(self, store: ObjectStore, processes: Sequence[Process], prefix: Sequence[int]) -> None:
        self.order: list[int] = []
        self.could: list[list[int]] = []
        self.errors: dict[int, GatewrightError] = {}
        self._failed: list[BaseException] = []
        self._waiting: set[int] = set()
        self._turn: int | None = None
        self._changed = threading.Condition()
        self._ended: set[int] = set()
        for number, process in enumerate(processes):
            threading.Thread(target=self._process, args=(number, process, store), daemon=True).start()
            self._until_it_waits(number)
        self._steps(prefix)
        if self._failed:
            raise self._failed[0]

    def _steps(self, prefix: Sequence[int]) -> None:
        while able := sorted(self._waiting):
            step = len(self.order)
            wanted = prefix[step] if step < len(prefix) else (self.order[-1] if self.order else 0)
            chosen = wanted if wanted in able else able[0]
            self.order.append(chosen)
            self.could.append(able)
            with self._changed:
                self._waiting.discard(chosen)
                self._turn = chosen
                self._changed.notify_all()
            self._until_it_waits(chosen)

    def _until_it_waits(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: number in self._waiting | self._ended, PATIENCE_SECONDS)

    def step(self, number: int) -> None:
        """Called by a process before a step: returns when it is its turn."""
        with self._changed:
            self._waiting.add(number)
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._turn == number, PATIENCE_SECONDS):
                raise AssertionError(f"process {number} waited in vain")
            self._turn = None

    def _process(self, number: int, process: Process, store: ObjectStore) -> None:
        try:
            process(TurnStore(store, self, number))
        except GatewrightError as error:
            self.errors[number] = error
        except BaseException as error:
            self._failed.append(error)
            raise
        finally:
            with self._changed:
                self._ended.add(number)
                self._changed.notify_all()


class TurnStore(ObjectStore):
    """The store as one process sees it: it must wait for its turn where others write too."""

    def __init__(self, store: ObjectStore, run: Run, number: int) -> None:
        self._store = store
        self._run = run
        self._number = number

    def get(self, key: str) -> bytes:
        # An object of a chain never changes; only whether it is there does.
        return self._store.get(key)

    def exists(self, key: str) -> bool:
        self._wait(key)
        return self._store.exists(key)

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        self._wait(key)
        return self._store.create(key, body, media_type)

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        self._wait(prefix)
        return self._store.keys(prefix, start_after=start_after)

    def _wait(self, key: str) -> None:
        if key.startswith(("channels/", "ledger/")):
            self._run.step(self._number)


def explore(run: Callable[[Sequence[int]], Run], preemptions: int) -> Iterator[Run]:
    """Every run with at most so many ``preemptions``, each once."""
    todo: list[list[int]] = [[]]
    while todo:
        prefix = todo.pop()
        done = run(prefix)
        yield done
        for step in range(len(prefix), len(done.order)):
            before = done.order[:step]
            for other in done.could[step]:
                if other != done.order[step] and _preemptions([*before, other], done.could) <= preemptions:
                    todo.append([*before, other])


def _preemptions(order: Sequence[int], could: Sequence[Sequence[int]]) -> int:
    return sum(before != now and before in could[step] for step, (before, now) in enumerate(pairwise(order), start=1))
