"""The rows of a binary evaluation, accepted and in their smallest form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.inputs import accept_clusters, accept_labels, accept_predictions, accept_scores
from gatewright.core.errors import ModelError
from gatewright.core.statistics.blocks import FloatArray, assign_blocks, canonical_order

__all__ = ["MODELS", "KeptRows", "accept_rows"]

MODELS = ("candidate", "champion")


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Arrays of shape (rows,) by name.

    ``labels`` uint8; ``blocks`` uint16; for each model ``<model>_selected`` uint8 and, where it has them,
    ``<model>_scores`` float64; ``clusters`` uint64 where given.
    """

    values: Mapping[str, NDArray[Any]]

    def __add__(self, other: Self) -> Self:
        return type(self)({name: np.concatenate([own, other.values[name]]) for name, own in self.values.items()})

    @property
    def n(self) -> int:
        return self.values["labels"].size

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.values) - {"labels", "blocks"}))

    @property
    def clusters(self) -> NDArray[np.uint64] | None:
        return self.values.get("clusters")

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(model for model in MODELS if f"{model}_selected" in self.values)

    def scores(self, model: str) -> FloatArray | None:
        """The model's scores; None where it has only predictions."""
        return self.values.get(f"{model}_scores")

    def in_order(self) -> Self:
        """The rows in an order that their content alone gives; without clusters, blocks by that order."""
        content = sorted(set(self.values) - {"blocks"})
        order = canonical_order(*(self.values[name] for name in content))
        values = {name: self.values[name][order] for name in content}
        return type(self)({**values, "blocks": assign_blocks(self.n, values.get("clusters")).astype(np.uint16)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What to write: equal for equal rows with equal blocks in any order."""
        names = sorted(self.values)
        order = canonical_order(*(self.values[name] for name in names))
        return {name: self.values[name][order] for name in names}

    @classmethod
    def from_arrays(cls, columns: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `arrays`."""
        return cls({name: arrays[name] for name in ("labels", "blocks", *columns)})


def accept_rows(given: Mapping[str, NDArray[Any]], *, threshold: float, start: int) -> KeptRows:
    """Rows from what a caller gave by the names of `KeptRows`; ``<model>_selected`` are its predictions."""
    truth = accept_labels(given["labels"])
    ids = accept_clusters(given.get("clusters"), truth.size)
    blocks = assign_blocks(truth.size, ids, start=start)
    values: dict[str, NDArray[Any]] = {"labels": truth.astype(np.uint8), "blocks": blocks.astype(np.uint16)}
    for model in MODELS:
        values |= _accept_model(model, given, truth.size, threshold)
    if "candidate_selected" not in values:
        raise ModelError(
            "there are neither scores nor predictions.", where="candidate", remedy="name a column with one of them."
        )
    return KeptRows(values if ids is None else {**values, "clusters": ids})


def _accept_model(
    model: str, given: Mapping[str, NDArray[Any]], rows: int, threshold: float
) -> dict[str, NDArray[Any]]:
    values: dict[str, NDArray[Any]] = {}
    scores, decisions = f"{model}_scores", f"{model}_selected"
    if scores in given:
        values[scores] = accept_scores(given[scores], rows, where=f"{model} scores")
    if decisions in given:
        values[decisions] = accept_predictions(given[decisions], rows, where=f"{model} predictions")
    elif scores in given:
        values[decisions] = (values[scores] >= threshold).astype(np.uint8)
    return values
