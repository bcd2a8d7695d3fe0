"""Each use of the same evaluation data costs, and the cost is stated."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.checks.holdout import HOLDOUT_METRICS, holdout_error_bound, measure_holdout
from gatewright.core.judging import judge_rule
from gatewright.core.policy import HoldoutBudget
from gatewright.core.results import Status
from tests.core.examples import policy, rule

BUDGET = HoldoutBudget(budget=3)


def test_the_first_use_pays_hoeffdings_price():
    """sqrt(ln(1 / 0.05) / (2 * 10000)) = 0.01224: one candidate that was not chosen by these data."""
    assert holdout_error_bound(1, rows=10_000, step=0.01, alpha=0.05) == pytest.approx(0.012239, abs=1e-6)


def test_the_bound_counts_every_candidate_that_could_have_been_reached():
    """Answers to the nearest 0.5 are three, so after three uses there are 1 + 3 + 9 candidates."""
    expected = sqrt((log(13) - log(0.05)) / 2000)
    assert holdout_error_bound(3, rows=1000, step=0.5, alpha=0.05) == pytest.approx(expected)


@given(st.integers(1, 10_000), st.integers(1, 10**7), st.floats(0.001, 0.5))
def test_more_uses_cost_more_and_more_rows_less(uses, rows, step):
    """The bound grows with uses and shrinks with rows; it is a number for any of them."""
    bound = holdout_error_bound(uses, rows=rows, step=step, alpha=0.05)
    assert bound < holdout_error_bound(uses + 1, rows=rows, step=step, alpha=0.05)
    assert bound > holdout_error_bound(uses, rows=rows + 1, step=step, alpha=0.05)


def test_an_analyst_who_climbs_the_answers_stays_within_the_bound():
    """Coin-toss labels: keeping each random change that the rounded accuracy liked fools one less than the bound."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    best = rng.integers(0, 2, 400)
    for _ in range(50):
        trial = np.where(rng.random(400) < 0.1, 1 - best, best)
        if round((trial == labels).mean(), 2) > round((best == labels).mean(), 2):
            best = trial
    fooled = (best == labels).mean() - 0.5
    assert 0.05 < fooled < holdout_error_bound(51, rows=400, step=0.01, alpha=0.05)


@pytest.mark.parametrize(("uses", "status"), [(1, Status.PASSED), (3, Status.PASSED), (4, Status.FAILED)])
def test_a_spent_budget_fails_its_rule(uses, status):
    """Three may look; the fourth is one too many."""
    terms = rule(metric="holdout_budget_left", minimum=0, decide_on="value")
    found = measure_holdout(uses, rows=1000, budget=BUDGET, alpha=0.05)
    (result,) = judge_rule(policy(), terms, found, has_champion=True)
    assert (result.status, result.value) == (status, 3 - uses)


def test_without_a_budget_nothing_is_left_to_judge():
    """Uses are counted all the same; a rule on the budget is inconclusive, not passed."""
    found = {m.metric: m for m in measure_holdout(2, rows=1000, budget=None, alpha=0.05)}
    assert tuple(found) == HOLDOUT_METRICS
    assert found["holdout_uses"].value == 2
    assert found["holdout_budget_left"].value is None
    assert found["holdout_budget_left"].note == "the policy sets no budget"


def test_no_use_and_no_rows_are_refused():
    """A release that measures has used the data; without rows there is no bound."""
    with pytest.raises(ValueError, match="at least 1"):
        measure_holdout(0, rows=10, budget=BUDGET, alpha=0.05)
    assert measure_holdout(1, rows=0, budget=BUDGET, alpha=0.05)[2].value is None
