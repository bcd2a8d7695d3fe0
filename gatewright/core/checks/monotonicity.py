"""Does the score move the way it must when one column grows, all else equal?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gatewright.core.checks.inputs import accept_columns, unmeasured
from gatewright.core.checks.numbers import finite_numbers
from gatewright.core.checks.probes import Probe
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.errors import SpecError
from gatewright.core.results import Measurement
from gatewright.core.spec import Monotonicity
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["measure_monotonicity"]

METRICS = ("monotonicity_violation_rate", "monotonicity_flip_rate")
# Rows are asked at each tenth of the column's distribution: this many times as many rows are scored.
STEPS = 11
STEPPED_ROWS = 2_000
# Rounding in a sum of trees is no move.
TOLERANCE = 1e-9


def measure_monotonicity(probe: Probe, rules: Sequence[Monotonicity]) -> tuple[Measurement, ...]:
    """Per rule, its slice: the share of rows whose score, and whose decision, ever moves against it.

    ``monotonicity_violation_rate``: a step of the column moves the score the wrong way by more than rounding.
    ``monotonicity_flip_rate``: it moves it over the decision threshold.

    Each of up to `STEPPED_ROWS` rows is scored with the column at the deciles of the data, which are values
    that occur in it; one model call a rule. No value where the column has no two values. Raises DataError for
    a missing column, SpecError for one that is not a number.
    """
    part = probe.sample(STEPPED_ROWS)
    return tuple(m for rule in rules for m in _measured(part, rule, _values(probe.frame, rule)))


def _values(frame: pd.DataFrame, rule: Monotonicity) -> FloatArray:
    accept_columns(frame, [rule.column], where=f"monotonicity {rule.name}")
    if not pd.api.types.is_numeric_dtype(frame[rule.column]):
        raise SpecError(
            f"`{rule.column}` holds no numbers, so it cannot grow.",
            where=f"monotonicity {rule.name}",
            remedy="name a numeric column.",
        )
    known = finite_numbers(frame[rule.column])
    return np.unique(np.quantile(known, np.linspace(0, 1, STEPS), method="inverted_cdf")) if known.size else known


def _measured(probe: Probe, rule: Monotonicity, values: FloatArray) -> tuple[Measurement, ...]:
    if values.size < 2:
        problem = f"`{rule.column}` has no two values"
        return tuple(unmeasured(metric, len(probe.frame), problem, slice=rule.name) for metric in METRICS)
    scores = probe.ask([{rule.column: value} for value in values], where=f"monotonicity {rule.name}")
    wrong_way = -1.0 if rule.direction == "rising" else 1.0
    against = np.diff(scores, axis=0) * wrong_way
    turned = np.diff((scores >= probe.threshold).astype(np.float64), axis=0) * wrong_way
    note = f"{values.size} values of `{rule.column}`; the largest move against the rule is {against.max(initial=0):.3g}"
    flags = (np.any(against > TOLERANCE, axis=0), np.any(turned > 0, axis=0))
    return tuple(
        share_of_rows(
            metric,
            moved,
            confidence=probe.confidence,
            clusters=probe.clusters,
            seed=probe.seed,
            slice=rule.name,
            note=note,
        )
        for metric, moved in zip(METRICS, flags, strict=True)
    )
