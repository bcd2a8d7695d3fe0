"""Does the model treat groups alike? Gaps by sensitive column and by pairs of them, whether it sees them or not.

Gaps are taken over supported groups only: a group counts for a rate when the rate's denominator (rows; positives
for true positive rates; negatives for false positive rates; selected rows for precision) reaches the minimum
support. Groups left out are named in the note and counted in ``unsupported_groups``, so that a policy can refuse to
be silent about them. Values are fairlearn's; how the intervals of small groups are kept honest is told in
`statistics.gaps`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewright.core.checks.fairness_calibration import CALIBRATION_METRICS, measure_group_calibration
from gatewright.core.checks.fairness_metrics import FAIRNESS_METRICS, SUPPORTED_RATES, FairnessMetric
from gatewright.core.checks.fairness_slices import Audit, Decided, audit
from gatewright.core.checks.fairness_sums import FairnessSums, fairness_sums
from gatewright.core.checks.group_slices import UNSUPPORTED, too_many_groups
from gatewright.core.checks.groups import group_rates, group_table
from gatewright.core.checks.inputs import accept_scores, measured, unmeasured
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import FloatArray, IntArray, hull, percentile_interval
from gatewright.core.statistics.gap_changes import GapChange, ResampledRates
from gatewright.core.statistics.gap_tests import homogeneity_p_value
from gatewright.core.statistics.gaps import gap_interval, gap_of, worst

__all__ = [
    "FAIRNESS_METRICS",
    "FairnessSums",
    "decided_sums",
    "fairness_sums",
    "group_rates",
    "group_table",
    "measure_fairness",
    "measure_fairness_sums",
]


def measure_fairness(
    labels: Any,
    scores: Any,
    groups: Mapping[str, Any],
    *,
    threshold: float,
    confidence: float,
    minimum_support: int,
    predictions: Any = None,
    clusters: Any = None,
    champion_scores: Any = None,
    champion_predictions: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """`measure_fairness_sums` of the arrays that `decided_sums` takes.

    Raises DataError and ModelError as `measure_evaluation`.
    """
    sums = decided_sums(
        labels,
        scores,
        groups,
        threshold=threshold,
        predictions=predictions,
        clusters=clusters,
        champion_scores=champion_scores,
        champion_predictions=champion_predictions,
    )
    return measure_fairness_sums(sums, confidence=confidence, minimum_support=minimum_support, seed=seed)


def decided_sums(
    labels: Any,
    scores: Any,
    groups: Mapping[str, Any],
    *,
    threshold: float,
    predictions: Any = None,
    clusters: Any = None,
    champion_scores: Any = None,
    champion_predictions: Any = None,
) -> FairnessSums:
    """`fairness_sums` where a row is selected from a score of ``threshold`` on, or as ``predictions`` say.

    ``scores`` may be None with ``predictions``. Raises DataError and ModelError as `measure_evaluation`.
    """
    rows = np.size(labels)
    if scores is not None:
        scores = accept_scores(scores, rows, where="candidate scores")
    if champion_scores is not None:
        champion_scores = accept_scores(champion_scores, rows, where="champion scores")
    return fairness_sums(
        labels,
        _decisions(scores, threshold, predictions),
        groups,
        champion_decisions=_decisions(champion_scores, threshold, champion_predictions),
        scores=scores,
        clusters=clusters,
    )


def _decisions(scores: FloatArray | None, threshold: float, predictions: Any) -> Any:
    if predictions is not None or scores is None:
        return predictions
    return scores >= threshold


def measure_fairness_sums(
    sums: FairnessSums, *, confidence: float, minimum_support: int, seed: int = 0
) -> tuple[Measurement, ...]:
    """``FAIRNESS_METRICS`` and ``unsupported_groups`` for each sensitive column and each pair of them.

    The slice of a pair is ``a & b`` in sorted order. With a champion also ``<metric>_change``: candidate's gap
    minus champion's gap over the groups that both support. With scores also ``CALIBRATION_METRICS``. ``n`` is the
    smallest supported denominator. A value is None where fewer than two groups have support (one, for
    calibration). The p-value of a gap is that of no difference between the groups, of a change that of none.
    """
    measurements: list[Measurement] = []
    for slice in sums.slices():
        if isinstance(slice, str):
            measurements += _too_many_groups(sums, slice)
            continue
        audited = audit(slice, champion=sums.champion, minimum_support=minimum_support, seed=seed)
        measurements += _measure_slice(audited, confidence)
        measurements += measure_group_calibration(slice, audited, confidence, seed=seed)
    return tuple(measurements)


def _too_many_groups(sums: FairnessSums, slice: str) -> list[Measurement]:
    gaps = too_many_groups(FAIRNESS_METRICS, sums.rows, champion=bool(sums.champion), slice=slice)
    calibration = CALIBRATION_METRICS if sums.scored else ()
    return [*gaps, *(unmeasured(metric, sums.rows, gaps[0].note, slice=slice) for metric in calibration)]


def _measure_slice(audited: Audit, confidence: float) -> list[Measurement]:
    found = [_measure_gap(metric, audited, confidence) for metric in FAIRNESS_METRICS]
    if audited.champion is not None:
        found += [_measure_change(metric, audited, audited.champion, confidence) for metric in FAIRNESS_METRICS]
    return [*found, _measure_unsupported(audited.candidate)]


def _measure_gap(name: str, audited: Audit, confidence: float) -> Measurement:
    metric, model = FAIRNESS_METRICS[name], audited.candidate
    kept, n = _kept(metric, model)
    note = _note(metric, model)
    if kept is None:
        return _unsupported(name, n, model, note)
    value = _value(metric, kept, model)
    if not (np.isfinite(value) and audited.sufficient):
        return measured(name, value, None, n, slice=model.slice, note=note)
    gaps = tuple(model.gap(rate, metric.kind, groups) for rate, groups in zip(metric.rates, kept, strict=True))
    interval: Interval | None = gap_interval(gaps, confidence)
    if audited.clusters is not None:
        # Groups that share clusters are not independent, as the pairs' bounds suppose.
        replicates = _replicates(metric, kept, model)
        interval = hull(
            interval, percentile_interval(value, replicates, blocks=audited.clusters, confidence=confidence)
        )
    found = measured(name, value, interval, n, slice=model.slice, note=note)
    return found.model_copy(update={"p_value": homogeneity_p_value(gaps)})


def _measure_change(name: str, audited: Audit, champion: Decided, confidence: float) -> Measurement:
    metric, candidate = FAIRNESS_METRICS[name], audited.candidate
    kept, n = _kept(metric, candidate, champion)
    note = _note(metric, candidate, champion)
    if kept is None:
        return _unsupported(f"{name}_change", n, candidate, note)
    value = _value(metric, kept, candidate) - _value(metric, kept, champion)
    if not (np.isfinite(value) and audited.sufficient):
        return measured(f"{name}_change", value, None, n, slice=candidate.slice, note=note)
    change = GapChange(_resampled(metric, kept, candidate), _resampled(metric, kept, champion))
    interval = change.interval(
        value=value,
        independent=n if audited.clusters is None else audited.clusters,
        confidence=confidence,
        method="multinomial redraws over pairs" if audited.clusters is None else "block bootstrap over pairs",
    )
    found = measured(f"{name}_change", value, interval, n, slice=candidate.slice, note=note)
    return found.model_copy(update={"p_value": change.p_value()})


def _resampled(metric: FairnessMetric, kept: list[IntArray], model: Decided) -> ResampledRates:
    rates = list(zip(metric.rates, kept, strict=True))
    return ResampledRates(
        kind=metric.kind,
        values=tuple(model.rates(rate, groups) for rate, groups in rates),
        replicates=tuple(model.resampled(rate, groups) for rate, groups in rates),
    )


def _kept(metric: FairnessMetric, *models: Decided) -> tuple[list[IntArray] | None, int]:
    """The groups that all models support by rate, None when a rate has fewer than two; smallest denominator."""
    kept = [np.flatnonzero(np.all([model.supported(rate) for model in models], axis=0)) for rate in metric.rates]
    counts = [models[0].support(rate)[groups] for rate, groups in zip(metric.rates, kept, strict=True)]
    n = int(min((group.min() for group in counts if group.size), default=0))
    return (None if any(groups.size < 2 for groups in kept) else kept), n


def _value(metric: FairnessMetric, kept: list[IntArray], model: Decided) -> float:
    rates = zip(metric.rates, kept, strict=True)
    return float(
        worst(np.array([gap_of(model.rates(rate, groups), metric.kind) for rate, groups in rates]), metric.kind)
    )


def _replicates(metric: FairnessMetric, kept: list[IntArray], model: Decided) -> FloatArray:
    rates = zip(metric.rates, kept, strict=True)
    gaps = [gap_of(model.resampled(rate, groups), metric.kind) for rate, groups in rates]
    return worst(np.stack(gaps), metric.kind)


def _unsupported(name: str, n: int, model: Decided, note: str) -> Measurement:
    return unmeasured(name, n, f"fewer than 2 groups have support; {note}", slice=model.slice)


def _note(metric: FairnessMetric, *models: Decided) -> str:
    left_out = dict.fromkeys(group for model in models for rate in metric.rates for group in model.left_out(rate))
    return f"left out below support {models[0].minimum_support}: {', '.join(left_out)}" if left_out else ""


def _measure_unsupported(model: Decided) -> Measurement:
    """Groups left out of at least one rate: an exact count."""
    described = dict.fromkeys(group for rate in SUPPORTED_RATES for group in model.left_out(rate))
    return Measurement(
        metric=UNSUPPORTED,
        slice=model.slice,
        value=float(model.unsupported().sum()),
        n=int(model.cells.sum()),
        note=", ".join(described),
    )
