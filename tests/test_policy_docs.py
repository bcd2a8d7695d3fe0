"""The pages for those who write policies name what is measured, no more and no less, and every key."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from gatewright.core.assurance import Assurance
from gatewright.core.change_control import ChangeControl
from gatewright.core.checks.binary_only import ROBUSTNESS_METRICS
from gatewright.core.checks.by_task import CHECKS, Answered
from gatewright.core.checks.champion_seen import CHAMPION_METRICS
from gatewright.core.checks.documentation import measure_documentation
from gatewright.core.checks.drift import measure_drift
from gatewright.core.checks.holdout import HOLDOUT_METRICS
from gatewright.core.checks.latency import Timings, measure_latency
from gatewright.core.checks.leakage import measure_leakage
from gatewright.core.checks.monotonicity import METRICS as MONOTONICITY_METRICS
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.checks.slices import Terms
from gatewright.core.policy import (
    BreakGlass,
    HoldoutBudget,
    Multiplicity,
    Need,
    Policy,
    RollbackTerms,
    Rule,
    RuleSet,
    Test,
    WaiverTerms,
)
from gatewright.core.results import Measurement
from gatewright.core.tiers import Conditions, Tier
from gatewright.services.adversarial import METRIC as ADVERSARIAL
from gatewright.services.expectations import validation_measurements
from tests.services.reports.example_view import SPEC

DOCS = Path(__file__).parents[1] / "docs"
ROWS = 400
# The page explains once that there is one of each.
CHANGE = "_change"


def words(text: str) -> set[str]:
    return set(re.findall(r"`([\w.]+)`", text))


def documented() -> dict[str, set[str]]:
    """Stage -> the metrics in the last column of its rows, without the names of slices in brackets."""
    found: dict[str, set[str]] = {}
    for stage, metrics in re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", (DOCS / "policy.md").read_text(), re.MULTILINE):
        found.setdefault(stage, set()).update(words(re.sub(r"\([^)]*\)", "", metrics)))
    return found


def drawn() -> tuple[np.random.Generator, dict[str, Any]]:
    rng = np.random.default_rng(0)
    return rng, {"sex": rng.choice(["f", "m"], ROWS), "age": rng.choice(["old", "young"], ROWS)}


def answered() -> list[Answered]:
    rng, _ = drawn()
    classes = rng.integers(0, 3, ROWS)
    shares = rng.dirichlet([1, 1, 1], ROWS)
    scores, labels = rng.random(ROWS), rng.integers(0, 2, ROWS)
    return [
        Answered("binary_classification", labels, scores, scores / 2, threshold=0.5),
        Answered("regression", 1.0 + scores, scores, scores / 2),
        Answered("multiclass_classification", np.array(list("abc"))[classes], shares, shares[::-1], tuple("abc")),
    ]


def evaluate() -> Iterable[Measurement]:
    return [m for rows in answered() for m in CHECKS[rows.task].performance(rows, 0.9)]


def fairness() -> Iterable[Measurement]:
    _, groups = drawn()
    return [m for rows in answered() for m in CHECKS[rows.task].fairness(rows, groups, 0.9, 30, lambda *_: None)[0]]


def uncertainty() -> Iterable[Measurement]:
    _, groups = drawn()
    return [m for rows in answered() for m in CHECKS[rows.task].uncertainty(rows, groups, 0.9, 30)]


def slices() -> Iterable[Measurement]:
    """Of women one half of the rows is wrong, so that the search finds something."""
    _, groups = drawn()
    terms = Terms(("sex", "age"), depth=2, confidence=0.9, minimum_support=30)
    labels = np.repeat([0, 1], ROWS // 2)
    wrong = np.where(groups["sex"] == "f", 1 - labels, labels)
    planted = Answered("binary_classification", labels, wrong * 0.9, labels * 0.9, threshold=0.5)
    return [m for rows in (planted, *answered()) for m in CHECKS[rows.task].slices(rows, groups, terms)]


def leakage() -> Iterable[Measurement]:
    rng, groups = drawn()
    frame = pd.DataFrame({**groups, "case": range(ROWS), "seen_at": pd.Timestamp("1999-01-01")})
    return measure_leakage(
        frame.assign(year=1998),
        rng.integers(0, 2, ROWS),
        ["sex", "seen_at"],
        not_features={},
        key=["case"],
        confidence=0.9,
        frame_evaluation=frame.assign(year=1999),
        time_column="year",
    )


def drift() -> Iterable[Measurement]:
    """Of all features, and of labels of every kind."""
    rng, groups = drawn()
    frame, scores = pd.DataFrame({"sex": groups["sex"], "age": rng.random(ROWS)}), rng.random(ROWS)
    for labels in (rng.integers(0, 2, ROWS).astype(float), rng.random(ROWS), groups["age"].astype(object)):
        profile = build_profile(frame, ["sex", "age"], ["sex"], scores=scores, labels=labels)
        yield from measure_drift(profile, frame, scores, labels=labels, confidence=0.9)


def resources() -> Iterable[Measurement]:
    timings = Timings(*(np.linspace(1, 2, 400) for _ in range(3)))
    sizes = {"batch_rows": 10, "model_bytes": 10, "peak_memory_bytes": 10}
    return measure_latency(timings, confidence=0.9, champion=timings, **sizes)


def validation() -> Iterable[Measurement]:
    summary = SimpleNamespace(failures=[], failed={"critical": 0, "warning": 0}, evaluated=0, rows=0)
    return validation_measurements(SimpleNamespace(summary=summary))  # type: ignore[arg-type]


def named(measurements: Iterable[Measurement]) -> set[str]:
    """Metrics without the changes of others, which the page explains once."""
    found = {m.metric for m in measurements}
    return {name for name in found if name.removesuffix(CHANGE) not in found - {name}}


ASKED = {
    *ROBUSTNESS_METRICS, *MONOTONICITY_METRICS, "invariance_flip_rate", "worst_case_flip_rate", ADVERSARIAL,
}  # fmt: skip
MEASURED = {
    "validate": lambda: named(validation()),
    "lineage": lambda: named(measure_documentation(SPEC.card)),
    "leakage": lambda: named(leakage()) | set(CHAMPION_METRICS),
    "evaluate": lambda: named(evaluate()) | set(HOLDOUT_METRICS),
    "slices": lambda: named(slices()),
    "uncertainty": lambda: named(uncertainty()),
    "robustness": lambda: named(resources()) | ASKED,
    "fairness": lambda: named(fairness()),
    "drift": lambda: named(drift()),
}


@pytest.mark.parametrize("stage", MEASURED)
def test_the_policy_page_names_exactly_what_a_stage_measures(stage: str) -> None:
    """A metric that is not named cannot be asked for, and a rule on one that does not exist is an error."""
    assert documented()[stage] == MEASURED[stage]()


def test_the_policy_page_names_every_key() -> None:
    """Those of rules, of short rule sets and of policies, and every word that a key can take."""
    parts = (
        Rule,
        RuleSet,
        Policy,
        HoldoutBudget,
        Tier,
        Conditions,
        WaiverTerms,
        BreakGlass,
        RollbackTerms,
        ChangeControl,
    )
    fields = {name for part in parts for name in part.model_fields}
    choices = (Test, Multiplicity, Need, Assurance)
    words_of_keys = {word for choice in choices for word in get_args(choice)} - {"limit"}
    text = (DOCS / "policy.md").read_text()
    assert {name for name in fields | words_of_keys if not re.search(rf"\b{name}\b", text)} == set()


def test_the_monitoring_page_names_every_distance() -> None:
    """What production traffic is compared by is what a release is compared by."""
    assert named(drift()) - words((DOCS / "monitoring.md").read_text()) == set()
