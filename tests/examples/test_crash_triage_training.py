"""The example's training gives the measured models, whatever columns a candidate tries."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from examples.crash_triage.training import fit
from gatewright.core.frames import labels_of
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml

EXAMPLE = Path(__file__).parents[2] / "examples/crash_triage"
SPEC = parse_yaml((EXAMPLE / "model.yaml").read_text(), ModelSpec, where="model.yaml")


def years(*periods: str) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(EXAMPLE / f"data/{period}.parquet") for period in periods], ignore_index=True)


def trained(*periods: str, features: Sequence[str] = SPEC.features) -> Pipeline:
    frame = years(*periods)
    return fit(frame, labels_of(frame, SPEC), features, SPEC.categorical, SPEC.seed)


def scores(model: Pipeline, frame: pd.DataFrame, features: Sequence[str] = SPEC.features) -> np.ndarray:
    return model.predict_proba(frame[list(features)])[:, 1]


@pytest.fixture(scope="module")
def model() -> Pipeline:
    return trained("1997")


@pytest.mark.parametrize(
    ("period", "candidate", "champion"), [("1999", 0.8662, 0.8456), ("2000", 0.8941, 0.8807), ("2002", 0.8864, 0.8827)]
)
def test_candidate_and_champion_reach_the_measured_auc(period: str, candidate: float, champion: float) -> None:
    """Trained on all years before, and on those before the last one (measured with scikit-learn 1.9.1)."""
    frame = years(period)
    labels = labels_of(frame, SPEC)
    before = SPEC.data.before(period)
    assert roc_auc_score(labels, scores(trained(*before), frame)) == pytest.approx(candidate, abs=5e-4)
    assert roc_auc_score(labels, scores(trained(*before[:-1]), frame)) == pytest.approx(champion, abs=5e-4)


def test_the_same_seed_gives_the_same_scores(model: Pipeline) -> None:
    """A candidate can be trained again from its lineage."""
    frame = years("1998")
    assert np.array_equal(scores(model, frame), scores(trained("1997"), frame))


def test_a_candidate_without_sex_and_age_can_be_trained() -> None:
    """The fairness gate needs it to exist, to stop it."""
    features = [name for name in SPEC.features if name not in ("sex", "ageOFocc")]
    model = trained("1997", "1998", features=features)
    assert list(model.feature_names_in_) == features


@pytest.mark.parametrize("leak", ["caseid", "injSeverity", "weight"])
def test_a_candidate_with_a_column_that_is_no_feature_can_be_trained(leak: str) -> None:
    """Thousands of case ids are more than the trees' 255 bins; the leakage gate must get to see the model."""
    features = [*SPEC.features, leak]
    model = trained("1997", "1998", features=features)
    assert np.isfinite(scores(model, years("1999"), features)).all()


def test_categories_never_seen_and_missing_values_are_scored(model: Pipeline) -> None:
    """In production neither stops an answer."""
    frame = years("1998").head(20)
    frame.loc[:4, "dvcat"] = "70-90"
    frame.loc[5:9, "seatbelt"] = None
    frame.loc[8:12, "yearVeh"] = np.nan
    answered = scores(model, frame)
    assert np.isfinite(answered).all()
    assert ((answered >= 0) & (answered <= 1)).all()


def test_the_order_of_a_requests_columns_does_not_matter(model: Pipeline) -> None:
    """Columns are found by name."""
    frame = years("1998").head(50)
    assert np.array_equal(scores(model, frame), model.predict_proba(frame[sorted(frame.columns)])[:, 1])


def test_the_model_file_needs_no_type_beyond_the_allowlist(model: Pipeline) -> None:
    """And the allowlist holds nothing that is not needed."""
    body = skops.io.dumps(model)
    assert sorted(skops.io.get_untrusted_types(data=body)) == sorted(SPEC.trusted_types)
    loaded = skops.io.loads(body, trusted=list(SPEC.trusted_types))
    frame = years("1998").head(50)
    assert np.array_equal(scores(loaded, frame), scores(model, frame))
