"""A candidate that is exactly as bad as the rule allows for is promoted at most alpha of the time."""

import numpy as np
import pytest

from benchmarks.false_promote import ALPHA, Row, over_alpha, simulate

SIMULATIONS = 30


@pytest.fixture(scope="module")
def table() -> list[Row]:
    """The benchmark's table from few and small simulations."""
    return simulate(400, SIMULATIONS, truth_rows=50_000)


def test_no_rule_promotes_at_its_limit_beyond_chance(table: list[Row]) -> None:
    """Each metric with each kind of rule: limit, superiority, non-inferiority, equivalence, slices, Holm."""
    assert over_alpha(table) == []
    assert {row.kind for row in table} >= {"limit", "superiority", "non_inferiority", "equivalence", "holm"}


def test_a_rule_that_promotes_too_often_is_found() -> None:
    """10 of 30 at alpha 0.05 is no chance, 3 of 30 is."""
    rows = [Row("auc", "limit", count, SIMULATIONS, count / SIMULATIONS, 0, 1) for count in (10, 3, 0)]
    assert over_alpha(rows) == rows[:1]


def test_all_rules_together_promote_near_alpha(table: list[Row]) -> None:
    """Strict, and not deaf: at the limit a few are promoted, on average alpha but for the error of 30 tables."""
    assert 0.1 * ALPHA < np.mean([row.rate for row in table]) < 2 * ALPHA
