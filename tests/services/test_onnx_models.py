"""Models as ONNX answer as the estimators they were converted from, and are stored as they came."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.linear_model import LinearRegression, LogisticRegression

from gatewright.core.errors import ModelError
from gatewright.services.blobs import BlobStore
from gatewright.services.model_formats.content import MEDIA_TYPES
from gatewright.services.registry import ModelRegistry
from tests.fakes import MemoryStore
from tests.services.targets.world import FEATURES, tiny_model

ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
MATRIX = ROWS.to_numpy(dtype=np.float32)
NAMES = ["a", "b"]


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(BlobStore(MemoryStore(), tmp_path / "cache"))


def graph(
    operator: str,
    outputs: dict[str, int],
    classes: str | None = None,
    tensors: Sequence[TensorProto] = (),
    **attributes,
) -> onnx.ModelProto:
    """One operator over a matrix ``x`` and ``tensors``, then outputs of numbers with so many columns."""
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in outputs.items()]
    node = helper.make_node(operator, ["x", *(tensor.name for tensor in tensors)], list(outputs), **attributes)
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])
    model = helper.make_model(
        helper.make_graph([node], "g", [given], made, tensors),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    if classes is not None:
        helper.set_model_props(model, {"classes": classes})
    return model


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1], ["bus", "car", "walk", "car"]])
def test_a_converted_classifier_answers_as_before(registry: ModelRegistry, labels: list, zipmap: bool) -> None:
    """One matrix of numbers in; a tensor or a list of maps out; the classes by their names."""
    model = LogisticRegression().fit(MATRIX, labels)
    converted = to_onnx(model, MATRIX[:1], options={} if zipmap else {"zipmap": False})
    loaded = registry.load(registry.save(converted), trusted_types=())
    assert registry.class_names(loaded) == tuple(str(name) for name in model.classes_)
    np.testing.assert_allclose(registry.probabilities(loaded, ROWS, NAMES), model.predict_proba(MATRIX), atol=1e-6)


def test_features_are_given_by_name_also_texts_and_missing_ones(registry: ModelRegistry) -> None:
    """One input a feature, in whatever order; a missing category is the empty text."""
    model = tiny_model(1)
    kinds = {"sex": StringTensorType([None, 1]), "speed": FloatTensorType([None, 1]), "age": FloatTensorType([None, 1])}
    converted = convert_sklearn(model, initial_types=list(kinds.items()), options={id(model): {"zipmap": False}})
    loaded = registry.load(registry.save(converted), trusted_types=())
    texts = pd.Series(["f", "m", None], dtype="str")
    rows = pd.DataFrame({"age": [20.0, 40.0, 60.0], "speed": [30.0, 60.0, 90.0], "sex": texts})
    expected = model.predict_proba(rows.fillna({"sex": "unknown"}))[:, 1]
    np.testing.assert_allclose(registry.score(loaded, rows, FEATURES), expected, atol=1e-5)
    with pytest.raises(ModelError, match="the graph takes age, sex, speed, not age, speed"):
        registry.score(loaded, rows, ["age", "speed"])


def test_a_converted_regressor_predicts_as_before(registry: ModelRegistry) -> None:
    """One number a row."""
    model = LinearRegression().fit(MATRIX, [1.0, 2.0, 4.0, 8.0])
    loaded = registry.load(registry.save(to_onnx(model, MATRIX[:1])), trusted_types=())
    np.testing.assert_allclose(registry.predict(loaded, ROWS, NAMES), model.predict(MATRIX), rtol=1e-6)


def test_bytes_are_stored_as_they_came(registry: ModelRegistry) -> None:
    """The digest that is approved is that of the file that training wrote."""
    body = graph("Softmax", {"p": 2}, "[0, 1]").SerializeToString()
    ref = registry.save(body)
    assert ref == registry.save(onnx.load_model_from_string(body))
    assert ref.media_type == MEDIA_TYPES["onnx"]
    assert registry._blobs.get(ref) == body


def test_classes_are_read_from_the_metadata(registry: ModelRegistry) -> None:
    """For graphs of plain tensors, whose operators name none."""
    loaded = registry.load(registry.save(graph("Softmax", {"p": 2}, json.dumps(["a", "b"]))), trusted_types=())
    assert registry.class_names(loaded) == ("a", "b")
    np.testing.assert_allclose(registry.probabilities(loaded, ROWS, NAMES).sum(axis=1), 1, atol=1e-6)


def test_one_column_is_the_probability_of_the_second_class(registry: ModelRegistry) -> None:
    """As a sigmoid gives it; the first class has the rest."""
    second = numpy_helper.from_array(np.array([1]), "i")
    model = graph("Gather", {"p": 1}, "[0, 1]", tensors=(second,), axis=1)
    loaded = registry.load(registry.save(model), trusted_types=())
    rows = pd.DataFrame({"a": [0.9, 0.8], "b": [0.5, 0.1]})
    np.testing.assert_allclose(registry.probabilities(loaded, rows, NAMES), [[0.5, 0.5], [0.9, 0.1]], atol=1e-6)
    np.testing.assert_allclose(registry.score(loaded, rows, NAMES), [0.5, 0.1], atol=1e-6)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (graph("Softmax", {"p": 2}), "classes_"),
        (graph("Softmax", {"p": 2}, "[0, 1, 2]"), "shape"),
        (graph("Split", {"p": 1, "q": 1}, "[0, 1]", axis=1, num_outputs=2), "2 outputs of numbers"),
        (graph("Neg", {"p": 2}, "[0, 1]"), "outside 0 to 1"),
    ],
)
def test_an_answer_that_is_not_one_probability_a_class_is_an_error(
    registry: ModelRegistry, model: onnx.ModelProto, problem: str
) -> None:
    """No classes, too many, two answers, no probabilities."""
    loaded = registry.load(registry.save(model), trusted_types=())
    with pytest.raises(ModelError, match=problem):
        registry.probabilities(loaded, ROWS, NAMES)


@pytest.mark.parametrize("classes", ["{}", "[0.5, 1]", "[true, false]", "no json"])
def test_classes_that_are_no_list_of_names_are_an_error(registry: ModelRegistry, classes: str) -> None:
    """The metadata is text that somebody wrote."""
    ref = registry.save(graph("Softmax", {"p": 2}, classes))
    with pytest.raises(ModelError, match="no JSON list"):
        registry.load(ref, trusted_types=())


def test_without_the_extra_the_remedy_is_named(registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX is told by its bytes alone, so also where nothing can read it."""
    body = graph("Softmax", {"p": 2}).SerializeToString()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match="cannot be read here") as error:
        registry.save(body)
    assert "gatewright[onnx]" in error.value.remedy
