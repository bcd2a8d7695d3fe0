"""Latency: quantiles with intervals, exact sizes, nothing from too few calls."""

import numpy as np
import pytest

from gatewright.core.checks.latency import Timings, latency_histogram, measure_latency
from gatewright.core.errors import ModelError

SIZES = {"batch_rows": 10_000, "model_bytes": 300_000, "peak_memory_bytes": 90_000_000}


def timed(samples, batch_seconds=(0.4, 0.5, 0.5, 0.5, 0.8), load_seconds=(0.1, 0.2, 0.2, 0.2, 0.4)):
    return Timings(*(np.asarray(values, dtype=float) for values in (samples, batch_seconds, load_seconds)))


def measure(samples, confidence=0.9, champion=None, **given):
    sizes = {name: given.pop(name, value) for name, value in SIZES.items()}
    found = measure_latency(timed(samples, **given), confidence=confidence, champion=champion, **sizes)
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
    """They have no interval."""
    found = measure([1.0] * 100)
    assert (found["model_bytes"].value, found["model_bytes"].interval) == (300_000, None)
    assert (found["peak_memory_bytes"].value, found["peak_memory_bytes"].interval) == (90_000_000, None)


def test_loading_and_throughput_are_medians_within_their_samples():
    """Of five repeats the extremes bound the median at 90 %; rows a second are rows over seconds."""
    found = measure([1.0] * 100)
    load, throughput = found["load_seconds"], found["batch_rows_per_second"]
    assert (load.interval.low, load.value, load.interval.high) == (0.1, 0.2, 0.4)
    assert (throughput.interval.low, throughput.value, throughput.interval.high) == (12_500, 20_000, 25_000)
    assert measure([1.0] * 100, load_seconds=[0.2] * 4)["load_seconds"].value is None


def test_ratios_are_candidate_over_champion():
    """A candidate of twice the latency and half the throughput."""
    champion = timed(np.arange(1.0, 1001.0), [0.25] * 5, [0.1] * 5)
    found = measure(np.arange(2.0, 2001.0, 2), champion=champion)
    for metric in ("latency_p50_ms_ratio", "latency_p95_ms_ratio", "latency_p99_ms_ratio"):
        assert found[metric].value == 2
        assert found[metric].interval.low < 2 < found[metric].interval.high
    assert found["load_seconds_ratio"].value == 2
    assert found["batch_rows_per_second_ratio"].value == 0.5


def test_without_a_champion_there_are_no_ratios():
    """Rules that need one say so themselves."""
    assert not any(metric.endswith("_ratio") for metric in measure([1.0] * 100))


def test_too_few_calls_have_no_ratio():
    """A hundred calls bound no 99th percentile."""
    found = measure(np.arange(1.0, 101.0), champion=timed(np.arange(1.0, 101.0)))
    assert found["latency_p99_ms_ratio"].value is None
    assert found["latency_p50_ms_ratio"].value is not None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 0.0])
def test_durations_that_cannot_be_are_refused(bad):
    """A clock that ran backwards, or a NaN, is no latency."""
    with pytest.raises(ModelError, match="1 of 3 single-row latencies"):
        measure([1.0, bad, 2.0])
    with pytest.raises(ModelError, match="batch_seconds"):
        measure([1.0], batch_seconds=[bad])
    with pytest.raises(ModelError, match="champion's load_seconds"):
        measure([1.0], champion=timed([1.0], load_seconds=[bad]))


def test_a_histogram_counts_every_call_on_edges_that_do_not_depend_on_the_sample():
    """Of 1, 1.05, 2 and 9.9 ms two are below the next edge of 1.122 ms, and 20 bars reach from 1 to 10 ms."""
    drawn = latency_histogram(timed([1.0, 1.05, 2.0, 9.9]))
    assert drawn["edges"] == pytest.approx(10.0 ** (np.arange(21) / 20))
    assert drawn["counts"] == [2, *[0] * 5, 1, *[0] * 12, 1]
    assert latency_histogram(timed([])) == {"edges": [], "counts": []}


def test_a_call_that_hangs_does_not_stretch_the_histogram():
    """One of an hour is in the last of a hundred bars."""
    drawn = latency_histogram(timed([0.001, 3_600_000.0]))
    assert len(drawn["counts"]) == 100
    assert drawn["counts"][-1] == 1
