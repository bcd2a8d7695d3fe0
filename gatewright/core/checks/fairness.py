"""Does the model treat groups alike? Gaps by sensitive feature and by pairs of them.

Gaps are taken over supported groups only: a group counts for a rate when the rate's denominator (rows;
positives for true positive rates; negatives for false positive rates; selected rows for precision) reaches
the minimum support. Groups left out are named in the note and counted in ``unsupported_groups``, so that a
policy can refuse to be silent about them. Gaps of small groups are biased upwards (Lum, Zhang, Bower 2022,
FAccT), which the interval carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.groups import fairlearn_gap, group_table, slices_of
from gatewright.core.checks.inputs import (
    accept_clusters,
    accept_groups,
    accept_labels,
    accept_scores,
    measured,
    unmeasured,
)
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import (
    BlockTable,
    Bootstrap,
    FloatArray,
    IntArray,
    assign_blocks,
    block_histogram,
    bootstrap,
    percentile_interval,
)
from gatewright.core.statistics.confusion import RATES
from gatewright.core.statistics.gaps import Gap, GapKind, gap_interval, gap_replicates, gap_value

__all__ = ["FAIRNESS_METRICS", "group_table", "measure_fairness"]

# Metric -> the rates whose gaps it takes the worst of, and the kind of gap.
FAIRNESS_METRICS: dict[str, tuple[tuple[str, ...], GapKind]] = {
    "demographic_parity_difference": (("selection_rate",), "difference"),
    "demographic_parity_ratio": (("selection_rate",), "ratio"),
    "equalized_odds_difference": (("recall", "false_positive_rate"), "difference"),
    "equal_opportunity_difference": (("recall",), "difference"),
    "false_positive_rate_difference": (("false_positive_rate",), "difference"),
    "predictive_parity_difference": (("precision",), "difference"),
}
DENOMINATORS = {
    "selection_rate": "rows",
    "recall": "positives",
    "false_positive_rate": "negatives",
    "precision": "selected rows",
}


@dataclass(frozen=True)
class _Slice:
    """The rows of one slice with the group of each."""

    name: str
    groups: NDArray[np.object_]
    labels: FloatArray
    blocks: IntArray
    minimum_support: int
    seed: int

    def decided(self, selected: NDArray[np.bool_]) -> "_Decided":
        """Sums by block and group of one model's decisions."""
        index, names = pd.factorize(self.groups, sort=True)

        def by_group(values: NDArray[Any] | None = None) -> FloatArray:
            return block_histogram(self.blocks, index, len(names), values)

        sums = {
            "rows": by_group(),
            "positives": by_group(self.labels),
            "selected": by_group(selected),
            "true_positives": by_group(selected * self.labels),
        }
        resampled = bootstrap(BlockTable(sums), seed=self.seed)
        return _Decided(self.name, tuple(names), resampled, self.minimum_support)


@dataclass(frozen=True)
class _Decided:
    """One model's decisions on one slice, by group."""

    slice: str
    names: tuple[str, ...]
    bootstrap: Bootstrap
    minimum_support: int

    def support(self, rate: str) -> FloatArray:
        counts: FloatArray = RATES[rate].denominator(self.bootstrap.total)[0]
        return counts

    def supported(self, rate: str) -> NDArray[np.bool_]:
        return self.support(rate) >= self.minimum_support

    def left_out(self, rate: str) -> list[str]:
        counts = self.support(rate)
        return [
            f"{self.names[k]} ({counts[k]:.0f} {DENOMINATORS[rate]})" for k in np.flatnonzero(~self.supported(rate))
        ]


def measure_fairness(
    labels: Any,
    scores: Any,
    groups: Mapping[str, Any],
    *,
    threshold: float,
    confidence: float,
    minimum_support: int,
    clusters: Any = None,
    champion_scores: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """``FAIRNESS_METRICS`` and ``unsupported_groups`` for each sensitive feature and each pair of them.

    ``groups``: feature name -> group of each row, shape (rows,). The slice of a pair is ``a & b`` in sorted
    order. With a champion also ``<metric>_change``: candidate's gap minus champion's gap over the groups that
    both support. ``n`` is the smallest supported denominator. A value is None where fewer than two groups
    have support. Raises DataError and ModelError as `measure_evaluation`.
    """
    truth = accept_labels(labels)
    blocks = assign_blocks(truth.size, accept_clusters(clusters, truth.size))
    ours = accept_scores(scores, truth.size, where="candidate scores")
    theirs = None
    if champion_scores is not None:
        theirs = accept_scores(champion_scores, truth.size, where="champion scores")
    measurements: list[Measurement] = []
    for name, values in slices_of(accept_groups(groups, truth.size)).items():
        audited = _Slice(name, values, truth, blocks, max(minimum_support, 1), seed)
        candidate = audited.decided(ours >= threshold)
        champion = None if theirs is None else audited.decided(theirs >= threshold)
        measurements += _measure_slice(candidate, champion, confidence)
    return tuple(measurements)


def _measure_slice(candidate: _Decided, champion: _Decided | None, confidence: float) -> list[Measurement]:
    measurements = [_measure_gap(metric, candidate, confidence) for metric in FAIRNESS_METRICS]
    if champion is not None:
        measurements += [_measure_change(metric, candidate, champion, confidence) for metric in FAIRNESS_METRICS]
    return [*measurements, _measure_unsupported(candidate)]


def _measure_gap(metric: str, model: _Decided, confidence: float) -> Measurement:
    gaps, n = _gaps(metric, model, model)
    note = _note(metric, model)
    if not gaps:
        return unmeasured(metric, n, f"fewer than 2 groups have support; {note}", slice=model.slice)
    value = _fairlearn_value(metric, gaps, model)
    interval = gap_interval(gaps, model.bootstrap, confidence)
    return measured(metric, value, interval, n, slice=model.slice, note=note)


def _fairlearn_value(metric: str, gaps: tuple[Gap, ...], model: _Decided) -> float:
    rates, kind = FAIRNESS_METRICS[metric]
    worst = max if kind == "difference" else min
    return worst(
        fairlearn_gap(rate, kind, model.bootstrap.total, gap.kept) for rate, gap in zip(rates, gaps, strict=True)
    )


def _measure_change(metric: str, candidate: _Decided, champion: _Decided, confidence: float) -> Measurement:
    name = f"{metric}_change"
    gaps, n = _gaps(metric, candidate, champion)
    note = _note(metric, candidate, champion)
    if not gaps:
        return unmeasured(name, n, f"fewer than 2 groups have support; {note}", slice=candidate.slice)
    ours, theirs = candidate.bootstrap, champion.bootstrap
    value = gap_value(gaps, ours) - gap_value(gaps, theirs)
    replicates = gap_replicates(gaps, ours) - gap_replicates(gaps, theirs)
    interval = percentile_interval(value, replicates, blocks=ours.blocks, confidence=confidence)
    return measured(name, value, interval, n, slice=candidate.slice, note=note)


def _gaps(metric: str, first: _Decided, second: _Decided) -> tuple[tuple[Gap, ...], int]:
    """The gaps over the groups both support, none when a rate has fewer than two; smallest denominator."""
    rates, kind = FAIRNESS_METRICS[metric]
    kept = [np.flatnonzero(first.supported(rate) & second.supported(rate)) for rate in rates]
    counts = [first.support(rate)[groups] for rate, groups in zip(rates, kept, strict=True)]
    n = int(min((group.min() for group in counts if group.size), default=0))
    if any(groups.size < 2 for groups in kept):
        return (), n
    return tuple(Gap(RATES[rate], kind, groups) for rate, groups in zip(rates, kept, strict=True)), n


def _note(metric: str, *models: _Decided) -> str:
    rates, _ = FAIRNESS_METRICS[metric]
    left_out = dict.fromkeys(group for model in models for rate in rates for group in model.left_out(rate))
    if not left_out:
        return ""
    return f"left out below support {models[0].minimum_support}: {', '.join(left_out)}"


def _measure_unsupported(model: _Decided) -> Measurement:
    """Groups left out of at least one rate: an exact count."""
    left_out = np.zeros(len(model.names), dtype=bool)
    for rate in DENOMINATORS:
        left_out |= ~model.supported(rate)
    described = dict.fromkeys(group for rate in DENOMINATORS for group in model.left_out(rate))
    return Measurement(
        metric="unsupported_groups",
        slice=model.slice,
        value=float(left_out.sum()),
        n=int(model.bootstrap.total["rows"].sum()),
        note=", ".join(described),
    )
