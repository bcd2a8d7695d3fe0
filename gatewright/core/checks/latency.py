"""How fast and how large the model is, from samples that somebody else took."""

from typing import Any

import numpy as np

from gatewright.core.checks.inputs import unmeasured
from gatewright.core.errors import ModelError
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.quantiles import order_statistic_interval, sample_quantile

__all__ = ["measure_latency"]

QUANTILES = {"latency_p50_ms": 0.50, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}


def measure_latency(
    single_ms: Any,
    *,
    batch_rows: int,
    batch_seconds: float,
    load_seconds: float,
    model_bytes: int,
    peak_memory_bytes: int,
    confidence: float,
) -> tuple[Measurement, ...]:
    """Quantiles of single-row latencies in milliseconds with order-statistic intervals, and exact sizes.

    ``single_ms``: shape (calls,). ``batch_rows`` rows took ``batch_seconds``. A quantile has no value when
    there are too few calls for both of its bounds. Raises ModelError for durations or sizes that are not
    positive and finite.
    """
    samples = np.asarray(single_ms, dtype=np.float64)
    _accept("single-row latencies", samples)
    sizes = {
        "batch_rows": batch_rows,
        "batch_seconds": batch_seconds,
        "load_seconds": load_seconds,
        "model_bytes": model_bytes,
        "peak_memory_bytes": peak_memory_bytes,
    }
    for name, value in sizes.items():
        _accept(name, np.asarray([value], dtype=np.float64))
    return (
        *(_quantile(metric, samples, confidence) for metric in QUANTILES),
        _exact("batch_rows_per_second", batch_rows / batch_seconds, batch_rows),
        _exact("load_seconds", load_seconds, 1),
        _exact("model_bytes", model_bytes, 1),
        _exact("peak_memory_bytes", peak_memory_bytes, 1),
    )


def _accept(name: str, values: FloatArray) -> None:
    wrong = int((~(np.isfinite(values) & (values > 0))).sum())
    if wrong:
        raise ModelError(
            f"{wrong} of {values.size} {name} are not positive and finite.",
            where="latency measurement",
            remedy="measure again; look at the clock and at the model's answers.",
        )


def _quantile(metric: str, samples: FloatArray, confidence: float) -> Measurement:
    interval = order_statistic_interval(samples, QUANTILES[metric], confidence=confidence)
    if interval is None:
        return unmeasured(metric, samples.size, f"{samples.size} calls are too few for an interval")
    value = sample_quantile(samples, QUANTILES[metric])
    return Measurement(metric=metric, value=value, interval=interval, n=samples.size)


def _exact(metric: str, value: float, n: int) -> Measurement:
    return Measurement(metric=metric, value=float(value), n=n)
