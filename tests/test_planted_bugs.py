"""The table of planted bugs fits the code: what is not found there is planted nowhere, and proves nothing."""

from pathlib import Path

import pytest

from benchmarks.planted import BUGS, Bug

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.area}: {bug.name}")
def test_a_bug_can_be_planted_and_its_tests_are_there(bug: Bug) -> None:
    """Its text stands in the file once, and it changes something."""
    assert (ROOT / bug.file).read_text(encoding="utf-8").count(bug.old) == 1
    assert bug.new != bug.old
    assert [test for test in bug.tests if not (ROOT / test).exists()] == []
