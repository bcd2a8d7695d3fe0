"""What repeated use of one evaluation set costs.

Who chooses the next candidate after seeing how the last one did fits the evaluation data a little, and in the end
measures luck. If each use gives people one of A answers, the candidate of use i is one of at most A^(i-1), whatever
they do; so all k measured means are within

    sqrt((ln((A^k - 1) / (A - 1)) + ln(1 / alpha)) / (2 n))

of the truth with probability 1 - alpha, for means of values within [0, 1] over n independent rows: Hoeffding's (1963)
inequality over every candidate that could have been reached. That is the description-length argument of Dwork et al.
(2015), "Generalization in Adaptive Data Analysis and Holdout Reuse", NeurIPS, and of the Ladder, Blum & Hardt (2015),
ICML. Their mechanisms answer less to stretch the budget; here the answers are the evidence pages, and uses are counted.
"""

from math import exp, log, log1p, sqrt

from gatewright.core.policy import HoldoutBudget
from gatewright.core.results import Measurement

__all__ = ["HOLDOUT_METRICS", "holdout_error_bound", "measure_holdout"]

HOLDOUT_METRICS = ("holdout_uses", "holdout_budget_left", "holdout_error_bound")
DEFAULT_STEP = 0.01


def measure_holdout(uses: int, *, rows: int, budget: HoldoutBudget | None, alpha: float) -> tuple[Measurement, ...]:
    """``HOLDOUT_METRICS``: exact numbers, for rules with ``decide_on: value``.

    ``uses``: how many releases have used these data, this one included. ``rows``: independent rows (clusters,
    where rows of a cluster depend on each other). ``holdout_budget_left`` is negative once it is overdrawn, and
    has no value without a budget. Raises ValueError for fewer than one use.
    """
    step = DEFAULT_STEP if budget is None else budget.step
    left = None if budget is None else float(budget.budget - uses)
    note = "the policy sets no budget" if budget is None else f"use {uses} of {budget.budget}"
    bound = holdout_error_bound(uses, rows=rows, step=step, alpha=alpha) if rows else None
    return (
        Measurement(metric="holdout_uses", value=float(uses), n=rows),
        Measurement(metric="holdout_budget_left", value=left, n=rows, note=note),
        Measurement(metric="holdout_error_bound", value=bound, n=rows, note=f"for answers to the nearest {step:g}"),
    )


def holdout_error_bound(uses: int, *, rows: int, step: float, alpha: float) -> float:
    """By how much any of ``uses`` accuracies may exceed the truth when people see them to the nearest ``step``."""
    if uses < 1 or rows < 1:
        raise ValueError(f"{uses} uses of {rows} rows: both must be at least 1")
    answers = log(1 / step + 1)
    # ln((A^k - 1) / (A - 1)) with A = exp(answers), which overflows no float.
    candidates = answers * (uses - 1) + _log1m(answers * uses) - _log1m(answers)
    return sqrt((candidates - log(alpha)) / (2 * rows))


def _log1m(exponent: float) -> float:
    """ln(1 - exp(-exponent))."""
    return log1p(-exp(-exponent))
