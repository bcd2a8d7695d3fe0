"""Scores are computed once for a model and a dataset, and are never those of others."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from gatewright.core.errors import DataError, IntegrityError, ModelError, StoreError
from gatewright.core.refs import ArtifactRef, Candidate, DatasetFile, DatasetRef
from gatewright.services.registry import ModelRegistry
from gatewright.services.scores import Scores
from tests.services.targets.world import World, tiny_model

FRAME = pd.DataFrame({"age": [20.0, 40.0, 70.0], "speed": [30.0, 50.0, 90.0], "sex": ["f", "m", "f"]})


class CountingRegistry(ModelRegistry):
    """Counts how often a model is loaded."""

    loaded = 0

    def load(self, ref: ArtifactRef, **more) -> object:
        self.loaded += 1
        return super().load(ref, **more)


class Desk:
    def __init__(self, root: Path) -> None:
        self.world = World(root)
        self.registry = CountingRegistry(self.world.blobs)
        self.scores = Scores(self.world.store, self.world.blobs, self.registry)

    def candidate(self, seed: int) -> Candidate:
        self.world.release(f"r{seed}", tiny_model(seed))
        return self.world.evidence.read("candidate", f"r{seed}", Candidate)

    def of(self, candidate: Candidate, dataset: DatasetRef, frame: pd.DataFrame = FRAME) -> np.ndarray:
        return self.scores.of(candidate, dataset, frame, self.world.spec)

    def keep(self, array: np.ndarray) -> None:
        """Let the one kept record name another array, as somebody with write access could."""
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=array.dtype == object)
        self.keep_bytes(buffer.getvalue())

    def keep_bytes(self, body: bytes) -> None:
        ref = self.world.blobs.put(body, "application/x-npy")
        (key,) = self.world.store.keys("scores/")
        document = self.world.store.objects[key]
        begin = document.index(b'"scores":')
        end = document.index(b"}", begin)
        self.world.store.objects[key] = document[:begin] + b'"scores":' + ref.to_bytes() + document[end + 1 :]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def data(digit: str = "d", rows: int = 3) -> DatasetRef:
    artifact = ArtifactRef(sha256=digit * 64, size=1, media_type="application/vnd.apache.parquet")
    return DatasetRef(name="data", files=(DatasetFile(uri="data", period="2000", rows=rows, artifact=artifact),))


def test_scores_are_those_of_the_model(desk: Desk):
    """At the first call and at the second, which reads them from the store."""
    expected = tiny_model(1).predict_proba(FRAME)[:, 1]
    candidate = desk.candidate(1)
    assert desk.of(candidate, data()) == pytest.approx(expected)
    assert desk.of(candidate, data()) == pytest.approx(expected)


def test_a_pair_of_digests_is_scored_once(desk: Desk):
    """Also by another process; the model is not even loaded."""
    candidate = desk.candidate(1)
    desk.of(candidate, data())
    desk.of(candidate, data())
    Scores(desk.world.store, desk.world.blobs, desk.registry).of(candidate, data(), FRAME, desk.world.spec)
    assert desk.registry.loaded == 1


def test_another_model_and_other_data_have_scores_of_their_own(desk: Desk):
    """Nothing is confused."""
    first, second = desk.candidate(1), desk.candidate(2)
    ours, theirs = desk.of(first, data()), desk.of(second, data())
    assert not np.array_equal(ours, theirs)
    assert np.array_equal(desk.of(second, data("e"), FRAME[::-1]), theirs[::-1])
    assert desk.registry.loaded == 3


@pytest.mark.parametrize("rows", [2, 4])
def test_a_frame_of_another_number_of_rows_is_refused(desk: Desk, rows: int):
    """Before anything is scored, and also when the scores are known already."""
    candidate = desk.candidate(1)
    for _ in range(2):
        with pytest.raises(DataError, match=f"3 rows were given, the dataset has {rows}"):
            desk.of(candidate, data(rows=rows))
        desk.of(candidate, data("e"))


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.1, 0.2]),
        np.array([0.1, 0.2, 0.3, 0.4]),
        np.array([[0.1, 0.2, 0.3]]),
        np.array([1, 0, 1]),
        np.array([0.1, 0.2, None], dtype=object),
    ],
)
def test_kept_scores_that_do_not_fit_the_data_are_refused(desk: Desk, array: np.ndarray):
    """Another length, another shape, no numbers, or objects, which would be unpickled."""
    candidate = desk.candidate(1)
    desk.of(candidate, data())
    desk.keep(array)
    with pytest.raises(IntegrityError, match="not those asked for"):
        desk.of(candidate, data())


def test_kept_bytes_that_are_no_array_are_refused(desk: Desk):
    """With the key that holds them."""
    candidate = desk.candidate(1)
    desk.of(candidate, data())
    desk.keep_bytes(b"junk")
    with pytest.raises(IntegrityError, match="cannot be read") as caught:
        desk.of(candidate, data())
    assert caught.value.where == f"scores/{candidate.artifact.sha256}/{data().digest}.json"


def test_scores_kept_for_another_pair_are_refused(desk: Desk):
    """Somebody copied the record of one model to the key of another."""
    first, second = desk.candidate(1), desk.candidate(2)
    desk.of(first, data())
    objects, key = desk.world.store.objects, f"scores/{{}}/{data().digest}.json".format
    objects[key(second.artifact.sha256)] = objects[key(first.artifact.sha256)]
    with pytest.raises(IntegrityError, match="of another model or other data"):
        desk.of(second, data())


def test_the_first_scores_stand_when_two_score_at_once(desk: Desk):
    """A model that is not quite deterministic must not give two stages two results."""
    candidate = desk.candidate(1)
    first = desk.of(candidate, data())
    desk.world.store.exists = lambda key: False
    desk.registry.score = lambda *_: first + 1e-9
    assert np.array_equal(desk.of(candidate, data()), first)


def test_a_model_that_cannot_score_keeps_nothing(desk: Desk):
    """The next call tries again."""
    candidate = desk.candidate(1)
    with pytest.raises(ModelError):
        desk.of(candidate, data(), FRAME.drop(columns="age"))
    assert list(desk.world.store.keys("scores/")) == []


def test_scores_that_cannot_be_kept_are_not_used(desk: Desk):
    """Evidence rests on what is in the store."""
    desk.world.store.fail("create", StoreError("no answer.", where="s3", remedy="wait."), key_part="scores/")
    with pytest.raises(StoreError):
        desk.of(desk.candidate(1), data())


class TaughtRegistry(ModelRegistry):
    """Gives a model of another kind for every digest."""

    def __init__(self, blobs, model: object) -> None:
        super().__init__(blobs)
        self.model = model

    def load(self, ref: ArtifactRef, **more) -> object:
        return self.model


def taught(desk: Desk, model: object, task: str):
    """`Scores` that knows this model, and the spec of its task."""
    spec = desk.world.spec.model_copy(update={"task": task})
    return Scores(desk.world.store, desk.world.blobs, TaughtRegistry(desk.world.blobs, model)), spec


def test_scores_of_several_classes_are_kept_with_their_names(desk: Desk):
    """One column a class, at the first call and from the store; the binary reader refuses them."""
    model = LogisticRegression().fit(FRAME[["age", "speed"]], ["walk", "bus", "car"])
    candidate = desk.candidate(1).model_copy(update={"features": ("age", "speed")})
    scores, spec = taught(desk, model, "multiclass_classification")
    for _ in range(2):
        found = scores.of(candidate, data(), FRAME, spec)
        np.testing.assert_array_equal(found, model.predict_proba(FRAME[["age", "speed"]]))
    assert scores.classes_of(candidate, data()) == ("bus", "car", "walk")
    with pytest.raises(IntegrityError, match="not those of a binary_classification"):
        desk.of(candidate, data())
    desk.keep(found[:, :2].copy())
    with pytest.raises(IntegrityError, match="3 numbers for each class"):
        scores.of(candidate, data(), FRAME, spec)


def test_scores_of_a_regression_are_its_predictions(desk: Desk):
    """Numbers of any size, without classes."""
    model = LinearRegression().fit(FRAME[["age", "speed"]], [1e6, 2e6, -3e6])
    candidate = desk.candidate(1).model_copy(update={"features": ("age", "speed")})
    scores, spec = taught(desk, model, "regression")
    for _ in range(2):
        found = scores.of(candidate, data(), FRAME, spec)
        np.testing.assert_array_equal(found, model.predict(FRAME[["age", "speed"]]))
    assert scores.classes_of(candidate, data()) == ()
