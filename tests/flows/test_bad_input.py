"""Bad input: one clear error with file, place and remedy; a named end state; nothing changes in production."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gatewright import wiring
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Status
from tests.flows.world import World

pytestmark = pytest.mark.usefixtures("few_calls")


def year(folder: Path, name: str = "1998") -> Path:
    return folder / "data" / f"{name}.parquet"


def without_column(spec, folder):
    frame = pd.read_parquet(year(folder)).drop(columns="ageOFocc")
    frame.to_parquet(year(folder), index=False)


def empty_file(spec, folder):
    year(folder).write_bytes(b"")


def no_rows(spec, folder):
    pd.read_parquet(year(folder)).head(0).to_parquet(year(folder), index=False)


def text_for_a_number(spec, folder):
    frame = pd.read_parquet(year(folder))
    frame["ageOFocc"] = frame["ageOFocc"].astype(str) + " years"
    frame.to_parquet(year(folder), index=False)


def torn_parquet(spec, folder):
    year(folder).write_bytes(year(folder).read_bytes()[:2000])


def missing_file(spec, folder):
    year(folder).unlink()


def misspelt_policy(spec, folder):
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text().replace("review_at_warnings", "review_at_warning"))


def nan_threshold(spec, folder):
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text().replace("minimum: 0.75", "minimum: .nan"))


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        (without_column, "1998.parquet", "ageOFocc"),
        (empty_file, "1998.parquet", "empty"),
        (no_rows, "1998.parquet", "no rows"),
        (text_for_a_number, "1998.parquet", "ageOFocc"),
        (torn_parquet, "1998.parquet", "Parquet"),
        (missing_file, "1998.parquet", "No such file"),
        (misspelt_policy, "policy.yaml:", "review_at_warning"),
        (nan_threshold, "policy.yaml:", ".nan"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_one_clear_error_names_file_place_and_remedy(world: World, change, place, says):
    """The run fails in a named state, the error tells where and what to do, and nothing serves afterwards."""
    model = world.variant(change.__name__, change)
    ended = world.retrain("1998", model=model)
    assert ended.state.name == "Failed"
    assert place in ended.error
    assert says in ended.error
    assert "Remedy:" in ended.error
    assert ended.view is None or ended.view.state is ReleaseState.FAILED
    assert world.serving(model) is None


def test_an_unknown_model_names_the_known_ones(world: World):
    """A typo in the model's name is answered with the nearest one."""
    ended = world.retrain("1998", model="crash_triag")
    assert ended.state.name == "Failed"
    assert "did you mean `crash_triage`?" in ended.error


def test_a_path_is_not_a_model(world: World):
    """Names from users never become paths."""
    ended = world.retrain("1998", model="../../etc")
    assert ended.state.name == "Failed"
    assert "there is no model" in ended.error


def test_an_unknown_period_names_the_known_ones(world: World):
    """1997 has nothing to train on before it."""
    ended = world.retrain("1997")
    assert "choose one of 1998" in ended.error


def nobody_dies(spec, folder):
    frame = pd.read_parquet(year(folder))
    frame["dead"] = "alive"
    frame.to_parquet(year(folder), index=False)


def test_a_single_class_evaluation_set_is_blocked(world: World):
    """AUC cannot be measured, and what cannot be measured never passes."""
    ended = world.retrain("1998", model=world.variant("single_class", nobody_dies))
    (auc,) = [r for r in ended.view.decision.results if r.rule == "auc-floor"]
    assert ended.state.name == "Blocked"
    assert auc.status is not Status.PASSED
    assert auc.value is None


def three_old_people(spec, folder):
    frame = pd.read_parquet(year(folder))
    old = frame.index[frame["ageOFocc"] >= 65]
    frame.drop(index=old[3:]).to_parquet(year(folder), index=False)


def test_a_group_of_three_rows_is_named_and_not_judged(world: World):
    """A rate over three rows says nothing: the group is left out of the gap, and that is said."""
    ended = world.retrain("1998", model=world.variant("three_rows", three_old_people))
    gap = ended.view.find("fairness", "equal_opportunity_difference", "age_band")
    unsupported = ended.view.find("fairness", "unsupported_groups", "age_band")
    assert unsupported.value >= 1
    assert "65+" in gap.note


def leaks(spec, folder):
    spec["features"] = [*spec["features"], "injSeverity", "caseid", "weight"]
    spec["categorical"] = [*spec["categorical"], "caseid"]


def test_leaking_features_are_found_when_somebody_adds_them(world: World):
    """injSeverity tells the label, caseid the row, weight was declared no feature."""
    ended = world.retrain("1998", model=world.variant("leaks", leaks))
    failed = {(r.rule, r.slice) for r in ended.view.decision.results if r.status is Status.FAILED}
    assert ended.state.name == "Blocked"
    assert ("no-single-feature-oracle", "injSeverity") in failed
    assert ("no-forbidden-feature", "all") in failed
    assert ("no-identifier", "all") in failed
    oracle = ended.view.find("leakage", "single_feature_auc", "injSeverity")
    assert oracle.interval.low > 0.95


def broken_values(spec, folder):
    frame = pd.read_parquet(year(folder))
    frame.loc[frame.index[:50], "ageOFocc"] = 400
    frame.loc[frame.index[:50], "sex"] = "x"
    frame["yearVeh"] = frame["yearVeh"].where(np.arange(len(frame)) > 2000)
    frame.to_parquet(year(folder), index=False)


def test_data_that_break_their_suite_are_blocked_with_the_failed_expectations(world: World):
    """Ages of 400 and unknown values stop the release, and sampled rows hide sensitive values."""
    ended = world.retrain("1998", model=world.variant("broken_values", broken_values, whole=True))
    (rule,) = [r for r in ended.view.decision.results if r.rule == "evaluation-data-valid"]
    assert ended.state.name == "Blocked"
    assert rule.status is Status.FAILED
    assert rule.value >= 2


def test_a_store_that_is_down_fails_the_run_and_names_its_address(world: World, monkeypatch, free_port):
    """One clear error within seconds; what serves is not touched."""
    monkeypatch.setenv("GATEWRIGHT_STORE_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
    wiring.connect.cache_clear()
    before = world.serving()
    ended = world.retrain("1998")
    monkeypatch.undo()
    wiring.connect.cache_clear()
    assert ended.state.name == "Failed"
    assert f"127.0.0.1:{free_port}" in ended.error
    assert "Remedy:" in ended.error
    assert ended.view is None
    assert world.serving() == before
