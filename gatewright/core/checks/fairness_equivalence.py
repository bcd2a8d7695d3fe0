"""Are groups treated alike, to within a margin? Equivalence tests beside the intervals that decide."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gatewright.core.checks.fairness_metrics import FAIRNESS_METRICS, FairnessMetric
from gatewright.core.checks.fairness_slices import Decided, audit
from gatewright.core.checks.fairness_sums import FairnessSums
from gatewright.core.statistics.gap_tests import equivalence_p_value

__all__ = ["Margin", "equivalence_tests"]

# The margin of a metric on a slice; None where none was set.
Margin = Callable[[str, str], float | None]


def equivalence_tests(
    sums: FairnessSums, margin: Margin, *, minimum_support: int, seed: int = 0
) -> list[dict[str, Any]]:
    """One row per metric and slice that has a margin, as plain JSON: ``metric``, ``slice``, ``margin``, ``p_value``.

    The p-value is one-sided, of "the gap reaches the margin" (`gap_tests.equivalence_p_value`): at most alpha where
    the far bound of the metric's interval at that alpha keeps within the margin. With clusters the interval may
    be wider. None where a group too few has support.
    """
    rows = []
    for slice in sums.slices():
        if isinstance(slice, str):
            continue
        model = audit(slice, champion=False, minimum_support=minimum_support, seed=seed).candidate
        for name, metric in FAIRNESS_METRICS.items():
            limit = margin(name, slice.name)
            if limit is not None:
                p_value = _p_value(metric, model, limit)
                rows.append({"metric": name, "slice": slice.name, "margin": limit, "p_value": p_value})
    return rows


def _p_value(metric: FairnessMetric, model: Decided, margin: float) -> float | None:
    """The largest over the rates: all of their gaps must keep within the margin."""
    kept = [np.flatnonzero(model.supported(rate)) for rate in metric.rates]
    if any(groups.size < 2 for groups in kept):
        return None
    rates = zip(metric.rates, kept, strict=True)
    return max(equivalence_p_value(model.gap(rate, metric.kind, groups), margin) for rate, groups in rates)
