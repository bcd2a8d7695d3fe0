"""Two processes at once, in every order of their steps up to a bound."""

from itertools import islice
from pathlib import Path

import pytest

from tests.faults.figures import FIGURES
from tests.faults.interleave import explore
from tests.faults.races import RACES, Raced

# The longest race has more orders than a test has time for; `python -m tests.faults` tries all, with two switches.
MOST = 24
# The search must reach these ends, or it has not looked: before the other one, in the middle of it, after it.
REACHED = {
    "a rollback during a promotion": {
        ("back rollback", "back confirm"),
        ("r3 deploy", "back rollback", "back confirm"),
        ("r3 deploy", "r3 confirm", "back rollback", "back confirm"),
    },
    "an abandoned release that lives": {("r3 revert",), ("r3 deploy", "r3 revert"), ("r3 deploy", "r3 confirm")},
}


@pytest.mark.parametrize("name", [name for name, race in RACES.items() if len(race.acts) == 2])
def test_no_order_of_steps_breaks_anything(name: str, tmp_path: Path):
    """With one switch at every step."""
    raced = Raced(RACES[name], tmp_path)
    runs = sum(1 for _ in islice(explore(raced.run, preemptions=1), MOST))
    FIGURES.count(f"{name}, one switch", points=runs, violations=len(raced.found))
    assert raced.found == []
    assert raced.ends >= REACHED.get(name, set())
