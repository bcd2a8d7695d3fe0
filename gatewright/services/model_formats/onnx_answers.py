"""An ONNX graph that answers like an estimator of scikit-learn: ``classes_`` and ``predict_proba``, or ``predict``."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OnnxModel"]

_NUMBERS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
_TEXT = "tensor(string)"
_ANSWERS = ("tensor(float)", "tensor(double)")
# Probabilities in single precision may add up to a little more than 1.
ROUNDING = 1e-6


class OnnxModel:
    """Takes one input a feature, by its name, or all of them as one matrix of numbers.

    A missing category is the empty text. Of its outputs one holds numbers, or a map from class to probability
    (ZipMap); where two classes share one column, it is the probability of the second.
    """

    classes_: tuple[int | str, ...]

    def __init__(self, session: Any, classes: tuple[int | str, ...] | None) -> None:
        self._session = session
        if classes is not None:
            self.classes_ = classes

    def predict_proba(self, frame: "pd.DataFrame") -> npt.NDArray[np.float64]:
        """Probabilities, shape (rows, classes). Raises ValueError for rows and outputs that do not fit."""
        answer = self._answer(frame)
        if answer.ndim == 2 and answer.shape[1] == 1 and len(self.classes_) == 2:
            answer = np.hstack([1 - answer, answer])
        rounded = np.where((answer > 1) & (answer <= 1 + ROUNDING), 1.0, answer)
        return np.where((rounded < 0) & (rounded >= -ROUNDING), 0.0, rounded)

    def predict(self, frame: "pd.DataFrame") -> npt.NDArray[np.float64]:
        """Numbers, shape (rows,). Raises ValueError as `predict_proba`."""
        answer = self._answer(frame)
        return answer[:, 0] if answer.ndim == 2 and answer.shape[1] == 1 else answer

    def _answer(self, frame: "pd.DataFrame") -> npt.NDArray[np.float64]:
        output = self._output()
        (found,) = self._session.run([output.name], self._inputs(frame))
        if isinstance(found, list):
            found = [[row[name] for name in self.classes_] for row in found]
        return np.asarray(found, dtype=np.float64)

    def _output(self) -> Any:
        outputs = [one for one in self._session.get_outputs() if one.type in _ANSWERS or one.type.startswith("seq(map")]
        if len(outputs) != 1:
            raise ValueError(f"the graph has {len(outputs)} outputs of numbers, not one")
        return outputs[0]

    def _inputs(self, frame: "pd.DataFrame") -> Mapping[str, npt.NDArray[Any]]:
        inputs: Sequence[Any] = self._session.get_inputs()
        if len(inputs) == 1 and inputs[0].name not in frame.columns:
            return {inputs[0].name: frame.to_numpy(dtype=_kind(inputs[0]))}
        names = {one.name for one in inputs}
        if names != set(frame.columns):
            raise ValueError(f"the graph takes {', '.join(sorted(names))}, not {', '.join(map(str, frame.columns))}")
        return {one.name: _column(frame[one.name], one) for one in inputs}


def _kind(given: Any) -> type[np.generic]:
    if given.type not in _NUMBERS:
        raise ValueError(f"the input {given.name} is a {given.type}, which no column can be")
    return _NUMBERS[given.type]


def _column(values: "pd.Series[Any]", given: Any) -> npt.NDArray[Any]:
    if given.type == _TEXT:
        missing = values.isna().to_numpy()
        column = np.where(missing, "", values.astype("object").map(str).to_numpy(dtype=object))
    else:
        column = values.to_numpy(dtype=_kind(given))
    return column.reshape(-1, 1) if len(given.shape) == 2 else column
