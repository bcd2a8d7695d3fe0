"""Numbers and several classes go through the same gates as binary decisions, into production and past it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from deployments.local.processes import free_port
from flows.monitor import monitor
from gatewright import wiring
from gatewright.core.monitor_report import MonitorReport
from gatewright.core.results import Status
from gatewright.services import latency
from gatewright.services.reports.cards import data_card, model_card
from gatewright.services.reports.evidence_page import evidence_page
from gatewright.services.targets.scoring_service import ScoringServiceTarget
from tasks import approve
from tests.flows.world import APPROVE, DECLARED, ROOT, World, serve

PERIODS = ("2001", "2002", "2003")
FEATURES = ["size", "age", "region"]
ROWS = 400
SAID = "not said"

SPEC = {
    "features": FEATURES,
    "categorical": ["region"],
    "sensitive": [{"name": "region", "column": "region"}],
    "data": {
        "path": "data/{period}.parquet",
        "periods": list(PERIODS),
        "time_column": "year",
        "key": ["id"],
        "license": SAID,
        "attribution": SAID,
    },
    "perturbations": [{"name": "noise", "kind": "noise", "columns": ["age"], "amount": 0.1}],
    "slices": {"columns": ["region"], "depth": 1},
    "card": dict.fromkeys(
        ("owner", "intended_use", "out_of_scope", "limits", "ethical_considerations"),
        SAID,
    ),
}
EVERYWHERE = [
    {"id": "stable", "stage": "robustness", "metric": "decision_flip_rate", "slices": "each", "maximum": 0.1},
    {"id": "worst-slices", "stage": "slices", "metric": "worst_slices_found", "maximum": 0, "decide_on": "value"},
]
TASKS = {
    "house_price": {
        "task": "regression",
        "target": {"column": "price"},
        "training": "tests.flows.test_other_tasks:fit_numbers",
        "rules": [
            {"id": "rmse", "stage": "evaluate", "metric": "rmse", "maximum": 1.5},
            {"id": "not-worse", "stage": "evaluate", "metric": "rmse", "test": "non_inferiority", "margin": 0.2},
            {"id": "alike", "stage": "fairness", "metric": "mae_difference", "slices": "region", "maximum": 0.6},
            {"id": "honest", "stage": "uncertainty", "metric": "conformal_coverage", "minimum": 0.8},
        ],
        "live": {"id": "live", "metric": "mae", "maximum": 1.5, "response": "alert"},
    },
    "house_kind": {
        "task": "multiclass_classification",
        "target": {"column": "kind"},
        "training": "tests.flows.test_other_tasks:fit_classes",
        "rules": [
            {"id": "auc", "stage": "evaluate", "metric": "macro_auc", "minimum": 0.8},
            {"id": "not-worse", "stage": "evaluate", "metric": "log_loss", "test": "non_inferiority", "margin": 0.1},
            {"id": "alike", "stage": "fairness", "metric": "accuracy_difference", "slices": "region", "maximum": 0.4},
            {"id": "honest", "stage": "uncertainty", "metric": "conformal_coverage", "minimum": 0.8},
        ],
        "live": {"id": "live", "metric": "accuracy", "minimum": 0.6, "response": "alert"},
    },
}


def fit_numbers(frame, targets, features, categorical, seed):
    return _pipeline(LinearRegression()).fit(frame, targets)


def fit_classes(frame, classes, features, categorical, seed):
    return _pipeline(LogisticRegression(max_iter=500)).fit(frame, classes)


def _pipeline(last):
    columns = ColumnTransformer(
        [("region", OneHotEncoder(handle_unknown="ignore"), ["region"])], remainder="passthrough"
    )
    return make_pipeline(columns, last)


def houses(period: str) -> pd.DataFrame:
    """Prices are linear in size and age but for noise of 1; kinds go by size."""
    rng = np.random.default_rng(int(period))
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS) + 1000 * int(period),
            "year": int(period),
            "size": rng.normal(0, 1, ROWS),
            "age": rng.normal(0, 1, ROWS),
            "region": rng.choice(["north", "south"], ROWS),
        }
    )
    kinds = np.digitize(frame["size"] + rng.normal(0, 0.5, ROWS), [-0.5, 0.5])
    return frame.assign(
        price=10 + 3 * frame["size"] - frame["age"] + rng.normal(0, 1, ROWS),
        kind=np.array(["flat", "house", "villa"])[kinds],
    )


def bring(models: Path, name: str) -> None:
    """A model's folder, as docs/your-own-model.md says."""
    folder, own = models / name, TASKS[name]
    (folder / "data").mkdir(parents=True)
    for period in PERIODS:
        houses(period).to_parquet(folder / "data" / f"{period}.parquet")
    column = {"column": own["target"]["column"]}
    suite = {"type": "expect_column_values_to_not_be_null", "kwargs": column, "severity": "critical"}
    (folder / "suite.json").write_text(json.dumps({"name": "short", "expectations": [suite]}))
    files = {
        "policy": str(folder / "policy.yaml"),
        "suites": dict.fromkeys(("training", "evaluation"), str(folder / "suite.json")),
    }
    spec = {key: own[key] for key in ("task", "target", "training")}
    (folder / "model.yaml").write_text(yaml.safe_dump({"name": name, "title": name, **SPEC, **spec, **files}))
    policy = yaml.safe_load((ROOT / "policies/crash_triage.yaml").read_text())
    rules = [{"severity": "block", **rule} for rule in own["rules"]]
    rules += [{"severity": "shadow", **rule} for rule in EVERYWHERE]
    del policy["changed_by"]
    policy |= {"model": name, "tiers": [DECLARED], "rules": [{"reason": SAID, **rule} for rule in rules]}
    drift = {
        "id": "live-drift",
        "metric": "psi",
        "slices": "each",
        "maximum": 0.5,
        "decide_on": "value",
        "response": "alert",
    }
    live = [{"reason": SAID, **rule} for rule in (own["live"], drift)]
    policy["monitoring"] = {"minimum_rows": 100, "minimum_labels": 100, "rules": live}
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy))


@pytest.fixture(scope="module", params=list(TASKS))
def released(world: World, request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """A first release and one against it as champion, each approved, and the service that follows them."""
    name, port = request.param, free_port()
    bring(world.models, name)
    server, url = serve(world.services, name, port), f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        # Too few calls to judge latency, of which no rule here speaks.
        patch.setattr(latency, "HIGHEST_QUANTILE", 0.5)
        patch.setattr(latency, "BUDGET_SECONDS", 0)
        patch.setattr(approve, "POLL_SECONDS", 1)
        # Other tests have connected anew since the world was made: what the stages use is what counts.
        patch.setattr(wiring.connect().deployment, "_target", ScoringServiceTarget(url))
        first, second = (world.retrain(period, [APPROVE], model=name) for period in PERIODS[1:])
        yield SimpleNamespace(name=name, task=TASKS[name]["task"], url=url, first=first, second=second)
    server.should_exit = True


def test_both_releases_are_deployed(released: SimpleNamespace):
    """The first was reviewed, the second compared with it and promoted; every block rule was measured and passed."""
    assert [ended.state.name for ended in (released.first, released.second)] == ["Deployed", "Deployed"], (
        released.second.error
    )
    decision = released.second.view.decision
    assert decision.outcome == "promote"
    passed = {r.rule: r.status for r in decision.results if r.severity.value == "block"}
    assert passed == {rule["id"]: Status.PASSED for rule in TASKS[released.name]["rules"]}
    metric = "rmse" if released.task == "regression" else "macro_auc"
    change = released.second.view.find("evaluate", f"{metric}_change")
    assert change.interval.low <= change.value <= change.interval.high


def test_what_is_defined_for_binary_decisions_only_never_passes(released: SimpleNamespace):
    """Perturbations, and of numbers the search for slices, have no value and say why; latency is measured."""
    results = {r.rule: r for r in released.second.view.decision.results}
    assert results["stable"].status is Status.INCONCLUSIVE
    assert "binary classifications only" in results["stable"].reason
    if released.task == "regression":
        assert results["worst-slices"].status is Status.INCONCLUSIVE
        assert "not defined" in results["worst-slices"].reason
    else:
        assert results["worst-slices"].status is Status.PASSED
    assert released.second.view.find("robustness", "model_bytes").value > 0


def test_slices_are_measured_against_the_champion(released: SimpleNamespace):
    """Each region has its error and its paired change, and the evidence page draws them."""
    view = released.second.view
    metric, words = ("mae", "mean absolute error") if released.task == "regression" else ("error_rate", "error rate")
    for region in ("north", "south"):
        change = view.find("slices", f"{metric}_change", f"region={region}")
        assert change.interval.low <= change.value <= change.interval.high
    page = evidence_page(view, links={})
    assert f"Change of the {words}. region=" in page


def test_pages_show_the_metrics_of_the_task(released: SimpleNamespace):
    """Evidence page and cards are written, with this task's metrics and groups and none of another's."""
    for ended in (released.first, released.second):
        page = evidence_page(ended.view, links={})
        card = model_card(ended.view)
        shown = "RMSE" if released.task == "regression" else "macro AUC"
        assert shown in page
        assert shown in card
        assert "north" in page
        assert "log loss" not in page or released.task != "regression"
        assert "None" not in card
        assert "tabular-" + ("regression" if released.task == "regression" else "classification") in data_card(
            ended.view
        )


def test_the_service_answers_and_production_is_watched(released: SimpleNamespace, world: World):
    """The served answers are the candidate's own; with labels, monitoring measures drift and performance by task."""
    services, candidate = world.services, released.second.view.candidate
    rows = houses("2004")
    answer = httpx.post(f"{released.url}/score", json={"rows": rows[FEATURES].to_dict("records")}, timeout=60).json()
    model = services.registry.load(candidate.artifact, trusted_types=())
    said = answer["predictions"]
    assert answer["model_sha256"] == candidate.artifact.sha256
    if released.task == "regression":
        np.testing.assert_allclose([one["prediction"] for one in said], model.predict(rows[FEATURES]))
    else:
        assert [one["prediction"] for one in said] == list(model.predict(rows[FEATURES]))
        of_flats = [one["probabilities"]["flat"] for one in said]
        np.testing.assert_allclose(of_flats, model.predict_proba(rows[FEATURES])[:, 0])
    report = watched(released, world, rows, said)
    performance = {m.metric: m for m in report.measurements if m.slice == "all"}
    metric = TASKS[released.name]["live"]["metric"]
    assert performance[metric].n == ROWS
    assert performance[metric].interval is not None
    drift = {m.metric: m for m in report.measurements if m.slice == "score"}
    assert drift["psi"].value is not None
    assert report.decision.response == "record"


def watched(released: SimpleNamespace, world: World, rows: pd.DataFrame, said: list[dict]) -> MonitorReport:
    """Report what became of each prediction, wait for the log, look."""
    truth = rows[TASKS[released.name]["target"]["column"]].tolist()
    labels = [{"prediction_id": one["prediction_id"], "label": label} for one, label in zip(said, truth, strict=True)]
    assert httpx.post(f"{released.url}/labels", json={"labels": labels}, timeout=60).status_code == 200
    deadline = time.monotonic() + 30
    while httpx.get(f"{released.url}/health").json()["unflushed"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert monitor(released.name, return_state=True).name in ("Healthy", "Inconclusive")
    release_id = released.second.view.opening.release_id
    names = [name for name in world.services.evidence.names(release_id) if name.startswith("monitor-")]
    return world.services.evidence.read(names[-1], release_id, MonitorReport)


@pytest.mark.parametrize("label", [True, None, [1], {"a": 1}])
def test_a_label_of_another_kind_is_refused(released: SimpleNamespace, label: object):
    """Nothing that is no number, or no class, reaches the log."""
    body = {"labels": [{"prediction_id": "a" * 32, "label": label}]}
    answer = httpx.post(f"{released.url}/labels", json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["row"] == 0


def test_a_model_does_not_change_its_task(released: SimpleNamespace, world: World):
    """The champion's answers could not be compared with: the release is refused when it opens."""
    path = world.models / released.name / "model.yaml"
    before = path.read_text()
    binary = {
        "task": "binary_classification",
        "target": {"column": "kind", "positive": "flat"},
        "decision_threshold": 0.5,
    }
    path.write_text(yaml.safe_dump({**yaml.safe_load(before), **binary}))
    try:
        ended = world.retrain("2003", model=released.name)
    finally:
        path.write_text(before)
    assert ended.state.name == "Failed"
    assert f"the model that serves is a {released.task}" in ended.error
