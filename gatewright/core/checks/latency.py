"""How fast and how large the model is, alone and against the champion, from samples that somebody else took."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import JsonValue

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.errors import ModelError
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.quantiles import order_statistic_interval, quantile_ratio_interval, sample_quantile

__all__ = ["QUANTILES", "Timings", "latency_histogram", "measure_latency"]

QUANTILES = {"latency_p50_ms": 0.50, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}
MEDIAN = 0.5
# Bars of a histogram have the same width on a logarithmic scale, and the same edges for any two samples.
BARS_PER_DECADE = 20
MAXIMUM_BARS = 100


@dataclass(frozen=True)
class Timings:
    """Durations of one model: each of shape (repeats,), single calls in milliseconds."""

    single_ms: FloatArray
    batch_seconds: FloatArray
    load_seconds: FloatArray


def measure_latency(
    candidate: Timings,
    *,
    batch_rows: int,
    model_bytes: int,
    peak_memory_bytes: int,
    confidence: float,
    champion: Timings | None = None,
) -> tuple[Measurement, ...]:
    """Quantiles with order-statistic intervals, exact sizes, and ratios to the champion.

    ``latency_p50_ms``, ``_p95_``, ``_p99_`` of single rows; ``load_seconds`` and ``batch_rows_per_second`` are
    medians; of all five a ``..._ratio`` (candidate over champion) when ``champion`` was sampled in the same
    run. A quantile has no value when there are too few calls for both of its bounds. Raises ModelError for
    durations or sizes that are not positive and finite.
    """
    _accept_timings("", candidate)
    _accept("batch_rows", batch_rows)
    _accept("model_bytes", model_bytes)
    _accept("peak_memory_bytes", peak_memory_bytes)
    return (
        *_quantiles(candidate, batch_rows, confidence),
        _exact("model_bytes", model_bytes),
        _exact("peak_memory_bytes", peak_memory_bytes),
        *(_ratios(candidate, champion, confidence) if champion is not None else ()),
    )


def latency_histogram(timings: Timings) -> dict[str, JsonValue]:
    """``edges`` in milliseconds, one more than ``counts`` of single calls; empty without calls.

    Edges are powers of 10 ** (1 / ``BARS_PER_DECADE``); calls beyond ``MAXIMUM_BARS`` bars are in the last one.
    """
    if not timings.single_ms.size:
        return {"edges": [], "counts": []}
    bars = np.floor(np.log10(timings.single_ms) * BARS_PER_DECADE).astype(np.int64)
    first = int(bars.min())
    counts = np.bincount(np.minimum(bars - first, MAXIMUM_BARS - 1))
    edges = 10.0 ** (np.arange(first, first + counts.size + 1) / BARS_PER_DECADE)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _accept_timings(prefix: str, timings: Timings) -> None:
    _accept(f"{prefix}single-row latencies", timings.single_ms)
    _accept(f"{prefix}batch_seconds", timings.batch_seconds)
    _accept(f"{prefix}load_seconds", timings.load_seconds)


def _accept(name: str, given: Any) -> None:
    values = np.atleast_1d(np.asarray(given, dtype=np.float64))
    wrong = int((~(np.isfinite(values) & (values > 0))).sum())
    if wrong:
        raise ModelError(
            f"{wrong} of {values.size} {name} are not positive and finite.",
            where="latency measurement",
            remedy="measure again; look at the clock and at the model's answers.",
        )


def _quantiles(timings: Timings, batch_rows: int, confidence: float) -> Iterator[Measurement]:
    for metric, probability in QUANTILES.items():
        yield _quantile(metric, timings.single_ms, probability, confidence)
    yield _quantile("load_seconds", timings.load_seconds, MEDIAN, confidence)
    yield _throughput(_quantile("batch_rows_per_second", timings.batch_seconds, MEDIAN, confidence), batch_rows)


def _quantile(metric: str, samples: FloatArray, probability: float, confidence: float) -> Measurement:
    interval = order_statistic_interval(samples, probability, confidence=confidence)
    if interval is None:
        return unmeasured(metric, samples.size, f"{samples.size} calls are too few for an interval")
    return measured(metric, sample_quantile(samples, probability), interval, samples.size)


def _throughput(seconds: Measurement, rows: int) -> Measurement:
    """Rows a second from the seconds that ``rows`` took."""
    if seconds.value is None or seconds.interval is None:
        return seconds
    return seconds.model_copy(
        update={
            "value": rows / seconds.value,
            "interval": _inverse(seconds.interval, rows),
            "note": f"batches of {rows} rows",
        }
    )


def _inverse(interval: Interval, numerator: float) -> Interval:
    bounds = {"low": numerator / interval.high, "high": numerator / interval.low}
    return interval.model_copy(update=bounds)


def _ratios(candidate: Timings, champion: Timings, confidence: float) -> Iterator[Measurement]:
    _accept_timings("champion's ", champion)
    for metric, probability in QUANTILES.items():
        yield _ratio(f"{metric}_ratio", candidate.single_ms, champion.single_ms, probability, confidence)
    yield _ratio("load_seconds_ratio", candidate.load_seconds, champion.load_seconds, MEDIAN, confidence)
    # More rows a second is fewer seconds: the champion's seconds over the candidate's.
    yield _ratio("batch_rows_per_second_ratio", champion.batch_seconds, candidate.batch_seconds, MEDIAN, confidence)


def _ratio(
    metric: str, numerator: FloatArray, denominator: FloatArray, probability: float, confidence: float
) -> Measurement:
    n = min(numerator.size, denominator.size)
    interval = quantile_ratio_interval(numerator, denominator, probability, confidence=confidence)
    if interval is None:
        return unmeasured(metric, n, f"{n} calls are too few for an interval")
    value = sample_quantile(numerator, probability) / sample_quantile(denominator, probability)
    return measured(metric, value, interval, n)


def _exact(metric: str, value: float) -> Measurement:
    return Measurement(metric=metric, value=float(value), n=1)
