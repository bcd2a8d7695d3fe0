"""The fairness stage: what it leaves beside measurements, and how far its trend goes back."""

from types import SimpleNamespace

import pytest

from tasks.fairness import CHAMPIONS, _champions, _margins
from tests.core.examples import policy, rule


def services(releases):
    """A store of releases: each names the champion that served when it opened."""

    def opening(release_id):
        champion = releases[release_id]
        return SimpleNamespace(champion=champion and SimpleNamespace(release_id=champion))

    def find(name, release_id, kind):
        assert name == "fairness"
        return None if release_id == "without" else SimpleNamespace(measurements=(release_id,))

    return SimpleNamespace(releases=SimpleNamespace(opening=opening), evidence=SimpleNamespace(find=find)), opening


def test_the_trend_follows_the_champions_back_and_begins_with_the_oldest():
    """A release that was stopped before its fairness stage is in it, without measurements."""
    store, opening = services({"now": "third", "third": "without", "without": "first", "first": None})
    assert _champions(store, opening("now")) == [("first", ("first",)), ("without", ()), ("third", ("third",))]


def test_the_trend_ends_after_some_champions():
    """A long history does not make the page long."""
    store, opening = services({k: k - 1 for k in range(1, 100)} | {0: None})
    assert len(_champions(store, opening(99))) == CHAMPIONS


@pytest.mark.parametrize(
    ("metric", "limits", "expected"),
    [
        ("equalized_odds_difference", [{"maximum": 0.2}, {"maximum": 0.1}], 0.1),
        ("demographic_parity_ratio", [{"minimum": 0.8}, {"minimum": 0.7}], 0.8),
        ("demographic_parity_ratio", [{"maximum": 0.8}], None),
        ("equalized_odds_difference", [{"maximum": 0.2, "slices": "age"}], None),
        ("equalized_odds_difference", [{"maximum": 0.2, "stage": "evaluate"}], None),
    ],
)
def test_the_margin_is_the_strictest_limit_that_speaks_of_the_slice(metric, limits, expected):
    """From above for a difference, from below for a ratio."""
    rules = [
        rule(**{"id": f"r{k}", "stage": "fairness", "metric": metric, "slices": "sex", "minimum": None, **limit})
        for k, limit in enumerate(limits)
    ]
    assert _margins(policy(*rules))(metric, "sex") == expected
