"""Two and three processes at once, in every order of their steps up to a bound."""

from pathlib import Path

import pytest

from tests.faults.figures import FIGURES
from tests.faults.interleave import explore
from tests.faults.races import RACES, Raced


@pytest.mark.parametrize("name", [name for name, race in RACES.items() if len(race.acts) == 2])
def test_no_order_of_steps_breaks_anything(name: str, tmp_path: Path):
    """With one switch at every step; `python -m tests.faults` makes two."""
    raced = Raced(RACES[name], tmp_path)
    runs = sum(1 for _ in explore(raced.run, preemptions=1))
    FIGURES.count(f"{name}, one switch", points=runs, violations=len(raced.found))
    assert raced.found == []


def test_a_rollback_during_a_promotion_ends_in_every_way_it_may(tmp_path: Path):
    """The search reaches them all: before it, in the middle of it, after it."""
    raced = Raced(RACES["a rollback during a promotion"], tmp_path)
    list(explore(raced.run, preemptions=1))
    assert ("r3 deploy", "r3 confirm", "back rollback", "back confirm") in raced.ends
    assert ("r3 deploy", "back rollback", "back confirm") in raced.ends
    assert ("back rollback", "back confirm") in raced.ends
