"""Models come back as they were saved, or not at all."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from gatewright.core.errors import IntegrityError, ModelError, NotFoundError
from gatewright.core.refs import ArtifactRef
from gatewright.services.blobs import BlobStore
from gatewright.services.model_formats.content import MEDIA_TYPES
from gatewright.services.registry import ModelRegistry
from tests.fakes import MemoryStore

ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
LABELS = np.array([0, 0, 1, 1])
SKOPS = MEDIA_TYPES["skops"]
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(MemoryStore(), tmp_path / "cache")


@pytest.fixture
def registry(blobs: BlobStore) -> ModelRegistry:
    return ModelRegistry(blobs)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in members.items():
            file.writestr(name, body)
    return buffer.getvalue()


def test_a_model_scores_the_same_after_a_round_trip(registry: ModelRegistry) -> None:
    """What is loaded by digest is what was saved."""
    model = LogisticRegression().fit(ROWS, LABELS)
    ref = registry.save(model)
    loaded = registry.load(ref, trusted_types=())
    assert ref.media_type == SKOPS
    expected = model.predict_proba(ROWS)[:, 1]
    np.testing.assert_array_equal(registry.score(loaded, ROWS, ["a", "b"]), expected)


def test_features_are_passed_in_the_order_asked_for(registry: ModelRegistry) -> None:
    """A frame with other columns, in another order, gives the same scores."""
    model = LogisticRegression().fit(ROWS, LABELS)
    shuffled = ROWS.assign(c=9.0)[["c", "b", "a"]]
    np.testing.assert_array_equal(registry.score(model, shuffled, ["a", "b"]), registry.score(model, ROWS, ["a", "b"]))


def test_an_untrusted_type_is_named_with_the_remedy(registry: ModelRegistry) -> None:
    """Nothing outside the allowlist is built."""
    ref = registry.save(HistGradientBoostingClassifier(max_iter=1).fit(ROWS, LABELS))
    with pytest.raises(ModelError, match="TreePredictor") as refused:
        registry.load(ref, trusted_types=["something.Else"])
    assert "trusted_types" in refused.value.remedy
    assert registry.load(ref, trusted_types=[TREES]).classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"junk",
        b"PK\x03\x04junk",
        archive({"other.bin": b"x"}),
        archive({"schema.json": b"not json"}),
        archive({"schema.json": b"{}"}),
        archive({"schema.json": b'{"__class__": "dict", "__module__": "builtins", "__loader__": "none"}'}),
        archive({"schema.json": b"[" * 100_000}),
    ],
)
def test_junk_is_a_model_error(junk: bytes, blobs: BlobStore, registry: ModelRegistry) -> None:
    """BadZipFile, KeyError, RecursionError and the like all become one clear error."""
    ref = blobs.put(junk, SKOPS)
    with pytest.raises(ModelError, match="no model"):
        registry.load(ref, trusted_types=())


def test_an_archive_of_another_kind_is_told_by_its_content(blobs: BlobStore, registry: ModelRegistry) -> None:
    """A zip without skops' schema, such as PyTorch's, is named as that."""
    ref = blobs.put(archive({"data.pkl": b"x"}), SKOPS)
    with pytest.raises(ModelError, match=r"no skops `schema\.json`"):
        registry.load(ref, trusted_types=())


def test_changed_bytes_are_never_loaded(tmp_path: Path) -> None:
    """The bytes are hashed again at each load."""
    store = MemoryStore()
    ref = ModelRegistry(BlobStore(store, tmp_path / "a")).save(LogisticRegression().fit(ROWS, LABELS))
    for key in list(store.keys("")):
        store.objects[key] = b"other"
    with pytest.raises(IntegrityError):
        ModelRegistry(BlobStore(store, tmp_path / "b")).load(ref, trusted_types=())


def test_what_skops_cannot_write_is_refused_when_saving(registry: ModelRegistry) -> None:
    """A model that cannot come back must not become a candidate."""
    with pytest.raises(ModelError, match="skops cannot write"):
        registry.save({"model": (row for row in ())})


class Fixed:
    """A model that answers what it is told."""

    def __init__(self, answer: Any, classes: tuple[Any, ...] = (0, 1)) -> None:
        self.answer = answer
        self.classes_ = np.array(classes)

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        return np.array(self.answer)


def test_the_positive_class_is_found_by_name() -> None:
    """Class 1 is the positive one, wherever its column stands."""
    swapped = Fixed([[0.8, 0.2], [0.3, 0.7]], classes=(1, 0))
    assert ModelRegistry.score(swapped, ROWS[:2], ["a"]).tolist() == [0.8, 0.3]


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (Fixed([[0.5, 0.5]]), "shape"),
        (Fixed([0.5, 0.5]), "shape"),
        (Fixed([[0.1, np.nan], [0.5, 0.5]]), "NaN"),
        (Fixed([[0.1, 1.1], [0.5, 0.5]]), "outside 0 to 1"),
        (Fixed([["a", "b"], ["c", "d"]]), "cannot score"),
        (Fixed([[0.5, 0.5], [0.5, 0.5]], classes=(1, 2)), "classes"),
        (Fixed([[0.5, 0.5], [0.5, 0.5]], classes=("dead", "alive")), "classes"),
        (object(), "cannot score"),
    ],
)
def test_anything_but_one_probability_a_row_is_an_error(model: Any, problem: str) -> None:
    """A wrong shape, NaN or another pair of classes never becomes a score."""
    with pytest.raises(ModelError, match=problem):
        ModelRegistry.score(model, ROWS[:2], ["a"])


def test_a_missing_feature_is_named() -> None:
    """The message says which column the rows lack."""
    with pytest.raises(ModelError, match="missing_one"):
        ModelRegistry.score(Fixed([[0.5, 0.5]]), ROWS, ["a", "missing_one"])


def test_no_rows_are_an_error_not_an_empty_answer() -> None:
    """A model asked about nothing has not answered."""
    model = LogisticRegression().fit(ROWS, LABELS)
    with pytest.raises(ModelError, match="cannot score 0 row"):
        ModelRegistry.score(model, ROWS[:0], ["a", "b"])


def test_a_ref_to_nothing_is_not_a_model(registry: ModelRegistry) -> None:
    """An unknown digest is the store's error, not an empty model."""
    ref = ArtifactRef(sha256="0" * 64, size=1, media_type=SKOPS)
    with pytest.raises(NotFoundError):
        registry.load(ref, trusted_types=())


NAMES = np.array(["bus", "car", "walk", "car"])


class FixedNumbers:
    """A regressor that answers what it is told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def predict(self, frame: pd.DataFrame) -> Any:
        return np.array(self.answer)


def test_a_model_of_several_classes_comes_back_with_names_and_columns(registry: ModelRegistry) -> None:
    """Trained on text, saved and loaded: one column a class, in the order of the names."""
    model = LogisticRegression().fit(ROWS, NAMES)
    loaded = registry.load(registry.save(model), trusted_types=())
    assert ModelRegistry.class_names(loaded) == ("bus", "car", "walk")
    found = ModelRegistry.probabilities(loaded, ROWS, ["a", "b"])
    np.testing.assert_array_equal(found, model.predict_proba(ROWS))


def test_a_regressor_comes_back_with_its_numbers(registry: ModelRegistry) -> None:
    """What is loaded by digest predicts what was saved."""
    model = LinearRegression().fit(ROWS, [1.0, 2.0, 4.0, 8.0])
    loaded = registry.load(registry.save(model), trusted_types=())
    np.testing.assert_array_equal(ModelRegistry.predict(loaded, ROWS, ["a", "b"]), model.predict(ROWS))


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (FixedNumbers([[1.0], [2.0]]), "shape"),
        (FixedNumbers([1.0, np.nan]), "NaN"),
        (FixedNumbers([1.0, np.inf]), "infinite"),
        (FixedNumbers(["a", "b"]), "cannot predict"),
        (object(), "cannot predict"),
    ],
)
def test_anything_but_one_finite_number_a_row_is_an_error(model: Any, problem: str) -> None:
    """A regression's answer is checked as a classifier's is."""
    with pytest.raises(ModelError, match=problem):
        ModelRegistry.predict(model, ROWS[:2], ["a"])


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (Fixed([[0.5, 0.5], [0.5, 0.5]], classes=("a", "b", "c")), "shape"),
        (Fixed([[0.5, np.nan], [0.5, 0.5]], classes=("a", "b")), "NaN"),
        (Fixed([[-0.5, 1.5], [0.5, 0.5]], classes=("a", "b")), "outside"),
        (FixedNumbers([1.0, 2.0]), "cannot score"),
    ],
)
def test_anything_but_one_probability_a_class_is_an_error(model: Any, problem: str) -> None:
    """Another number of columns never becomes probabilities of these classes."""
    with pytest.raises(ModelError, match=problem):
        ModelRegistry.probabilities(model, ROWS[:2], ["a"])


@pytest.mark.parametrize("model", [FixedNumbers([1.0]), Fixed([], classes=("a",)), Fixed([], classes=(1, "1"))])
def test_classes_without_names_of_their_own_are_an_error(model: Any) -> None:
    """None, one alone, or two with the same text."""
    with pytest.raises(ModelError, match="classes"):
        ModelRegistry.class_names(model)
