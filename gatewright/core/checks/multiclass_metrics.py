"""The metrics of a model with several classes and their changes, as measurements."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.checks.multiclass_areas import Area, Areas
from gatewright.core.checks.multiclass_sums import MulticlassSums
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import (
    Bootstrap,
    FloatArray,
    Statistic,
    Sums,
    bootstrap,
    hull,
    percentile_interval,
)
from gatewright.core.statistics.confusion import Rate, rate_interval
from gatewright.core.statistics.gap_bias import GapError, changed_gap_interval
from gatewright.core.statistics.multiclass import (
    DECISION_STATISTICS,
    PROBABILITY_STATISTICS,
    class_f1,
    class_precision,
    class_recall,
)
from gatewright.core.statistics.paired import mcnemar, tango
from gatewright.core.statistics.resampled_change import resampled_p_value

__all__ = ["CLASS_METRICS", "MULTICLASS_METRICS", "Comparison", "measure_areas", "measure_comparison"]

MACRO_AUC, CALIBRATION_ERROR = "macro_auc", "expected_calibration_error"
MULTICLASS_METRICS = (*DECISION_STATISTICS, *PROBABILITY_STATISTICS, MACRO_AUC)
CLASS_METRICS = ("recall", "precision", "f1")
NEEDS_ALL_CLASSES = frozenset({"balanced_accuracy", "macro_recall", "macro_precision", "macro_f1", MACRO_AUC})
NO_PROBABILITIES = "the model gave no probabilities"


@dataclass(frozen=True)
class Comparison:
    """Candidate and perhaps champion, resampled with the same weights."""

    sums: MulticlassSums
    confidence: float
    seed: int

    @cached_property
    def candidate(self) -> Bootstrap:
        return bootstrap(self.sums.candidate.table(), seed=self.seed)

    @cached_property
    def champion(self) -> Bootstrap | None:
        return None if self.sums.champion is None else bootstrap(self.sums.champion.table(), seed=self.seed)


@dataclass(frozen=True)
class _Metric:
    """A metric on a slice; ``place`` is that of the class it is about."""

    name: str
    statistic: Statistic
    slice: str = "all"
    place: int | None = None


def measure_comparison(models: Comparison) -> Iterator[Measurement]:
    """Every metric but the areas: overall, then class by class, then the changes."""
    metrics = list(_metrics(models.sums.classes))
    yield from (_measure(metric, models) for metric in metrics)
    if models.champion is not None:
        yield from (_change(metric, models, models.champion) for metric in metrics)


def measure_areas(sums: MulticlassSums, areas: Areas) -> Iterator[Measurement]:
    """The area under the curves, and its change where there is a champion."""
    yield _measure_area(MACRO_AUC, areas[0], sums)
    if sums.champion is not None:
        yield _measure_area(f"{MACRO_AUC}_change", areas[1], sums)


def _metrics(classes: tuple[str, ...]) -> Iterator[_Metric]:
    for name, statistic in {**DECISION_STATISTICS, **PROBABILITY_STATISTICS}.items():
        yield _Metric(name, statistic)
    for place, name in enumerate(classes):
        statistics: tuple[Statistic, ...] = (class_recall(place), class_precision(place), class_f1(place))
        for metric, statistic in zip(CLASS_METRICS, statistics, strict=True):
            yield _Metric(metric, statistic, f"class={name}", place)


def _unmeasurable(metric: str, sums: MulticlassSums, model: Bootstrap | None = None) -> str:
    labelled = sums.candidate.decisions.labelled.sum(axis=0)
    if not labelled.sum():
        return "no rows"
    missing = [name for name, rows in zip(sums.classes, labelled, strict=True) if not rows]
    if metric in NEEDS_ALL_CLASSES and missing:
        return f"no row has the label {', '.join(missing)}"
    if metric in PROBABILITY_STATISTICS and model is not None and _sum_of(metric) not in model.total:
        return NO_PROBABILITIES
    return ""


def _sum_of(metric: str) -> str:
    return "gap" if metric == CALIBRATION_ERROR else metric


def _measure(metric: _Metric, models: Comparison) -> Measurement:
    n, note = _n(metric, models.candidate), _unmeasurable(metric.name, models.sums, models.candidate)
    if note:
        return unmeasured(metric.name, n, note, slice=metric.slice)
    value = models.candidate.value(metric.statistic)
    return measured(
        metric.name,
        value,
        _interval(metric, models),
        n,
        slice=metric.slice,
        note=_note(metric, models.candidate, models),
    )


def _n(metric: _Metric, model: Bootstrap) -> int:
    """The denominator of a rate, the label's and prediction's rows of an F1, all rows of anything else."""
    if isinstance(metric.statistic, Rate):
        return int(metric.statistic.denominator(model.total)[0])
    if metric.place is not None:
        return int(model.total["labelled"][0, metric.place])
    return int(model.total["rows"][0])


def _note(metric: _Metric, model: Bootstrap, models: Comparison) -> str:
    if metric.name == "macro_precision":
        never = [models.sums.classes[k] for k in np.flatnonzero(model.total["predicted"][0] == 0)]
        return f"never predicted, so that its precision counts as 0: {', '.join(never)}" if never else ""
    if metric.place is not None and not np.isfinite(model.value(metric.statistic)):
        return "the class has no such rows"
    return ""


def _interval(metric: _Metric, models: Comparison) -> Interval | None:
    model, confidence = models.candidate, models.confidence
    if isinstance(metric.statistic, Rate):
        return rate_interval(metric.statistic, model, confidence, clustered=models.sums.clustered)
    resampled = _resampled_interval(metric, model, None, confidence)
    if resampled is None or metric.name in PROBABILITY_STATISTICS or resampled.high > resampled.low:
        return resampled
    return hull(resampled, _without_errors(metric, models))


def _resampled_interval(
    metric: _Metric, ours: Bootstrap, theirs: Bootstrap | None, confidence: float
) -> Interval | None:
    """Percentile interval of a metric or its change; the calibration error, which noise only adds to, has its own."""
    statistic, blocks = metric.statistic, ours.blocks
    value, replicates = ours.value(statistic), statistic(ours.replicates)
    if theirs is not None:
        value, replicates = value - theirs.value(statistic), replicates - statistic(theirs.replicates)
    if metric.name != CALIBRATION_ERROR:
        return percentile_interval(value, replicates, blocks=blocks, confidence=confidence)
    own = GapError.of(ours, _gap)
    if theirs is None:
        return own.interval(confidence)
    interval = changed_gap_interval(own, GapError.of(theirs, _gap), confidence)
    if interval is None:
        return None
    return interval.model_copy(update={"low": min(interval.low, value), "high": max(interval.high, value)})


def _gap(sums: Sums) -> FloatArray:
    return sums["gap"]


def _without_errors(metric: _Metric, models: Comparison) -> Interval | None:
    """Of a mean of rates where no resample differs: the mean of the classes' own bounds on recall.

    Matthews' correlation falls from 1 about as fast as recall above chance does, twice as fast for two classes.
    """
    places = range(len(models.sums.classes)) if metric.place is None else [metric.place]
    recalls = [
        rate_interval(class_recall(k), models.candidate, models.confidence, clustered=models.sums.clustered)
        for k in places
    ]
    kept = [interval for interval in recalls if interval is not None]
    if len(kept) < len(recalls):
        return None
    low, high = float(np.mean([i.low for i in kept])), float(np.mean([i.high for i in kept]))
    if metric.name == "matthews_correlation":
        chance = 1 / len(models.sums.classes)
        low, high = ((bound - chance) / (1 - chance) for bound in (low, high))
    return Interval(low=low, high=high, confidence=models.confidence, method=f"mean of {kept[0].method}")


def _change(metric: _Metric, models: Comparison, champion: Bootstrap) -> Measurement:
    name, ours = f"{metric.name}_change", models.candidate
    n = min(_n(metric, ours), _n(metric, champion))
    note = _unmeasurable(metric.name, models.sums, ours) or _unmeasurable(metric.name, models.sums, champion)
    if note:
        return unmeasured(name, n, note, slice=metric.slice)
    value = ours.value(metric.statistic) - champion.value(metric.statistic)
    interval = _resampled_interval(metric, ours, champion, models.confidence)
    differences = metric.statistic(ours.replicates) - metric.statistic(champion.replicates)
    p_value = resampled_p_value(value, differences, blocks=ours.blocks)
    pairs = _pairs(metric, models.sums)
    if pairs is not None and n:
        interval = hull(interval, tango(*pairs, n, confidence=models.confidence))
        p_value = p_value if models.sums.clustered else mcnemar(*pairs).mid_p
    note = _note(metric, ours, models) or _note(metric, champion, models)
    change = measured(name, value, interval, n, slice=metric.slice, note=note)
    return change if change.value is None else change.model_copy(update={"p_value": p_value})


def _pairs(metric: _Metric, sums: MulticlassSums) -> tuple[int, int] | None:
    """The discordant rows behind the change of a share of the same rows."""
    if sums.only_right is None or metric.name not in ("accuracy", "recall"):
        return None
    counts = sums.only_right if metric.place is None else sums.only_right[[metric.place]]
    ours, theirs = counts.sum(axis=0).tolist()
    return int(ours), int(theirs)


def _measure_area(metric: str, area: Area | None, sums: MulticlassSums) -> Measurement:
    n, note = int(sums.candidate.decisions.labelled.sum()), _unmeasurable(MACRO_AUC, sums)
    if note or area is None:
        return unmeasured(metric, n, note or NO_PROBABILITIES)
    found = measured(metric, area.value, area.interval, n)
    return found if found.value is None else found.model_copy(update={"p_value": area.p_value})
