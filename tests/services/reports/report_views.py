"""Releases with everything a report draws, of each task: the points come from the checks themselves."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from gatewright.core.checks.by_task import CHECKS, Answered
from gatewright.core.checks.latency import Timings, latency_histogram
from gatewright.core.checks.slices import Terms
from gatewright.core.ledger import LedgerEntry
from gatewright.core.release_view import EarlierRelease, ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Measurement, StageEvidence
from gatewright.core.spec import Task
from gatewright.core.statements import Approval
from tests.services.reports.example_view import NOON, ROOT, STAGES, counted, example_view, measured, stage
from tests.services.reports.other_views import SLICES, VALIDATED

ROWS = 3_000
CLASSES = ("gold", "iron", "tin")


def deployed() -> ReleaseView:
    """Asked, answered and deployed, after two releases, with all that a binary model leaves in the evidence."""
    view = example_view({**_of_task("binary_classification"), "slices": SLICES, "validate": VALIDATED})
    events = tuple(
        LedgerEntry(
            kind=kind, release_id=view.opening.release_id, actor="gatewright", at=NOON, digests={"evidence": ROOT}
        )
        for kind in ("opened", "decided", "waiting", "approved", "deployed")
    )
    approval = Approval(
        request="5" * 64,
        decision="approve",
        principal="dana.reyes",
        role="release-manager",
        reason="Drift is known.",
        assurance="signed",
        at=NOON + timedelta(hours=1),
    )
    earlier = tuple(EarlierRelease(f"triage-{y}-1", y, ReleaseState.DEPLOYED, _drifted(y)) for y in ("1998", "1999"))
    return replace(view, state=ReleaseState.DEPLOYED, events=events, approvals=(approval,), earlier=earlier)


def of_task(task: Task) -> ReleaseView:
    """A release of a model of numbers or of several classes."""
    view = example_view({**{name: stage(name) for name in STAGES}, **_of_task(task)})
    return replace(view, spec=view.spec.model_copy(update={"task": task}))


def _drifted(year: str) -> dict[str, StageEvidence]:
    return {
        "drift": stage("drift", counted("psi", (int(year) - 1990) / 40, "year_built"), counted("psi", 0.03, "speed"))
    }


def _of_task(task: Task) -> dict[str, StageEvidence]:
    rows = _answered(task)
    checks = CHECKS[task]
    generator = np.random.default_rng(1)
    groups = {"sex": generator.choice(["f", "m"], ROWS), "age_band": generator.choice(["16-24", "25+"], ROWS)}
    gaps, details = checks.fairness(rows, groups, 0.9, 30, lambda metric, slice: None)
    trend = {
        "metric": "equal_opportunity_difference",
        "slice": "sex",
        "points": [{"release": f"triage-{y}-1", "value": 0.1, "low": 0.05, "high": 0.2} for y in (1998, 1999, 2000)],
    }
    performance = STAGES["evaluate"].measurements if task == "binary_classification" else checks.performance(rows, 0.9)
    return {
        "evaluate": stage("evaluate", *performance, details=checks.curves(rows, 0.9)),
        "fairness": stage("fairness", *gaps, details={**details, "trend": [trend]}),
        "robustness": _robustness(),
        "slices": stage("slices", *checks.slices(rows, groups, Terms(tuple(groups), 1, 0.9, 30))),
        "leakage": stage("leakage", measured("single_feature_auc", 0.7, 0.68, 0.72, slice_name="speed")),
        "uncertainty": stage(
            "uncertainty",
            measured("conformal_coverage", 0.9, 0.88, 0.92),
            details={"risk_coverage": [{"coverage": c / 10, "risk": c / 100, "certainty": 0.5} for c in range(1, 11)]},
        ),
    }


def _robustness() -> StageEvidence:
    points = [
        {"fraction": share, "auc_drop": share / 50, "auc_drop_low": share / 90, "auc_drop_high": share / 30}
        for share in (0.25, 0.5, 1.0)
    ]
    samples = np.random.default_rng(2).lognormal(2, 0.3, 500)
    timings = Timings(single_ms=samples, batch_seconds=np.array([0.1]), load_seconds=np.array([0.1]))
    slower = Timings(single_ms=samples * 1.5, batch_seconds=np.array([0.1]), load_seconds=np.array([0.1]))
    return stage(
        "robustness",
        *STAGES["robustness"].measurements,
        measured("latency_p50_ms", 7.4, 7.2, 7.6),
        measured("latency_p99_ms", 14.8, 14.1, 16.0),
        Measurement(metric="recall_drop", slice="guessed-numbers", value=None, n=4, note="4 rows are too few"),
        details={
            "degradation": [{"perturbation": "guessed-numbers", "points": list(points)}],
            "latency": {"candidate": latency_histogram(timings), "champion": latency_histogram(slower)},
        },
    )


def _answered(task: Task) -> Answered:
    generator = np.random.default_rng(0)
    if task == "regression":
        truth = generator.normal(50, 10, ROWS)
        ours, theirs = (truth + generator.normal(0, noise, ROWS) for noise in (5, 6))
        return Answered(task, truth, ours, theirs)
    if task == "binary_classification":
        scores = generator.beta(1, 12, ROWS)
        labels = (generator.random(ROWS) < scores).astype(int)
        return Answered(task, labels, scores, np.clip(scores * 1.3, 0, 1), threshold=0.1)
    probabilities, others = (generator.dirichlet([2, 1, 1], ROWS) for _ in range(2))
    labels = np.array([generator.choice(CLASSES, p=row) for row in probabilities])
    return Answered(task, labels, probabilities, others, classes=CLASSES)
