"""A small release as it stands in the store: a drift alarm, a fairness gap that passes, a champion that serves."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from pydantic import JsonValue

from gatewright.core.card import AnnexIV, Card
from gatewright.core.decision import decide
from gatewright.core.judging import judge
from gatewright.core.policy import Policy
from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef, Candidate, DatasetFile, DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import Champion, Opening, ReleaseData, ReleaseState
from gatewright.core.results import Interval, Measurement, StageEvidence
from gatewright.core.spec import ModelSpec
from gatewright.core.statements import Request
from gatewright.core.tiers import Facts

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MODEL, CHAMPION, ROOT = "a1" * 32, "b2" * 32, "c3" * 32
TODAY = date(2026, 3, 2)

SPEC = ModelSpec.model_validate(
    {
        "name": "triage",
        "title": "Triage - who needs help first?",
        "task": "binary_classification",
        "target": {"column": "dead", "positive": "dead"},
        "features": ["speed", "belt", "age"],
        "categorical": ["belt"],
        "not_features": {"severity": "written after the outcome"},
        "sensitive": [
            {"name": "sex", "column": "sex"},
            {"name": "age_band", "column": "age", "bands": {"16-24": [16, 25], "25-64": [25, 65], "65+": [65, 130]}},
        ],
        "decision_threshold": 0.045,
        "data": {
            "path": "data/{period}.parquet",
            "periods": ["1998", "1999", "2000"],
            "time_column": "year",
            "key": ["case"],
            "license": "Public domain",
            "attribution": "Somebody, <b>somewhere</b>",
        },
        "training": "examples.triage:fit",
        "policy": "policies/triage.yaml",
        "suites": {"training": "t.json", "evaluation": "e.json"},
        "card": {
            "owner": "Triage analytics",
            "intended_use": "Send help where the risk is highest.",
            "out_of_scope": "Withholding help.",
            "limits": "Old cars.",
            "ethical_considerations": "A missed death costs more than help sent in vain.",
        },
    }
)

POLICY = Policy.model_validate(
    {
        "model": "triage",
        "version": 3,
        "owner": "Model Risk",
        "alpha": 0.05,
        "minimum_support": 30,
        "first_release": "review",
        "review_at_warnings": 3,
        "rules": [
            {"id": "training-data-valid", "stage": "validate", "metric": "failed_critical_expectations",
             "slices": "training", "maximum": 0, "severity": "block", "decide_on": "value",
             "reason": "Broken data."},
            {"id": "auc-floor", "stage": "evaluate", "metric": "auc", "minimum": 0.75, "severity": "block",
             "reason": "Below this a rule of thumb does better."},
            {"id": "better-than-champion", "stage": "evaluate", "metric": "auc_change", "minimum": 0.0,
             "needs_champion": True, "severity": "block", "reason": "A change must be worth it."},
            {"id": "equal-opportunity", "stage": "fairness", "metric": "equal_opportunity_difference",
             "slices": "each", "maximum": 0.35, "severity": "block", "reason": "All groups must be found."},
            {"id": "robust-ranking", "stage": "robustness", "metric": "auc_drop", "slices": "each", "maximum": 0.05,
             "severity": "warn", "reason": "Small errors must not matter."},
            {"id": "feature-drift", "stage": "drift", "metric": "psi", "slices": "each", "maximum": 0.25,
             "severity": "warn", "decide_on": "value", "reason": "Another population."},
        ],
        "tiers": [
            {"name": "standard", "outcomes": ["promote"], "approvals": 1,
             "roles": ["release-manager", "compliance-officer"], "window_hours": 72},
            {"name": "elevated", "outcomes": ["review"], "approvals": 2, "roles": ["compliance-officer"],
             "window_hours": 24},
        ],
        "monitoring": {
            "minimum_rows": 500,
            "minimum_labels": 300,
            "rules": [{"id": "live", "metric": "psi", "slices": "each", "maximum": 0.25, "decide_on": "value",
                       "response": "alert", "reason": "Moves away."}],
        },
    }
)  # fmt: skip


def artifact(digit: str, size: int = 1000) -> ArtifactRef:
    return ArtifactRef(sha256=digit * 64, size=size, media_type="application/octet-stream")


def dataset(name: str, periods: tuple[str, ...], rows: int) -> DatasetRef:
    files = [
        DatasetFile(uri=f"data/{period}.parquet", period=period, rows=rows, artifact=artifact("d", 40_000))
        for period in periods
    ]
    return DatasetRef(name=name, files=tuple(files))


def measured(
    metric: str, value: float, low: float, high: float, *, slice_name: str = "all", n: int = 4200
) -> Measurement:
    interval = Interval(low=low, high=high, confidence=0.9, method="example")
    return Measurement(metric=metric, slice=slice_name, value=value, interval=interval, n=n)


def counted(metric: str, value: float, slice_name: str) -> Measurement:
    return Measurement(metric=metric, slice=slice_name, value=value, n=4200)


def stage(name: str, *measurements: Measurement, details: dict[str, JsonValue] | None = None) -> StageEvidence:
    return StageEvidence(
        release_id="triage-2000-1",
        stage=name,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=2.5),
        inputs={},
        measurements=measurements,
        details=details or {},
    )


def rate(name: str, value: float, low: float, high: float) -> dict[str, JsonValue]:
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def group(feature: str, name: str, n: int, positives: int, tpr: tuple[float, float, float]) -> dict[str, JsonValue]:
    return {
        "slice": feature,
        "group": name,
        "n": n,
        "positives": positives,
        **rate("selection_rate", 0.31, 0.29, 0.33),
        **rate("true_positive_rate", *tpr),
        **rate("false_positive_rate", 0.22, 0.2, 0.25),
    }


STAGES = {
    "validate": stage(
        "validate",
        counted("failed_critical_expectations", 0, "training"),
        counted("failed_warning_expectations", 1, "training"),
        counted("failed_critical_expectations", 0, "evaluation"),
        counted("failed_warning_expectations", 0, "evaluation"),
    ),
    "evaluate": stage(
        "evaluate",
        measured("auc", 0.858, 0.84, 0.876),
        measured("auc_change", 0.03, 0.014, 0.044),
        measured("log_loss", 0.136, 0.125, 0.148),
        measured("log_loss_change", -0.012, -0.018, -0.006),
        measured("brier", 0.036, 0.033, 0.04),
        measured("brier_change", -0.0004, -0.0012, 0.0004),
        measured("expected_calibration_error", 0.009, 0.005, 0.014),
        measured("expected_calibration_error_change", 0.002, -0.003, 0.007),
        measured("recall", 0.79, 0.74, 0.84),
        measured("recall_change", -0.021, -0.05, 0.008),
        details={
            "curves": {
                "candidate": {
                    "calibration": [
                        {"mean_score": s, "observed_rate": o, "low": o * 0.7, "high": o * 1.4 + 0.004, "n": 420}
                        for s, o in ((0.004, 0.003), (0.012, 0.015), (0.031, 0.027), (0.082, 0.094), (0.24, 0.22))
                    ]
                },
                "champion": None,
            }
        },
    ),
    "robustness": stage("robustness", measured("auc_drop", 0.012, 0.006, 0.019, slice_name="guessed-numbers")),
    "fairness": stage(
        "fairness",
        measured("equal_opportunity_difference", 0.04, 0.0, 0.11, slice_name="sex"),
        measured("equal_opportunity_difference", 0.17, 0.08, 0.27, slice_name="age_band"),
        details={
            "groups": [
                group("sex", "f", 1900, 80, (0.81, 0.73, 0.87)),
                group("sex", "m", 2300, 110, (0.77, 0.7, 0.83)),
                group("age_band", "16-24", 1300, 50, (0.7, 0.58, 0.79)),
                group("age_band", "25-64", 2500, 95, (0.8, 0.72, 0.86)),
                group("age_band", "65+", 22, 9, (0.87, 0.56, 0.97)),
            ]
        },
    ),
    "drift": stage(
        "drift",
        counted("psi", 0.32, "year_built"),
        counted("psi", 0.08, "speed"),
        counted("psi", 0.021, "score"),
        counted("psi", 0.004, "belt"),
    ),
}


def said_everywhere(text: str) -> Card:
    """A card whose every field, also of its section on Annex IV, says ``text``; unchecked, as an attacker would."""
    fields = {name: (text, text) if field.default == () else text for name, field in AnnexIV.model_fields.items()}
    annex = AnnexIV.model_construct(**fields)
    said = {name: (text, text) if field.default == () else text for name, field in Card.model_fields.items()}
    return Card.model_construct(**{**said, "annex_iv": annex})


OPENING = Opening(
    release_id="triage-2000-1",
    model="triage",
    period="2000",
    features=SPEC.features,
    spec=artifact("1"),
    policy=artifact("2"),
    roster=artifact("3"),
    channel_generation=4,
    champion=Champion(release_id="triage-1999-1", model_sha256=CHAMPION),
    code_revision="0123456789abcdef0123456789abcdef01234567",
    environment_sha256="4" * 64,
    requested_by="kim.larsen",
    flow_run="clever-otter",
    opened_at=NOON,
    expires_at=NOON + timedelta(hours=12),
)

DATA = ReleaseData(
    training=dataset("training", ("1998", "1999"), 4000), evaluation=dataset("evaluation", ("2000",), 4200)
)

FACTS = Facts(
    sensitive_domain=False,
    personal_data=False,
    first_release=False,
    policy_changed=False,
    score_shift=0.02,
    fairness_movement=0.01,
    warnings=0,
)

CANDIDATE = Candidate(
    model="triage",
    artifact=ArtifactRef(sha256=MODEL, size=812_345, media_type="application/x-skops"),
    features=SPEC.features,
    training=DATA.training,
    trained_at=NOON,
    seed=0,
    author="kim.larsen",
    code_revision=OPENING.code_revision,
    environment_sha256=OPENING.environment_sha256,
    versions={"scikit-learn": "1.9.1", "python": "3.11.9"},
)


def example_view(stages: dict[str, StageEvidence] | None = None, *, champion: bool = True) -> ReleaseView:
    """A release that waits for its approval; ``stages`` replace those of the same name."""
    opening = OPENING if champion else OPENING.model_copy(update={"champion": None})
    evidence = STAGES | (stages or {})
    undecided = ReleaseView(
        opening=opening,
        spec=SPEC,
        policy=POLICY,
        state=ReleaseState.OPEN,
        data=DATA,
        candidate=CANDIDATE,
        stages=evidence,
    )
    results = judge(POLICY, undecided.measurements(), has_champion=champion)
    decision = decide(POLICY, results, policy_sha256=opening.policy.sha256, has_champion=champion, facts=FACTS)
    if decision.outcome == "block":
        return replace(undecided, decision=decision, state=ReleaseState.BLOCKED)
    request = Request(
        release_id=opening.release_id,
        environment="production",
        model=opening.model,
        evidence_root=ROOT,
        model_sha256=MODEL,
        champion_sha256=CHAMPION if champion else None,
        policy_sha256=opening.policy.sha256,
        policy_version=POLICY.version,
        roster_sha256=opening.roster.sha256,
        roster_version=1,
        ledger_entries=2,
        ledger_head=sha256_hex(b"ledger"),
        nonce=sha256_hex(b"nonce"),
        tier=POLICY.tier(decision.outcome, FACTS),
        author=CANDIDATE.author,
        asked_at=NOON + timedelta(minutes=3),
        expires_at=NOON + timedelta(hours=72),
    )
    return replace(undecided, decision=decision, evidence_root=ROOT, request=request, state=ReleaseState.WAITING)


def half_said() -> ReleaseView:
    """The example with some of what only people know, and with the types of its columns."""
    said = {
        "contact": "triage@example.org",
        "intended_users": ("Dispatchers.",),
        "human_oversight": "A dispatcher decides.",
        "data_collection": "Reports of the police.",
        "data_biases": ("Old cars.", "Few old people."),
        "annex_iv": AnnexIV(provider="Triage Ltd", risks=("A low score is taken for safety.",)),
    }
    columns: dict[str, JsonValue] = {
        "speed": {"type": "float64", "missing": 3},
        "belt": {"type": "str", "missing": 0},
        "age": {"type": "int64", "missing": 0},
    }
    view = example_view({"lineage": stage("lineage", details={"columns": columns})})
    return replace(view, spec=SPEC.model_copy(update={"card": SPEC.card.model_copy(update=said)}))
