"""One model on the evaluation rows: the value of each metric, its resamples, and its interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.evaluation_metrics import GAPS, SMOOTH_BIAS, STATISTICS
from gatewright.core.checks.evaluation_ranking import Ranking, ranking_of_rows, ranking_of_table
from gatewright.core.checks.evaluation_rows import KeptRows
from gatewright.core.checks.evaluation_sums import EvaluationSums
from gatewright.core.checks.evaluation_table import EvaluationTable, block_table
from gatewright.core.results import Interval
from gatewright.core.statistics.auc import Placements, area_interval, estimate_area, estimate_interval
from gatewright.core.statistics.blocks import (
    BLOCKS,
    BlockTable,
    Bootstrap,
    FloatArray,
    IntArray,
    Statistic,
    Sums,
    bootstrap,
    hull,
    percentile_interval,
)
from gatewright.core.statistics.confusion import RATES, rate_interval
from gatewright.core.statistics.fixed_point import from_fixed_point
from gatewright.core.statistics.gap_bias import GapError
from gatewright.core.statistics.proportions import wilson
from gatewright.core.statistics.recalibration import stepped

__all__ = ["NO_SPREAD", "Evaluated", "Placed", "evaluated", "holding"]

# Where a metric of a decision has no spread, the rates whose bounds it is at least as good as.
PARTS = {
    "balanced_accuracy": ("recall", "specificity"),
    "f1": ("precision", "recall"),
    "matthews_correlation": ("recall", "specificity"),
}
NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class Placed:
    """What DeLong's variance asks for, each of shape (rows,) or of one class's rows."""

    labels: NDArray[Any]
    placements: Placements
    clusters: NDArray[np.uint64] | None


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Built by `evaluated`. ``ranking`` only with scores, ``placed`` only where their rows are kept."""

    bootstrap: Bootstrap
    ranking: Ranking | None
    clustered: bool
    placed: Placed | None

    def total(self, name: str) -> float:
        """A sum over all rows."""
        return float(self.bootstrap.total[name][0])

    def value(self, metric: str) -> float:
        """NaN where it is undefined."""
        if self.ranking is not None and metric in self.ranking.values:
            return self.ranking.values[metric]
        return self.bootstrap.value(STATISTICS[metric])

    def denominator(self, metric: str) -> int:
        """How many rows the metric speaks of."""
        if metric in RATES:
            return int(RATES[metric].denominator(self.bootstrap.total)[0])
        return int(self.total("selected" if metric == "lift" else "rows"))

    @property
    def _negatives(self) -> float:
        return self.total("rows") - self.total("positives")

    @cached_property
    def _resamples(self) -> dict[str, FloatArray]:
        return {}

    def replicates(self, metric: str) -> FloatArray:
        """The metric in each resample, centred where it is centred in new data: less bins' and upward bias."""
        if metric not in self._resamples:
            self._resamples[metric] = self._replicates(metric)
        return self._resamples[metric]

    def _replicates(self, metric: str) -> FloatArray:
        statistic, value = self._statistic(metric), self.value(metric)
        replicates = statistic(self.bootstrap.replicates)
        if metric in SMOOTH_BIAS:
            return replicates - 2 * (float(replicates.mean()) - value)
        if self.ranking is not None and metric in self.ranking.values:
            return replicates - (self.bootstrap.value(statistic) - value)
        return replicates

    def _statistic(self, metric: str) -> Statistic:
        if metric in ("calibration_intercept", "calibration_slope"):
            return self._recalibrated(metric == "calibration_slope")
        return STATISTICS[metric]

    def _recalibrated(self, slope: bool) -> Statistic:
        def statistic(sums: Sums) -> FloatArray:
            assert self.ranking is not None
            return stepped(self.ranking.fit, sums["recalibration"])[int(slope)]

        return statistic

    def upward_bias(self, metric: str) -> float:
        """How much of a calibration metric chance alone explains; 0 for others."""
        if metric in GAPS:
            return max(0.0, self.value(metric) - self.gap_error(metric).middle)
        if metric == "brier_reliability":
            return max(0.0, self.value(metric) - float(np.mean(self.replicates(metric))))
        return 0.0

    def gap_error(self, metric: str) -> GapError:
        """The resampled gaps of a metric of ``GAPS``."""
        if metric not in self._gap_errors:
            self._gap_errors[metric] = GapError.of(self.bootstrap, GAPS[metric])
        return self._gap_errors[metric]

    @cached_property
    def _gap_errors(self) -> dict[str, GapError]:
        return {}

    def interval(self, metric: str, confidence: float) -> Interval | None:
        """None with too few independent rows, and where fixed bins cannot resample the scores."""
        if metric in RATES:
            return rate_interval(RATES[metric], self.bootstrap, confidence, clustered=self.clustered)
        if metric == "auc" and self.placed is not None:
            return _area_interval(self.placed, confidence)
        if metric == "auc" and self.ranking is not None and not self.clustered:
            return area_interval(self.ranking.area, (self.total("positives"), self._negatives), confidence)
        if self.is_crowded(metric):
            return None
        if metric in GAPS:
            return holding(self.gap_error(metric).interval(confidence), self.value(metric))
        resampled = self.percentiles(self.value(metric), self.replicates(metric), confidence)
        if resampled is not None and resampled.high - resampled.low < NO_SPREAD:
            return self._without_spread(metric, resampled)
        return _at_least_zero(resampled) if metric == "brier_reliability" else resampled

    def is_crowded(self, metric: str) -> bool:
        """Whether the metric is resampled in fixed bins that hold too many different scores."""
        return self.ranking is not None and self.ranking.crowded and metric in self.ranking.values

    def percentiles(self, value: float, replicates: FloatArray, confidence: float) -> Interval | None:
        """`percentile_interval` at these blocks."""
        return percentile_interval(value, replicates, blocks=self.bootstrap.blocks, confidence=confidence)

    def _without_spread(self, metric: str, resampled: Interval) -> Interval | None:
        """No resample differs, as without a single error: what the closed forms of its parts still doubt."""
        confidence = resampled.confidence
        if metric in ("average_precision", "auc"):
            positives = self.total("positives")
            return hull(resampled, wilson(positives, positives, confidence=confidence))
        if metric == "lift":
            return _scaled(self.interval("precision", confidence), self.total("rows") / self.total("positives"))
        if metric not in PARTS:
            return resampled
        first, second = (self.interval(rate, confidence) for rate in PARTS[metric])
        if first is None or second is None:
            return None
        low, high = (first.low + second.low) / 2, (first.high + second.high) / 2
        if metric == "matthews_correlation":
            low, high = 2 * low - 1, 2 * high - 1
        mean = Interval(low=low, high=high, confidence=confidence, method=f"mean of {first.method}")
        return hull(mean, resampled)


def _area_interval(placed: Placed, confidence: float) -> Interval | None:
    estimate = estimate_area(placed.labels, placed.placements, placed.clusters)
    return estimate_interval(placed.labels, estimate, confidence, placed.clusters)


def holding(interval: Interval | None, value: float) -> Interval | None:
    """The interval, widened where needed so that it holds ``value``."""
    if interval is None:
        return None
    return interval.model_copy(update={"low": min(interval.low, value), "high": max(interval.high, value)})


def _at_least_zero(interval: Interval | None) -> Interval | None:
    return None if interval is None else interval.model_copy(update={"low": max(0.0, interval.low)})


def _scaled(interval: Interval | None, factor: float) -> Interval | None:
    if interval is None:
        return None
    return interval.model_copy(update={"low": interval.low * factor, "high": interval.high * factor})


def evaluated(sums: EvaluationSums, *, seed: int) -> dict[str, Evaluated]:
    """Candidate, and champion where there is one, resampled with the same weights. At least one row."""
    material = sums.table if sums.rows is None else sums.rows.in_order()
    assert material is not None
    floats = _as_floats(material.sums if isinstance(material, EvaluationTable) else block_table(material))
    return {model: _evaluated(material, floats, model, seed) for model in material.models}


def _evaluated(
    material: KeptRows | EvaluationTable, floats: Mapping[str, FloatArray], model: str, seed: int
) -> Evaluated:
    ranking = _ranking(material, model)
    table = {**_decisions(floats["cells"], model), **_own(floats, model), **({} if ranking is None else ranking.sums)}
    return Evaluated(
        bootstrap(BlockTable(table), seed=seed),
        ranking,
        clustered="clusters" in material.columns,
        placed=_placed(material, ranking),
    )


def _ranking(material: KeptRows | EvaluationTable, model: str) -> Ranking | None:
    if f"{model}_scores" not in material.columns:
        return None
    if isinstance(material, EvaluationTable):
        return ranking_of_table(material, model)
    values = material.values
    labels, blocks = values["labels"].astype(np.float64), values["blocks"].astype(np.int64)
    return ranking_of_rows(labels, values[f"{model}_scores"], blocks)


def _placed(material: KeptRows | EvaluationTable, ranking: Ranking | None) -> Placed | None:
    if isinstance(material, EvaluationTable) or ranking is None or ranking.placements is None:
        return None
    return Placed(material.values["labels"], ranking.placements, material.clusters)


def _as_floats(table: Mapping[str, IntArray]) -> dict[str, FloatArray]:
    fixed = ("log_loss", "squared_error", "bin_scores")
    return {
        name: from_fixed_point(values) if name.endswith(fixed) else values.astype(np.float64)
        for name, values in table.items()
    }


def _own(floats: Mapping[str, FloatArray], model: str) -> dict[str, FloatArray]:
    prefix = f"{model}_"
    return {name.removeprefix(prefix): values for name, values in floats.items() if name.startswith(prefix)}


def _decisions(cells: FloatArray, model: str) -> dict[str, FloatArray]:
    by_decision = cells.reshape(BLOCKS, 2, 2, 2).sum(axis=3 if model == "candidate" else 2)
    return {
        "cells": cells,
        "rows": cells.sum(axis=1),
        "positives": by_decision[:, 1].sum(axis=1),
        "selected": by_decision[:, :, 1].sum(axis=1),
        "true_positives": by_decision[:, 1, 1],
    }
