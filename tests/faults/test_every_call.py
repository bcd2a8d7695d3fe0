"""A release and a rollback with a fault at their store calls, one after the other."""

import random

import pytest

from tests.faults.fault_store import Fault
from tests.faults.figures import FIGURES
from tests.faults.sweep import SCENARIOS, Sweep, faults_of

# The same points in each session; `python -m tests.faults` tries all of them.
ONE_IN = 7


@pytest.fixture(params=SCENARIOS, scope="module")
def sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return Sweep(SCENARIOS[request.param], tmp_path_factory.mktemp("cache"))


def test_no_fault_at_a_store_call_breaks_anything(sweep: Sweep):
    """Whatever fails wherever: approved models only, each event once, nothing lost, the same end, nobody called."""
    calls = sweep.calls()
    every = list(faults_of(calls))
    # All that can happen to the writes of the channel, where it matters most, and a sample of the rest.
    chosen = [fault for n, fault in enumerate(every) if n % ONE_IN == 0 or _moves_the_channel(sweep, fault)]
    outcomes = [sweep.run(fault) for fault in chosen]
    FIGURES.add(outcomes, f"{sweep.scenario.name}, one fault")
    assert [outcome for outcome in outcomes if outcome.violations or outcome.abandoned] == []
    assert [outcome.faults for outcome in outcomes] == [(fault,) for fault in chosen]


def test_two_faults_in_one_run_break_nothing_either(sweep: Sweep):
    """The second one often hits the recovery from the first."""
    every = list(faults_of(sweep.calls()))
    draw = random.Random(20261123)
    pairs = [(first, _later(draw, first)) for first in draw.sample(every, 40)]
    outcomes = [sweep.run(*pair) for pair in pairs]
    FIGURES.add(outcomes, f"{sweep.scenario.name}, two faults")
    assert [outcome for outcome in outcomes if outcome.violations] == []


def _later(draw: random.Random, first: Fault) -> Fault:
    kinds = ("kill before", "kill after", "503 before", "503 after")
    return Fault(first.call + draw.randint(1, 25), draw.choice(kinds))


def _moves_the_channel(sweep: Sweep, fault: Fault) -> bool:
    return sweep.names[fault.call - 1].startswith("channels/")
