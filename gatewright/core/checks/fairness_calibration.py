"""Do scores mean the same in every group? The worst calibration of any group, overall and bin by bin.

A group's scores are compared with its outcomes in bins of equal width. Deviations are treated as normal with the
binomial variance of each bin (that of the clusters where it is larger). The upper bound is the largest of all
groups' upper bounds and the lower bound the largest of all lower ones at alpha / k, as in `statistics.gaps`; an
expected calibration error is biased upwards in few rows, and its lower bound is reduced by what chance alone adds.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from gatewright.core.checks.fairness_slices import Audit
from gatewright.core.checks.fairness_sums import AuditedSlice
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import REPLICATES, BlockTable, FloatArray, IntArray, bootstrap

__all__ = ["CALIBRATION_METRICS", "measure_group_calibration"]

# The largest expected calibration error of a group, and the largest distance of its mean score from its rate.
CALIBRATION_METRICS = ("calibration_within_groups", "calibration_in_the_large_within_groups")


@dataclass(frozen=True)
class _Calibration:
    """Positives minus expected ones over the rows of the group: by bin, and their standard errors, shape (k, BINS).

    ``overall_error``: that of the sum over bins, shape (k,).
    """

    deviations: FloatArray
    errors: FloatArray
    overall_error: FloatArray


def measure_group_calibration(
    slice: AuditedSlice, audited: Audit, confidence: float, *, seed: int
) -> tuple[Measurement, ...]:
    """``CALIBRATION_METRICS`` over the groups with support; nothing without scores."""
    if slice.outcomes is None or slice.scores is None:
        return ()
    model = audited.candidate
    kept = np.flatnonzero(model.supported("selection_rate"))
    left_out = model.left_out("selection_rate")
    note = f"left out below support {model.minimum_support}: {', '.join(left_out)}" if left_out else ""
    if not kept.size:
        words = f"no group has support; {note}"
        return tuple(unmeasured(metric, 0, words, slice=slice.name) for metric in CALIBRATION_METRICS)
    found = _calibration(slice.outcomes[:, kept], slice.scores[:, kept], seed)
    n = int(model.support("selection_rate")[kept].min())
    values = (np.abs(found.deviations).sum(axis=1).max(), np.abs(found.deviations.sum(axis=1)).max())
    intervals = (_expected_error_interval(found, confidence, seed), _in_the_large_interval(found, confidence))
    return tuple(
        measured(metric, float(value), interval if audited.sufficient else None, n, slice=slice.name, note=note)
        for metric, value, interval in zip(CALIBRATION_METRICS, values, intervals, strict=True)
    )


def _calibration(outcomes: IntArray, scores: FloatArray, seed: int) -> _Calibration:
    rows: FloatArray = outcomes.sum(axis=-1).sum(axis=0).astype(np.float64)
    excess = outcomes[..., 1] - scores
    n = rows.sum(axis=1, keepdims=True)
    variance = np.maximum(_binomial(outcomes[..., 1].sum(axis=0), rows), _binomial(scores.sum(axis=0), rows)) / n**2
    overall = variance.sum(axis=1)
    if outcomes.shape[0] > 1:
        replicates = _block_replicates(outcomes, excess, seed)
        variance = np.maximum(variance, replicates.var(axis=0))
        overall = np.maximum(overall, replicates.sum(axis=-1).var(axis=0))
    return _Calibration(excess.sum(axis=0) / n, np.sqrt(variance), np.sqrt(overall))


def _binomial(positives: FloatArray | IntArray, rows: FloatArray) -> FloatArray:
    """Variance of a number of positives, which two rows more, one of each kind, keep from 0."""
    share = (positives + 1) / (rows + 2)
    variance: FloatArray = rows * share * (1 - share)
    return variance


def _block_replicates(outcomes: IntArray, excess: FloatArray, seed: int) -> FloatArray:
    """Deviations in each resample of the clusters, shape (B, k, BINS); those of the sample where a group is empty."""
    rows = outcomes.sum(axis=(2, 3)).astype(np.float64)
    resampled = bootstrap(BlockTable({"rows": rows, "excess": excess.reshape(rows.shape[0], -1)}), seed=seed)
    n = np.maximum(resampled.replicates["rows"], 1)[..., None]
    return resampled.replicates["excess"].reshape(-1, *excess.shape[1:]) / n


def _expected_error_interval(found: _Calibration, confidence: float, seed: int) -> Interval:
    alpha, groups = (1 - confidence) / 2, len(found.deviations)
    normal = np.random.default_rng(seed).standard_normal((REPLICATES, found.deviations.shape[1]))
    low, high, value = 0.0, 0.0, float(np.abs(found.deviations).sum(axis=1).max())
    for deviations, errors in zip(found.deviations, found.errors, strict=True):
        noise = errors * normal
        chance = np.quantile(np.abs(noise).sum(axis=1), 1 - alpha / groups)
        low = max(low, float(np.abs(deviations).sum() - chance))
        high = max(high, float(np.quantile(np.abs(deviations + noise).sum(axis=1), 1 - alpha)))
    return Interval(low=low, high=max(high, value), confidence=confidence, method="normal deviations by bin")


def _in_the_large_interval(found: _Calibration, confidence: float) -> Interval:
    alpha, groups = (1 - confidence) / 2, len(found.deviations)
    distance = np.abs(found.deviations.sum(axis=1))
    narrow, wide = (NormalDist().inv_cdf(1 - tail) for tail in (alpha / (2 * groups), alpha))
    low = float(np.maximum(distance - narrow * found.overall_error, 0).max())
    high = float((distance + wide * found.overall_error).max())
    return Interval(low=low, high=high, confidence=confidence, method="normal deviations")
