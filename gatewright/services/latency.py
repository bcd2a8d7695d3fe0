"""Sample what a model costs, beside the champion where there is one: single rows, batches, loading, memory."""

import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewright.core.checks.latency import Timings
from gatewright.core.refs import Candidate
from gatewright.core.spec import Task
from gatewright.core.statistics.quantiles import samples_needed
from gatewright.services.registry import ModelRegistry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LatencySamples", "sample_latency"]

HIGHEST_QUANTILE = 0.99
WARM_UP_CALLS = 20
# Beyond the calls that the intervals need, calls go on for this long, up to so many a model.
BUDGET_SECONDS = 2.0
MOST_CALLS = 5_000
BATCH_ROWS = 10_000
TRACED_ROWS = 1_000


@dataclass(frozen=True)
class LatencySamples:
    """``peak_memory_bytes``, of the candidate, counts what Python and numpy allocate to load it and to score."""

    candidate: Timings
    champion: Timings | None
    batch_rows: int
    peak_memory_bytes: int


def sample_latency(
    registry: ModelRegistry,
    candidate: Candidate,
    frame: "pd.DataFrame",
    *,
    trusted_types: Sequence[str],
    confidence: float,
    task: Task = "binary_classification",
    champion: Candidate | None = None,
) -> LatencySamples:
    """Time both models as the scoring service calls them: through a DataFrame, one row or many at once.

    They take turns call by call, in the order A B B A, so that a busy machine is busy for both. Each is called as
    often as a 99th percentile needs for an interval at ``confidence``, and further until ``BUDGET_SECONDS`` are
    over; loading and batches are repeated as often as a median needs. Raises ModelError for a model that cannot be
    loaded or cannot score the rows.
    """
    models = [_Timed(registry, model, trusted_types, task) for model in (candidate, champion) if model is not None]
    repeats = samples_needed(0.5, confidence=confidence)
    calls = samples_needed(HIGHEST_QUANTILE, confidence=confidence)
    batch = frame.head(BATCH_ROWS)
    _take_turns(models, lambda model: model.load(), repeats)
    for model in models:
        model.warm_up(frame)
    _take_turns(models, lambda model: model.single_row(frame), calls, seconds=BUDGET_SECONDS)
    _take_turns(models, lambda model: model.batch(batch), repeats)
    timings = [model.timings() for model in models]
    return LatencySamples(
        candidate=timings[0],
        champion=timings[1] if champion is not None else None,
        batch_rows=len(batch),
        peak_memory_bytes=models[0].peak_memory(frame.head(TRACED_ROWS)),
    )


@dataclass
class _Timed:
    """One model and the durations measured so far, in seconds."""

    registry: ModelRegistry
    ref: Candidate
    trusted_types: Sequence[str]
    task: Task
    model: Any = None
    loads: list[float] = field(default_factory=list)
    singles: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)

    def load(self) -> None:
        started = time.perf_counter()
        self.model = self.registry.load(self.ref.artifact, trusted_types=self.trusted_types)
        self.loads.append(time.perf_counter() - started)

    def warm_up(self, frame: "pd.DataFrame") -> None:
        for index in range(WARM_UP_CALLS):
            self._seconds(frame.iloc[[index % len(frame)]])

    def single_row(self, frame: "pd.DataFrame") -> None:
        self.singles.append(self._seconds(frame.iloc[[len(self.singles) % len(frame)]]))

    def batch(self, frame: "pd.DataFrame") -> None:
        self.batches.append(self._seconds(frame))

    def _seconds(self, rows: "pd.DataFrame") -> float:
        started = time.perf_counter()
        self.registry.answers(self.model, rows, self.ref.features, self.task)
        return time.perf_counter() - started

    def peak_memory(self, rows: "pd.DataFrame") -> int:
        # Traced apart from the timed calls: tracing makes them several times slower.
        tracemalloc.start()
        try:
            model = self.registry.load(self.ref.artifact, trusted_types=self.trusted_types)
            self.registry.answers(model, rows, self.ref.features, self.task)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def timings(self) -> Timings:
        return Timings(
            single_ms=np.array(self.singles) * 1000,
            batch_seconds=np.array(self.batches),
            load_seconds=np.array(self.loads),
        )


def _take_turns(
    models: Sequence[_Timed], sample: Callable[[_Timed], None], rounds: int, *, seconds: float = 0.0
) -> None:
    """``sample`` each model ``rounds`` times, and on until ``seconds`` have passed."""
    until = time.perf_counter() + seconds
    for done, order in enumerate(_orders(models)):
        if done >= rounds and (done >= MOST_CALLS or time.perf_counter() >= until):
            return
        for model in order:
            sample(model)


def _orders(models: Sequence[_Timed]) -> Iterator[Sequence[_Timed]]:
    """A B, B A, A B, ..."""
    while True:
        yield models
        yield models[::-1]
