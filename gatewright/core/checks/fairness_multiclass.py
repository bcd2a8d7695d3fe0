"""Does a model of several classes treat groups alike? Each class against the rest, and the worst over classes.

Denis, Elie, Hebiri, Hu (2024), "Fairness guarantees in multi-class classification with demographic parity", JMLR 25,
take the largest gap over classes, as here. Values of one class are fairlearn's for that class against the rest;
bounds go through all pairs of groups, as in `statistics.gaps`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewright.core.checks.class_groups import (
    ClassFairnessSums,
    GroupClasses,
    class_fairness_sums,
    class_rows,
)
from gatewright.core.checks.group_slices import UNSUPPORTED, too_many_groups
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import (
    BLOCKS,
    MINIMUM_BLOCKS,
    REPLICATES,
    BlockTable,
    FloatArray,
    IntArray,
    bootstrap,
    hull,
    percentile_interval,
)
from gatewright.core.statistics.confusion import quotient
from gatewright.core.statistics.gap_changes import GapChange, ResampledRates
from gatewright.core.statistics.gap_tests import effective_counts, homogeneity_p_value
from gatewright.core.statistics.gaps import Gap, gap_interval, gap_of

__all__ = [
    "CLASS_FAIRNESS_METRICS",
    "MULTICLASS_FAIRNESS_METRICS",
    "ClassFairnessSums",
    "class_fairness_sums",
    "measure_multiclass_fairness",
    "measure_multiclass_fairness_sums",
]

# Metric -> the rates whose gaps it takes the worst of, over all classes.
MULTICLASS_FAIRNESS_METRICS: dict[str, tuple[str, ...]] = {
    "demographic_parity_difference": ("selection_rate",),
    "equal_opportunity_difference": ("recall",),
    "equalized_odds_difference": ("recall", "false_positive_rate"),
    "accuracy_difference": ("accuracy",),
}
# Metric of one class -> its rate.
CLASS_FAIRNESS_METRICS = {"selection_rate_difference": "selection_rate", "recall_difference": "recall"}
COUNTED = {
    "selection_rate": "rows", "recall": "rows of the class", "false_positive_rate": "rows of others", "accuracy": "rows"
}  # fmt: skip


@dataclass(frozen=True)
class _Rates:
    """One model on one slice: counts by group and class, (..., groups, classes), with resamples in front."""

    total: Mapping[str, FloatArray]
    replicates: Mapping[str, FloatArray] | None

    def of(self, rate: str, place: int | None, *, resampled: bool = False) -> tuple[FloatArray, FloatArray]:
        """Successes and counts by group, shape (groups,) or (B, groups)."""
        sums = self.replicates if resampled else self.total
        assert sums is not None
        rows, hits = sums["labelled"].sum(axis=-1), sums["hits"]
        if place is None:
            return hits.sum(axis=-1), rows
        if rate == "selection_rate":
            return sums["predicted"][..., place], rows
        if rate == "recall":
            return hits[..., place], sums["labelled"][..., place]
        return (sums["predicted"] - hits)[..., place], rows - sums["labelled"][..., place]


@dataclass(frozen=True)
class _Question:
    """A metric on a slice: the gaps of these rates of these classes, of which the worst counts."""

    metric: str
    slice: str
    parts: tuple[tuple[str, int | None], ...]


def measure_multiclass_fairness(
    labels: Any,
    predictions: Any,
    groups: Mapping[str, Any],
    *,
    classes: Sequence[Any],
    confidence: float,
    minimum_support: int,
    champion_predictions: Any = None,
    clusters: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """``MULTICLASS_FAIRNESS_METRICS`` and ``unsupported_groups`` for each sensitive column and each pair of them.

    Rows as `measure_multiclass`. Also ``CLASS_FAIRNESS_METRICS`` of each class, on slices ``<column>: class=<name>``.
    With a champion ``<metric>_change`` of the first: candidate's gap minus champion's. A group counts for a rate
    whose denominator reaches the minimum support; where a class has fewer than two such groups neither its gap
    nor the worst gap has a value. ``n`` is the smallest supported denominator. Raises SpecError, DataError and
    ModelError as `measure_multiclass`.
    """
    rows = class_rows(labels, predictions, groups, classes=classes, champion_predictions=champion_predictions)
    sums = rows.sums(rows.blocks(clusters), clustered=clusters is not None)
    return measure_multiclass_fairness_sums(sums, confidence=confidence, minimum_support=minimum_support, seed=seed)


def measure_multiclass_fairness_sums(
    sums: ClassFairnessSums, *, confidence: float, minimum_support: int, seed: int = 0
) -> tuple[Measurement, ...]:
    """As `measure_multiclass_fairness`, from the sums of all batches."""
    measurements: list[Measurement] = []
    for name, counts in sums.slices.items():
        if counts is None:
            measurements += too_many_groups(MULTICLASS_FAIRNESS_METRICS, sums.rows, champion=sums.champion, slice=name)
        else:
            audit = _Audit(name, counts, sums.classes, sums.clustered, confidence, max(minimum_support, 1), seed)
            measurements += audit.measure()
    return tuple(measurements)


@dataclass(frozen=True)
class _Audit:
    """One slice."""

    name: str
    counts: GroupClasses
    classes: tuple[str, ...]
    clustered: bool
    confidence: float
    minimum_support: int
    seed: int

    def measure(self) -> Iterator[Measurement]:
        models = [self._model(k) for k in range(len(self.counts.hits))]
        overall = list(self._overall())
        yield from (self._gap(question, models[0]) for question in (*overall, *self._by_class()))
        for theirs in models[1:]:
            yield from (self._change(question, models[0], theirs) for question in overall)
        yield self._unsupported(models[0])

    def _overall(self) -> Iterator[_Question]:
        places = range(len(self.classes))
        for metric, rates in MULTICLASS_FAIRNESS_METRICS.items():
            parts = [(rate, place) for rate in rates for place in places]
            yield _Question(metric, self.name, (("accuracy", None),) if rates == ("accuracy",) else tuple(parts))

    def _by_class(self) -> Iterator[_Question]:
        for place, name in enumerate(self.classes):
            for metric, rate in CLASS_FAIRNESS_METRICS.items():
                yield _Question(metric, f"{self.name}: class={name}", ((rate, place),))

    def _model(self, model: int) -> _Rates:
        sums = {
            "labelled": self.counts.labelled,
            "predicted": self.counts.predicted[model],
            "hits": self.counts.hits[model],
        }
        total = {name: values.sum(axis=0).astype(np.float64) for name, values in sums.items()}
        if not self.clustered and len(self.counts.hits) == 1:
            return _Rates(total, None)
        flat = {name: values.reshape(BLOCKS, -1).astype(np.float64) for name, values in sums.items()}
        replicates = bootstrap(
            BlockTable({"rows": self.counts.labelled.sum(axis=(1, 2)).astype(np.float64), **flat}), seed=self.seed
        ).replicates
        shape = self.counts.labelled.shape[1:]
        return _Rates(total, {name: replicates[name].reshape(REPLICATES, *shape) for name in sums})

    @property
    def _blocks(self) -> int:
        return int(np.count_nonzero(self.counts.labelled.any(axis=(1, 2))))

    def _kept(self, question: _Question, model: _Rates) -> tuple[list[IntArray], int, str]:
        """The supported groups of each part, the smallest supported denominator, and who is left out."""
        kept, smallest = [], []
        left_out: dict[str, None] = {}
        for rate, place in question.parts:
            counts = model.of(rate, place)[1]
            supported = counts >= self.minimum_support
            kept.append(np.flatnonzero(supported))
            smallest += [int(count) for count in counts[supported]]
            for k in np.flatnonzero(~supported):
                where = COUNTED[rate].replace("the class", self.classes[place]) if place is not None else COUNTED[rate]
                left_out[f"{self.counts.groups[k]} ({counts[k]:.0f} {where})"] = None
        note = f"left out below support {self.minimum_support}: {', '.join(left_out)}" if left_out else ""
        return kept, min(smallest, default=0), note

    def _unmeasurable(self, kept: list[IntArray]) -> str:
        if any(groups.size < 2 for groups in kept):
            return "fewer than 2 groups have support"
        return "" if self._blocks >= MINIMUM_BLOCKS else "too few independent rows for an interval"

    def _gap(self, question: _Question, model: _Rates) -> Measurement:
        kept, n, note = self._kept(question, model)
        reason = self._unmeasurable(kept)
        if reason:
            return unmeasured(question.metric, n, "; ".join(filter(None, (reason, note))), slice=question.slice)
        gaps = tuple(self._part(model, part, groups) for part, groups in zip(question.parts, kept, strict=True))
        value, interval = max(gap.value for gap in gaps), gap_interval(gaps, self.confidence)
        bounds: Interval | None = interval
        if self.clustered:
            # Groups that share clusters are not independent, as the pairs' bounds suppose.
            replicates = np.max(
                [gap_of(rates, "difference") for rates in self._resampled(question, model, kept).replicates], axis=0
            )
            resampled = percentile_interval(value, replicates, blocks=self._blocks, confidence=self.confidence)
            bounds = hull(interval, resampled)
        found = measured(question.metric, value, bounds, n, slice=question.slice, note=note)
        return found.model_copy(update={"p_value": homogeneity_p_value(gaps)})

    def _part(self, model: _Rates, part: tuple[str, int | None], kept: IntArray) -> Gap:
        successes, counts = (values[kept] for values in model.of(*part))
        if not self.clustered:
            return Gap("difference", successes, counts)
        rates = successes / counts
        replicates = quotient(*(values[:, kept] for values in model.of(*part, resampled=True)))
        blocks = (self.counts.labelled.sum(axis=-1)[:, kept] > 0).sum(axis=0).astype(np.float64)
        effective = effective_counts(rates, counts, replicates, blocks)
        return Gap("difference", rates * effective, effective)

    def _resampled(self, question: _Question, model: _Rates, kept: list[IntArray]) -> ResampledRates:
        values, replicates = [], []
        for part, groups in zip(question.parts, kept, strict=True):
            values.append(quotient(*(counts[groups] for counts in model.of(*part))))
            replicates.append(quotient(*(counts[:, groups] for counts in model.of(*part, resampled=True))))
        return ResampledRates("difference", tuple(values), tuple(replicates))

    def _change(self, question: _Question, ours: _Rates, theirs: _Rates) -> Measurement:
        name = f"{question.metric}_change"
        # Denominators are counts of labels, which both models share.
        kept, n, note = self._kept(question, ours)
        reason = self._unmeasurable(kept)
        if reason:
            return unmeasured(name, n, "; ".join(filter(None, (reason, note))), slice=question.slice)
        first, second = (self._resampled(question, model, kept) for model in (ours, theirs))
        value = float(np.max([np.ptp(v) for v in first.values]) - np.max([np.ptp(v) for v in second.values]))
        change = GapChange(first, second)
        independent = self._blocks if self.clustered else n
        interval = change.interval(
            value=value, independent=independent, confidence=self.confidence, method="block bootstrap over pairs"
        )
        found = measured(name, value, interval, n, slice=question.slice, note=note)
        return found.model_copy(update={"p_value": change.p_value()})

    def _unsupported(self, model: _Rates) -> Measurement:
        """Groups without support for the recall of at least one class: an exact count."""
        rows = model.total["labelled"]
        lacking = np.flatnonzero((rows < self.minimum_support).any(axis=-1))
        named = [f"{self.counts.groups[k]} ({rows[k].min():.0f} rows of a class)" for k in lacking]
        return Measurement(
            metric=UNSUPPORTED, slice=self.name, value=float(lacking.size), n=int(rows.sum()), note=", ".join(named)
        )
