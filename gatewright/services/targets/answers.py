"""What clients and the scoring service tell each other, by the task of the model: answers, and late labels."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from gatewright.core.spec import Task
from gatewright.services.targets.rows import MAX_TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatewright.services.targets.serving_model import Serving

__all__ = ["LABEL_TYPES", "MAX_ROWS", "LabelsRequest", "answers_of", "labels_request"]

MAX_ROWS = 1000


def answers_of(current: "Serving", said: "NDArray[Any]") -> list[dict[str, Any]]:
    """One answer a row of what the model said, each with an id of its own and the ``ANSWER_COLUMNS`` of its task."""
    return [{"prediction_id": uuid.uuid4().hex, **_ANSWER[current.task](current, one)} for one in said]


def _scored(current: "Serving", score: Any) -> dict[str, Any]:
    return {"score": float(score), "positive": bool(score >= current.threshold)}


def _predicted(_: "Serving", number: Any) -> dict[str, Any]:
    return {"prediction": float(number)}


def _classified(current: "Serving", probabilities: Any) -> dict[str, Any]:
    by_class = dict(zip(current.classes, probabilities.tolist(), strict=True))
    return {"prediction": current.classes[int(probabilities.argmax())], "probabilities": by_class}


_ANSWER: dict[Task, Callable[["Serving", Any], dict[str, Any]]] = {
    "binary_classification": _scored,
    "regression": _predicted,
    "multiclass_classification": _classified,
}


def _class(value: Any) -> Any:
    """A whole number is the class of that name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("the name of a class must be printable text")
    return value


# The kind of a label, and how the log keeps it. Not Literal[0, 1], which takes true for 1.
LABEL_TYPES: dict[Task, tuple[Any, str]] = {
    "binary_classification": (Annotated[int, Field(ge=0, le=1)], "int8"),
    "regression": (Annotated[float, Field(allow_inf_nan=False, ge=-1e130, le=1e130)], "float64"),
    "multiclass_classification": (
        Annotated[str, BeforeValidator(_class), StringConstraints(min_length=1, max_length=MAX_TEXT)],
        "str",
    ),
}


class _LateLabel(BaseModel):
    """What became of one prediction; ``label`` is added by the task."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prediction_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class LabelsRequest(BaseModel):
    """Labels that have become known: ``labels``, added by the task."""

    model_config = ConfigDict(extra="forbid")


def labels_request(task: Task) -> type[LabelsRequest]:
    """The form in which labels of a model of ``task`` are reported."""
    label = create_model("LateLabel", __base__=_LateLabel, label=(LABEL_TYPES[task][0], ...))
    several = Annotated[list[label], Field(min_length=1, max_length=MAX_ROWS)]
    return create_model("LabelsRequest", __base__=LabelsRequest, labels=(several, ...))
