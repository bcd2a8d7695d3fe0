"""The model spec: what a model is. Written by a data scientist as ``model.yaml``."""

import itertools
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gatewright.core.records import Name, Record

__all__ = ["Card", "DataSource", "ModelSpec", "Perturbation", "SensitiveFeature", "Target"]

Text = Annotated[str, StringConstraints(min_length=1)]
EntryPoint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class Target(Record):
    """The column to predict and the value that counts as positive."""

    column: Text
    positive: str | int


class SensitiveFeature(Record):
    """A column whose groups are audited; ``bands`` cut a number into groups: name -> [from, to) ."""

    name: Name
    column: Text
    bands: dict[str, tuple[float, float]] | None = None

    @model_validator(mode="after")
    def _bands_do_not_overlap(self) -> Self:
        bounds = sorted((self.bands or {}).values())
        for low, high in bounds:
            if not low < high:
                raise ValueError(f"band [{low}, {high}) of `{self.name}` is empty")
        for (_, high), (low, _) in itertools.pairwise(bounds):
            if low < high:
                raise ValueError(f"bands of `{self.name}` overlap at {low}")
        return self


class DataSource(Record):
    """Where the files are: a path or URI with ``{period}``, and the column that holds the time.

    ``periods`` lists all known periods in order of time; a candidate for one trains on those before it.
    """

    path: Annotated[str, StringConstraints(pattern=r"\{period\}")]
    periods: Annotated[tuple[Name, ...], Field(min_length=2)]
    time_column: Text
    key: Annotated[tuple[str, ...], Field(min_length=1)]
    cluster: tuple[str, ...] = ()
    license: Text
    attribution: Text

    def before(self, period: str) -> tuple[str, ...]:
        """The periods a candidate for ``period`` may train on."""
        return self.periods[: self.periods.index(period)]


class Perturbation(Record):
    """A change of the inputs the model must withstand.

    ``noise``: numeric columns get Gaussian noise of ``amount`` standard deviations; ``missing``: a share
    ``amount`` of cells is emptied; ``swap``: a share ``amount`` of categories is replaced by another one.
    """

    name: Name
    kind: Literal["noise", "missing", "swap"]
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    amount: Annotated[float, Field(gt=0, le=1)]


class Card(Record):
    """What only people know about a model."""

    owner: Text
    intended_use: Text
    out_of_scope: Text
    limits: Text
    ethical_considerations: Text


class ModelSpec(Record):
    """What a model is: task, target, features, sensitive features, data, training entrypoint.

    ``not_features`` names columns that must never be inputs, each with the reason: the leakage gate stops a
    candidate that uses one. ``trusted_types`` is the allowlist with which the model file may be loaded.
    """

    name: Name
    title: Text
    task: Literal["binary_classification"]
    target: Target
    features: Annotated[tuple[str, ...], Field(min_length=1)]
    categorical: tuple[str, ...] = ()
    not_features: dict[str, str] = {}
    sensitive: Annotated[tuple[SensitiveFeature, ...], Field(min_length=1)]
    decision_threshold: Annotated[float, Field(gt=0, lt=1)]
    data: DataSource
    training: EntryPoint
    seed: int = 0
    trusted_types: tuple[str, ...] = ()
    policy: Text
    suites: dict[Literal["training", "evaluation"], str]
    perturbations: tuple[Perturbation, ...] = ()
    card: Card

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.features)) != len(self.features):
            raise ValueError("a feature is listed twice")
        if self.target.column in self.features:
            raise ValueError(f"the target `{self.target.column}` cannot be a feature")
        if set(self.suites) != {"training", "evaluation"}:
            raise ValueError("suites must name both `training` and `evaluation`")
        return self

    def columns(self) -> tuple[str, ...]:
        """All columns any stage needs, each once, in a fixed order."""
        wanted = (
            *self.features,
            self.target.column,
            *(feature.column for feature in self.sensitive),
            *self.data.key,
            *self.data.cluster,
            self.data.time_column,
            *self.not_features,
        )
        return tuple(dict.fromkeys(wanted))
