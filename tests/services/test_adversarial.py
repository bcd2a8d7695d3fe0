"""HopSkipJump finds the nearest change of numbers that turns a decision."""

import builtins

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks.probes import Probe, Scorer
from gatewright.core.errors import DataError, SpecError
from gatewright.services.adversarial import attack

ROWS = 400
RNG = np.random.default_rng(3)
FRAME = pd.DataFrame({"x": RNG.normal(0, 2, ROWS), "y": RNG.normal(0, 1, ROWS), "kind": RNG.choice(["a", "b"], ROWS)})
OPTIONS = {"columns": ("x", "y"), "rows": 25, "iterations": 4, "budget": 0.5}


def plane(frame):
    """A boundary at x / 2 + y = 1: in standard deviations a line whose distance is known."""
    return 1 / (1 + np.exp(-(frame["x"] / 2 + frame["y"] - 1)))


def probed(model=plane, frame=FRAME):
    return Probe(frame, np.asarray(model(frame), dtype=float), Scorer(model), tuple(frame), ("kind",), 0.5, 0.9)


def test_the_rate_is_that_of_the_true_distances_to_a_plane():
    """A row is counted if its distance to the line is clearly within the budget, and not if it is beyond."""
    probe = probed()
    found = attack(probe, **OPTIONS)
    part = probe.sample(25).frame
    spread = FRAME[["x", "y"]].to_numpy().std(axis=0)
    slope = np.array([0.5, 1.0]) * spread
    distance = np.abs(part["x"] / 2 + part["y"] - 1) / np.linalg.norm(slope)
    assert (distance <= 0.4).mean() <= found.value <= (distance <= 0.5).mean()
    assert found.interval.low < found.value < found.interval.high
    assert found.n == 25
    assert "25 of 25 rows turned" in found.note


def test_the_attack_repeats_itself_and_leaves_the_global_generator_alone():
    """Equal seeds give equal evidence."""
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    first = attack(probed(), **OPTIONS)
    assert np.random.random() == expected
    assert attack(probed(), **OPTIONS) == first


def test_decisions_that_numbers_cannot_turn_are_not_counted():
    """The category decides alone: zero of 25, with Wilson's upper bound."""
    found = attack(probed(lambda frame: 0.2 + 0.6 * (frame["kind"] == "a")), **OPTIONS)
    assert found.value == 0
    assert 0.05 < found.interval.high < 0.15
    assert "0 of 25 rows turned" in found.note


def test_what_cannot_be_attacked_is_refused():
    """Text, a constant, a column that is not there, no rows, no columns."""
    for columns in (("kind",), (), ("x", "kind")):
        with pytest.raises(SpecError, match="cannot be attacked"):
            attack(probed(), **{**OPTIONS, "columns": columns})
    with pytest.raises(SpecError, match="cannot be attacked"):
        attack(probed(frame=FRAME.assign(y=1.0)), **OPTIONS)
    with pytest.raises(DataError, match="weight"):
        attack(probed(), **{**OPTIONS, "columns": ("weight",)})


def test_a_missing_extra_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch):
    """The toolbox is optional."""
    real = builtins.__import__

    def without(name, *given, **options):
        if name.startswith("art"):
            raise ImportError(name)
        return real(name, *given, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SpecError, match=r"gatewright\[adversarial\]"):
        attack(probed(), **OPTIONS)
