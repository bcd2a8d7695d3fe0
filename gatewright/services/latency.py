"""Sample what a model costs: time of single rows and of a batch, time to load, memory."""

import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatewright.core.refs import Candidate
from gatewright.services.registry import ModelRegistry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LatencySamples", "sample_latency"]

# The upper bound of a 99th percentile needs some 300 calls at 95 %; more make it narrow.
SINGLE_CALLS = 320
WARM_UP_CALLS = 20


@dataclass(frozen=True)
class LatencySamples:
    """``single_ms`` has shape (calls,), in milliseconds; ``peak_memory_bytes`` counts Python and numpy."""

    single_ms: np.ndarray
    batch_rows: int
    batch_seconds: float
    load_seconds: float
    peak_memory_bytes: int


def sample_latency(
    registry: ModelRegistry, candidate: Candidate, frame: "pd.DataFrame", *, trusted_types: Sequence[str]
) -> LatencySamples:
    """Time the model as the scoring service calls it: through a DataFrame, one row or all rows at once."""
    started = time.perf_counter()
    model = registry.load(candidate.artifact, trusted_types=trusted_types)
    load_seconds = time.perf_counter() - started
    rows = [frame.iloc[[index % len(frame)]] for index in range(SINGLE_CALLS + WARM_UP_CALLS)]
    times = np.array([_seconds(registry, model, row, candidate) for row in rows])[WARM_UP_CALLS:]
    return LatencySamples(
        single_ms=times * 1000,
        batch_rows=len(frame),
        batch_seconds=_seconds(registry, model, frame, candidate),
        load_seconds=load_seconds,
        peak_memory_bytes=_peak(registry, candidate, frame, trusted_types),
    )


def _seconds(registry: ModelRegistry, model: object, rows: "pd.DataFrame", candidate: Candidate) -> float:
    started = time.perf_counter()
    registry.score(model, rows, candidate.features)
    return time.perf_counter() - started


def _peak(registry: ModelRegistry, candidate: Candidate, frame: "pd.DataFrame", trusted_types: Sequence[str]) -> int:
    # Traced apart from the timed calls: tracing makes them several times slower.
    tracemalloc.start()
    try:
        model = registry.load(candidate.artifact, trusted_types=trusted_types)
        registry.score(model, frame.head(1000), candidate.features)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
