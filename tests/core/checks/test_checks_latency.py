"""Latency: quantiles with intervals, exact sizes, nothing from too few calls."""

import numpy as np
import pytest

from gatewright.core.checks.latency import measure_latency
from gatewright.core.errors import ModelError

SIZES = {
    "batch_rows": 10_000,
    "batch_seconds": 0.5,
    "load_seconds": 0.2,
    "model_bytes": 300_000,
    "peak_memory_bytes": 90_000_000,
}


def measure(samples, confidence=0.9, **sizes):
    found = measure_latency(samples, confidence=confidence, **{**SIZES, **sizes})
    return {m.metric: m for m in found}


def test_quantiles_of_a_thousand_calls_are_the_samples_themselves():
    """Of 1 to 1000 ms the median is 500, p95 950 and p99 990, each within its interval."""
    found = measure(np.random.default_rng(0).permutation(np.arange(1.0, 1001.0)))
    values = [found[f"latency_p{q}_ms"].value for q in (50, 95, 99)]
    assert values == [500, 950, 990]
    for q in (50, 95, 99):
        quantile = found[f"latency_p{q}_ms"]
        assert quantile.interval.low < quantile.value < quantile.interval.high
        assert quantile.n == 1_000


def test_too_few_calls_for_an_upper_bound_have_no_value():
    """A hundred calls bound the median and p95 at 90 %, but not p99."""
    found = measure(np.arange(1.0, 101.0))
    assert found["latency_p50_ms"].value == 50
    assert found["latency_p95_ms"].value == 95
    assert found["latency_p99_ms"].value is None
    assert found["latency_p99_ms"].note == "100 calls are too few for an interval"


def test_no_calls_have_no_values():
    """A model that was never called cannot be fast."""
    assert all(measure([])[f"latency_p{q}_ms"].value is None for q in (50, 95, 99))


def test_sizes_are_exact():
    """Rows a second are rows over seconds; sizes have no interval."""
    found = measure([1.0] * 100)
    assert found["batch_rows_per_second"].value == 20_000
    assert found["load_seconds"].value == 0.2
    assert found["model_bytes"].value == 300_000
    assert found["peak_memory_bytes"].value == 90_000_000
    assert all(found[name].interval is None for name in ("model_bytes", "batch_rows_per_second"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 0.0])
def test_durations_that_cannot_be_are_refused(bad):
    """A clock that ran backwards, or a NaN, is no latency."""
    with pytest.raises(ModelError, match="1 of 3 single-row latencies"):
        measure([1.0, bad, 2.0])
    with pytest.raises(ModelError, match="batch_seconds"):
        measure([1.0], batch_seconds=bad)
