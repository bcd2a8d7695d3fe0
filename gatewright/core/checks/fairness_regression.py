"""Does a model of numbers treat groups alike? Gaps in mean prediction and in error, by sensitive column and pair.

Demographic parity for regression as in Agarwal, Dudik, Wu (2019), ICML, on means; bounded group loss, from the same
paper, as the gaps of the errors. Groups below the minimum support are left out and named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gatewright.core.checks.group_codes import GroupCodes
from gatewright.core.checks.group_slices import UNSUPPORTED, block_places, coded_slices, too_many_groups, united
from gatewright.core.checks.inputs import accept_clusters, measured, unmeasured
from gatewright.core.checks.regression import accept_numeric_predictions, accept_targets, row_blocks
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import (
    BLOCKS,
    MINIMUM_BLOCKS,
    BlockTable,
    Bootstrap,
    FloatArray,
    IntArray,
    Statistic,
    assign_blocks,
    bootstrap,
)
from gatewright.core.statistics.confusion import quotient
from gatewright.core.statistics.exact_sums import ExactSums, exact_sums
from gatewright.core.statistics.mean_gaps import MeanGap, mean_gap_change

__all__ = [
    "REGRESSION_FAIRNESS_METRICS",
    "GroupErrors",
    "RegressionFairnessSums",
    "measure_regression_fairness",
    "measure_regression_fairness_sums",
    "regression_fairness_sums",
]

# Groups of one slice; with more, sums of each in each block are too large, and hardly anybody has support.
MAXIMUM_GROUPS = 200


def _mean(name: str) -> Statistic:
    return lambda sums: quotient(sums[name], sums["rows"])


REGRESSION_FAIRNESS_METRICS: dict[str, Statistic] = {
    "mean_prediction_difference": _mean("prediction"),
    "mean_error_difference": _mean("error"),
    "mae_difference": _mean("absolute_error"),
    "rmse_difference": lambda sums: np.sqrt(_mean("squared_error")(sums)),
}


@dataclass(frozen=True)
class GroupErrors:
    """Sums by block and group of one slice: ``rows`` of shape (BLOCKS, groups), and each model's exact sums."""

    groups: tuple[str, ...]
    rows: IntArray
    models: tuple[Mapping[str, ExactSums], ...]

    def __add__(self, other: Self) -> Self:
        groups = united(self.groups, other.groups)
        ours, theirs = self._spread(groups), other._spread(groups)
        models = tuple(
            {name: values + second[name] for name, values in first.items()}
            for first, second in zip(ours.models, theirs.models, strict=True)
        )
        return type(self)(groups, ours.rows + theirs.rows, models)

    def _spread(self, groups: tuple[str, ...]) -> Self:
        places, cells = block_places(self.groups, groups), BLOCKS * len(groups)
        rows = np.zeros(cells, dtype=np.int64)
        rows[places] = self.rows.reshape(-1)
        models = tuple({name: values.moved(places, cells) for name, values in model.items()} for model in self.models)
        return type(self)(groups, rows.reshape(BLOCKS, -1), models)

    def bootstrap(self, model: int, seed: int) -> Bootstrap:
        """One model's sums, resampled; both models' with the same weights."""
        sums = {name: values.floats().reshape(BLOCKS, -1) for name, values in self.models[model].items()}
        return bootstrap(BlockTable({"rows": self.rows.astype(np.float64), **sums}), seed=seed)


@dataclass(frozen=True)
class RegressionFairnessSums:
    """Slice -> its sums, None where it has too many groups. Adding is exactly associative and commutative."""

    rows: int
    slices: Mapping[str, GroupErrors | None]
    champion: bool

    def __add__(self, other: Self) -> Self:
        if (set(self.slices), self.champion) != (set(other.slices), other.champion):
            raise ValueError("sums of other columns, or with and without champion, do not add")
        slices = {name: _merged(errors, other.slices[name]) for name, errors in self.slices.items()}
        return type(self)(self.rows + other.rows, slices, self.champion)


def _merged(first: GroupErrors | None, second: GroupErrors | None) -> GroupErrors | None:
    if first is None or second is None or len(united(first.groups, second.groups)) > MAXIMUM_GROUPS:
        return None
    return first + second


def regression_fairness_sums(
    targets: Any,
    predictions: Any,
    groups: Mapping[str, Any],
    *,
    champion_predictions: Any = None,
    clusters: Any = None,
    start: int = 0,
) -> RegressionFairnessSums:
    """The sums of one batch; ``start``: the first row's position in the file. Raises as `measure_regression`."""
    truth = accept_targets(targets)
    blocks = assign_blocks(truth.size, accept_clusters(clusters, truth.size), start=start)
    return _sums(truth, _accepted(truth, predictions, champion_predictions), coded_slices(groups, truth.size), blocks)


def measure_regression_fairness(
    targets: Any,
    predictions: Any,
    groups: Mapping[str, Any],
    *,
    confidence: float,
    minimum_support: int,
    champion_predictions: Any = None,
    clusters: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """``REGRESSION_FAIRNESS_METRICS`` and ``unsupported_groups`` for each sensitive column and each pair of them.

    Gaps, in the target's unit, are the largest group's mean prediction, mean error, mean absolute error or root
    mean squared error minus the smallest group's. With a champion also ``<metric>_change``: candidate's gap minus
    champion's. ``n`` is the smallest supported group. Raises DataError and ModelError as `measure_regression`.
    """
    truth = accept_targets(targets)
    models, slices = _accepted(truth, predictions, champion_predictions), coded_slices(groups, truth.size)
    blocks = row_blocks(clusters, truth, *models, *(column.codes for column in slices.values()))
    sums = _sums(truth, models, slices, blocks)
    return measure_regression_fairness_sums(sums, confidence=confidence, minimum_support=minimum_support, seed=seed)


def measure_regression_fairness_sums(
    sums: RegressionFairnessSums, *, confidence: float, minimum_support: int, seed: int = 0
) -> tuple[Measurement, ...]:
    """As `measure_regression_fairness`, from the sums of all batches."""
    measurements: list[Measurement] = []
    for name, errors in sums.slices.items():
        if errors is None:
            measurements += too_many_groups(REGRESSION_FAIRNESS_METRICS, sums.rows, champion=sums.champion, slice=name)
        else:
            measurements += _Audit(name, errors, confidence, max(minimum_support, 1), seed).measure()
    return tuple(measurements)


def _accepted(truth: FloatArray, predictions: Any, champion_predictions: Any) -> list[FloatArray]:
    models = [accept_numeric_predictions(predictions, truth.size, where="candidate predictions")]
    if champion_predictions is not None:
        models.append(accept_numeric_predictions(champion_predictions, truth.size, where="champion predictions"))
    return models


def _sums(
    truth: FloatArray, models: list[FloatArray], slices: Mapping[str, GroupCodes], blocks: IntArray
) -> RegressionFairnessSums:
    errors = {name: _group_errors(truth, models, column, blocks) for name, column in slices.items()}
    return RegressionFairnessSums(truth.size, errors, len(models) > 1)


def _group_errors(
    truth: FloatArray, models: list[FloatArray], column: GroupCodes, blocks: IntArray
) -> GroupErrors | None:
    groups = len(column.names)
    if groups > MAXIMUM_GROUPS:
        return None
    cells, count = blocks * groups + column.codes, BLOCKS * groups
    sums = []
    for predictions in models:
        error = predictions - truth
        values = {"prediction": predictions, "error": error, "absolute_error": abs(error), "squared_error": error**2}
        sums.append({name: exact_sums(cells, count, rows) for name, rows in values.items()})
    rows = np.bincount(cells, minlength=count).reshape(BLOCKS, groups)
    return GroupErrors(column.names, rows, tuple(sums))


@dataclass(frozen=True)
class _Audit:
    """One slice."""

    name: str
    errors: GroupErrors
    confidence: float
    minimum_support: int
    seed: int

    def measure(self) -> Iterator[Measurement]:
        counts = self.errors.rows.sum(axis=0)
        kept = np.flatnonzero(counts >= self.minimum_support)
        left_out = [f"{self.errors.groups[k]} ({counts[k]} rows)" for k in range(counts.size) if k not in set(kept)]
        note = f"left out below support {self.minimum_support}: {', '.join(left_out)}" if left_out else ""
        models = [self.errors.bootstrap(k, self.seed) for k in range(len(self.errors.models))]
        for metric, statistic in REGRESSION_FAIRNESS_METRICS.items():
            yield from self._gaps(metric, [self._gap(statistic, model, kept) for model in models], kept, note)
        rows = int(counts.sum())
        yield Measurement(
            metric=UNSUPPORTED, slice=self.name, value=float(len(left_out)), n=rows, note=", ".join(left_out)
        )

    def _gap(self, statistic: Statistic, model: Bootstrap, kept: IntArray) -> MeanGap:
        blocks = (self.errors.rows[:, kept] > 0).sum(axis=0)
        return MeanGap(statistic(model.total)[0, kept], statistic(model.replicates)[:, kept], blocks)

    def _gaps(self, metric: str, gaps: list[MeanGap], kept: IntArray, note: str) -> Iterator[Measurement]:
        n = int(min(self.errors.rows.sum(axis=0)[kept], default=0))
        names = [metric, f"{metric}_change"][: len(gaps)]
        blocks = int(min(gaps[0].blocks, default=0))
        if kept.size < 2 or blocks < MINIMUM_BLOCKS:
            reason = "fewer than 2 groups have support" if kept.size < 2 else "too few independent rows of a group"
            yield from (unmeasured(name, n, "; ".join(filter(None, (reason, note))), slice=self.name) for name in names)
            return
        ours = gaps[0]
        found = measured(metric, ours.value, ours.interval(self.confidence), n, slice=self.name, note=note)
        yield found.model_copy(update={"p_value": ours.p_value()})
        for theirs in gaps[1:]:
            interval, p_value = mean_gap_change(ours, theirs, confidence=self.confidence)
            change = measured(f"{metric}_change", ours.value - theirs.value, interval, n, slice=self.name, note=note)
            yield change.model_copy(update={"p_value": p_value})
