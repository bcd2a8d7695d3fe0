"""The robustness stage puts every question to the model that the spec asks, and the champion beside it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks.by_task import Answered
from gatewright.core.refs import Candidate, DatasetRef
from gatewright.services import latency
from tasks import robustness
from tasks.material import Material
from tasks.stage import Findings
from tests.core.examples import policy
from tests.services.targets.world import FEATURES, World, tiny_model, tiny_spec

ROWS = 120
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"age": RNG.normal(40, 10, ROWS), "speed": RNG.normal(50, 20, ROWS), "sex": RNG.choice(["f", "m"], ROWS)}
)
SPEC = tiny_spec(
    perturbations=[
        {"name": "noise", "kind": "noise", "columns": ["age"], "amount": 0.5},
        {"name": "wrong", "kind": "swap", "columns": ["sex"], "amount": 0.5},
    ],
    monotonicity=[{"name": "older", "column": "age", "direction": "rising"}],
    invariances=[{"name": "sex", "columns": ["sex"]}],
)


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    """Of one model beside another, with too few calls for a 99th percentile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "BUDGET_SECONDS", 0)
        patch.setattr(latency, "HIGHEST_QUANTILE", 0.9)
        yield found(tmp_path_factory.mktemp("world"), patch)


def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Findings:
    world = World(tmp_path)
    for number in (1, 2):
        world.release(f"r{number}", tiny_model(number))
    ours, theirs = (world.evidence.read("candidate", name, Candidate) for name in ("r1", "r2"))
    model = world.registry.load(ours.artifact, trusted_types=())
    material = Material(
        spec=SPEC,
        policy=policy(),
        frame=FRAME,
        rows=Answered(
            SPEC.task,
            truth=(FRAME["age"] > 40).astype(int).to_numpy(),
            answers=world.registry.score(model, FRAME, FEATURES),
            threshold=SPEC.decision_threshold,
        ),
    )
    monkeypatch.setattr(robustness, "evaluation_material", lambda *_: material)
    monkeypatch.setattr(robustness, "champion_of", lambda *_: theirs)
    data = SimpleNamespace(evaluation=DatasetRef(name="evaluation", files=()))
    return robustness._find(SimpleNamespace(registry=world.registry), None, data, ours)


def test_every_rule_of_the_spec_is_measured(findings: Findings):
    """Each perturbation, monotonicity and invariance is a slice; nothing is measured twice."""
    slices = [(m.metric, m.slice) for m in findings.measurements]
    assert len(slices) == len(set(slices))
    assert {
        *((metric, name) for metric in ("auc_drop", "recall_drop", "log_loss_rise") for name in ("noise", "wrong")),
        ("monotonicity_violation_rate", "older"),
        ("monotonicity_flip_rate", "older"),
        ("invariance_flip_rate", "sex"),
        ("worst_case_flip_rate", "numbers"),
        ("latency_p99_ms", "all"),
        ("model_bytes", "all"),
    } <= set(slices)


def test_details_hold_the_curves_and_what_was_asked(findings: Findings):
    """Two perturbations at three fractions, one call each for the rule and the invariance, six for the search."""
    assert [curve["perturbation"] for curve in findings.details["degradation"]] == ["noise", "wrong"]
    assert findings.details["inference"]["calls"] == 6 + 1 + 1 + 6


def test_the_champion_is_timed_beside_the_candidate(findings: Findings):
    """Medians have a ratio with an interval, the 99th percentile has none from thirty calls."""
    ratios = {m.metric: m for m in findings.measurements if m.metric.endswith("_ratio")}
    for metric in ("latency_p50_ms_ratio", "load_seconds_ratio", "batch_rows_per_second_ratio"):
        assert ratios[metric].interval.low <= ratios[metric].value <= ratios[metric].interval.high
    assert ratios["latency_p99_ms_ratio"].value is None
    calls = {m.metric: m.n for m in findings.measurements}["latency_p50_ms"]
    assert [sum(findings.details["latency"][model]["counts"]) for model in ("candidate", "champion")] == [calls] * 2
