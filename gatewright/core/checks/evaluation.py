"""How well a model predicts, and how much better or worse than the champion on the same rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.curves import evaluation_curves
from gatewright.core.checks.inputs import (
    accept_clusters,
    accept_labels,
    accept_scores,
    measured,
    unmeasured,
)
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.auc import auc, auc_difference_interval, auc_interval
from gatewright.core.statistics.average_precision import average_precision, average_precision_from_bins
from gatewright.core.statistics.blocks import (
    BlockTable,
    Bootstrap,
    FloatArray,
    Statistic,
    Sums,
    assign_blocks,
    block_histogram,
    block_sums,
    bootstrap,
    hull,
    paired_interval,
    percentile_interval,
)
from gatewright.core.statistics.calibration import (
    EQUAL_WIDTH_BINS,
    bin_edges,
    calibration_error_from_sums,
    to_bins,
)
from gatewright.core.statistics.confusion import RATES, balanced_accuracy, f1, quotient, rate_interval
from gatewright.core.statistics.proportions import bonett_price_difference, wilson

__all__ = ["METRICS", "evaluation_curves", "evaluation_table", "measure_evaluation"]

METRICS = (
    "auc", "average_precision", "log_loss", "brier", "expected_calibration_error", "precision", "recall",
    "specificity", "accuracy", "balanced_accuracy", "f1", "selection_rate",
)  # fmt: skip
NEEDS_BOTH_CLASSES = frozenset(
    {"auc", "average_precision", "precision", "recall", "specificity", "balanced_accuracy", "f1"}
)
# Means of two rates. The mean of their lower bounds is below their harmonic mean only by a square of the gap.
PARTS = {"balanced_accuracy": ("recall", "specificity"), "f1": ("precision", "recall")}
# Bins of the score in which average precision is resampled; its value is exact.
RANKING_BINS = 1024


def _log_loss(sums: Sums) -> FloatArray:
    return quotient(sums["log_loss"], sums["rows"])


def _brier(sums: Sums) -> FloatArray:
    return quotient(sums["squared_error"], sums["rows"])


def _calibration_error(sums: Sums) -> FloatArray:
    return calibration_error_from_sums(sums["bin_scores"], sums["bin_labels"], sums["rows"])


def _average_precision(sums: Sums) -> FloatArray:
    return average_precision_from_bins(sums["rank_positives"], sums["rank_rows"])


STATISTICS: dict[str, Statistic] = {
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
    "expected_calibration_error": _calibration_error,
    "balanced_accuracy": balanced_accuracy,
    "f1": f1,
    **RATES,
}


def evaluation_table(
    labels: FloatArray, scores: FloatArray, *, threshold: float, blocks: NDArray[np.int64], edges: FloatArray
) -> BlockTable:
    """All sums of the evaluation metrics per block.

    ``edges`` are the inner edges of the score bins for average precision; tables merge when they are equal.
    A score of ``threshold`` is selected. Logarithms are cut at the resolution of a float, as in scikit-learn.
    """
    selected = (scores >= threshold).astype(np.float64)
    safe = np.clip(scores, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
    losses = -np.where(labels == 1, np.log(safe), np.log1p(-safe))
    bins = to_bins(scores, bin_edges(scores, EQUAL_WIDTH_BINS))
    ranks, width = to_bins(scores, edges), edges.size + 1
    return BlockTable(
        {
            "rows": block_sums(blocks),
            "positives": block_sums(blocks, labels),
            "selected": block_sums(blocks, selected),
            "true_positives": block_sums(blocks, selected * labels),
            "log_loss": block_sums(blocks, losses),
            "squared_error": block_sums(blocks, (scores - labels) ** 2),
            "bin_scores": block_histogram(blocks, bins, EQUAL_WIDTH_BINS, scores),
            "bin_labels": block_histogram(blocks, bins, EQUAL_WIDTH_BINS, labels),
            "rank_rows": block_histogram(blocks, ranks, width),
            "rank_positives": block_histogram(blocks, ranks, width, labels),
        }
    )


@dataclass(frozen=True)
class _Evaluated:
    """One model on the evaluation rows."""

    labels: FloatArray
    scores: FloatArray
    threshold: float
    clusters: NDArray[np.uint64] | None
    seed: int

    @cached_property
    def bootstrap(self) -> Bootstrap:
        blocks = assign_blocks(self.labels.size, self.clusters)
        edges = bin_edges(self.scores, RANKING_BINS, "mass")
        table = evaluation_table(self.labels, self.scores, threshold=self.threshold, blocks=blocks, edges=edges)
        return bootstrap(table, seed=self.seed)

    @property
    def selected(self) -> NDArray[np.bool_]:
        return self.scores >= self.threshold

    def value(self, metric: str) -> float:
        if metric == "auc":
            return auc(self.labels, self.scores)
        if metric == "average_precision":
            return average_precision(self.labels, self.scores)
        return self.bootstrap.value(STATISTICS[metric])

    def interval(self, metric: str, confidence: float) -> Interval | None:
        if metric == "auc":
            return auc_interval(self.labels, self.scores, confidence=confidence, clusters=self.clusters)
        if metric == "average_precision":
            return self.ranking_interval(confidence)
        if metric in RATES:
            return self.rate_interval(metric, confidence)
        if metric in PARTS and not np.nanstd(STATISTICS[metric](self.bootstrap.replicates)) > 0:
            return self.combined(metric, confidence)
        return self.bootstrap.interval(STATISTICS[metric], confidence)

    def rate_interval(self, rate: str, confidence: float) -> Interval | None:
        clustered = self.clusters is not None
        return rate_interval(RATES[rate], self.bootstrap, confidence, clustered=clustered)

    def combined(self, metric: str, confidence: float) -> Interval | None:
        """Of a mean of two rates where no resample differs (no errors at all): the mean of their bounds."""
        first, second = (self.rate_interval(rate, confidence) for rate in PARTS[metric])
        if first is None or second is None:
            return None
        low, high = (first.low + second.low) / 2, (first.high + second.high) / 2
        return Interval(low=low, high=high, confidence=confidence, method=f"mean of {first.method}")

    def ranking_interval(self, confidence: float) -> Interval | None:
        """Average precision is a mean over positives; where no resample errs, Wilson's bound for all of them."""
        resampled = self.shifted(self.value("average_precision"), self.ranking_replicates, confidence)
        if resampled is None or resampled.high > resampled.low:
            return resampled
        positives = float(self.labels.sum())
        return hull(resampled, wilson(positives, positives, confidence=confidence))

    @property
    def ranking_replicates(self) -> FloatArray:
        """Average precision of the resamples, less the small error of the bins."""
        error = self.bootstrap.value(_average_precision) - self.value("average_precision")
        return _average_precision(self.bootstrap.replicates) - error

    def shifted(self, value: float, replicates: FloatArray, confidence: float) -> Interval | None:
        return percentile_interval(value, replicates, blocks=self.bootstrap.blocks, confidence=confidence)

    def denominator(self, metric: str) -> int:
        if metric in RATES:
            return int(RATES[metric].denominator(self.bootstrap.total)[0])
        return self.labels.size


def measure_evaluation(
    labels: Any,
    scores: Any,
    *,
    threshold: float,
    confidence: float,
    clusters: Any = None,
    champion_scores: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """All ``METRICS`` of the candidate, and with a champion ``<metric>_change``: candidate minus champion.

    ``labels`` 0/1, scores within [0, 1], ``clusters`` any ids, each of shape (rows,). ``n`` is the rate's
    denominator. Raises DataError for wrong labels or clusters, ModelError for scores that are NaN, outside
    [0, 1] or of another length.
    """
    truth = accept_labels(labels)
    ids = accept_clusters(clusters, truth.size)
    ours = accept_scores(scores, truth.size, where="candidate scores")
    candidate = _Evaluated(truth, ours, threshold, ids, seed)
    measurements = [_measure(metric, candidate, confidence) for metric in METRICS]
    if champion_scores is not None:
        theirs = accept_scores(champion_scores, truth.size, where="champion scores")
        champion = _Evaluated(truth, theirs, threshold, ids, seed)
        measurements += [_measure_change(metric, candidate, champion, confidence) for metric in METRICS]
    return tuple(measurements)


def _unmeasurable(metric: str, labels: FloatArray) -> str:
    if not labels.size:
        return "no rows"
    if metric in NEEDS_BOTH_CLASSES and labels.min() == labels.max():
        return f"all {labels.size} labels are {labels[0]:.0f}: needs both classes"
    return ""


def _measure(metric: str, model: _Evaluated, confidence: float) -> Measurement:
    note = _unmeasurable(metric, model.labels)
    if note:
        return unmeasured(metric, model.labels.size, note)
    value, n = model.value(metric), model.denominator(metric)
    return measured(metric, value, model.interval(metric, confidence), n, note=_undefined(value))


def _measure_change(metric: str, candidate: _Evaluated, champion: _Evaluated, confidence: float) -> Measurement:
    name, note = f"{metric}_change", _unmeasurable(metric, candidate.labels)
    if note:
        return unmeasured(name, candidate.labels.size, note)
    value = candidate.value(metric) - champion.value(metric)
    n = min(candidate.denominator(metric), champion.denominator(metric))
    interval = _change_interval(metric, candidate, champion, confidence)
    return measured(name, value, interval, n, note=_undefined(value))


def _undefined(value: float) -> str:
    return "" if np.isfinite(value) else "no row was selected at the threshold"


def _change_interval(metric: str, candidate: _Evaluated, champion: _Evaluated, confidence: float) -> Interval | None:
    if metric == "auc":
        return auc_difference_interval(
            candidate.labels,
            candidate.scores,
            champion.scores,
            confidence=confidence,
            clusters=candidate.clusters,
        )
    if metric == "average_precision":
        replicates = candidate.ranking_replicates - champion.ranking_replicates
        value = candidate.value(metric) - champion.value(metric)
        return candidate.shifted(value, replicates, confidence)
    resampled = paired_interval(candidate.bootstrap, champion.bootstrap, STATISTICS[metric], confidence)
    if metric in ("recall", "specificity", "accuracy", "selection_rate"):
        return hull(resampled, _discordance_interval(metric, candidate, champion, confidence))
    return resampled


def _discordance_interval(metric: str, candidate: _Evaluated, champion: _Evaluated, confidence: float) -> Interval:
    """A bootstrap of rows on which both models decide alike has no width; the discordant counts give one."""
    wanted = np.ones_like(candidate.labels) if metric == "selection_rate" else candidate.labels
    kept = {"recall": candidate.labels == 1, "specificity": candidate.labels == 0}.get(metric, np.True_)
    ours, theirs = (model.selected == wanted for model in (candidate, champion))
    only_ours, only_theirs = int((ours & ~theirs & kept).sum()), int((theirs & ~ours & kept).sum())
    n = candidate.denominator(metric)
    return bonett_price_difference(only_ours, only_theirs, n, confidence=confidence)
