"""The model spec: what a model is. Written by a data scientist as ``model.yaml``."""

import itertools
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gatewright.core.card import Card
from gatewright.core.records import Name, Record

__all__ = [
    "Adversarial",
    "Card",
    "DataSource",
    "Invariance",
    "ModelSpec",
    "Monotonicity",
    "Perturbation",
    "SensitiveFeature",
    "SliceSearch",
    "Target",
    "Task",
    "Validation",
]

Text = Annotated[str, StringConstraints(min_length=1)]
Task = Literal["binary_classification", "multiclass_classification", "regression"]
EntryPoint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class Target(Record):
    """The column to predict; for a binary classification also the value that counts as positive."""

    column: Text
    positive: str | int | None = None


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


class Validation(Record):
    """Where the suites run: ``onepass`` streams the pinned Parquet files through our engine, ``pandas`` loads them.

    ``sql`` and ``spark`` run Great Expectations' own engines where the data are: ``connection`` is a
    SQLAlchemy URL without a password or the name of the environment variable that holds it (``env:NAME``),
    ``table`` the table, which may hold ``{period}``.
    """

    engine: Literal["onepass", "pandas", "sql", "spark"] = "onepass"
    connection: str | None = None
    table: str | None = None

    @model_validator(mode="after")
    def _sql_needs_a_place(self) -> Self:
        if (self.engine == "sql") != (self.connection is not None and self.table is not None):
            raise ValueError("`connection` and `table` belong to the engine `sql`, which needs both")
        return self


class Perturbation(Record):
    """A change of the inputs the model must withstand.

    ``noise``: numeric columns get Gaussian noise of ``amount`` standard deviations; ``missing``: a share
    ``amount`` of cells is emptied; ``swap``: a share ``amount`` of categories is replaced by another one;
    ``unit_error``: a share ``amount`` of numbers is multiplied by ``factor``; ``shift``: all numbers (of the
    rows where column ``where`` has a value of ``values``) move by ``amount`` standard deviations;
    ``out_of_range``: a share ``amount`` of numbers is put ``factor`` ranges beyond the largest.
    """

    name: Name
    kind: Literal["noise", "missing", "swap", "unit_error", "shift", "out_of_range"]
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    amount: Annotated[float, Field(gt=0, le=10)]
    factor: Annotated[float, Field(gt=0)] | None = None
    where: str | None = None
    values: tuple[str | int, ...] = ()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind not in ("noise", "shift") and not self.amount <= 1:
            raise ValueError(f"`amount` of `{self.kind}` is a share of cells: at most 1")
        if (self.kind in ("unit_error", "out_of_range")) != (self.factor is not None):
            raise ValueError("`factor` belongs to `unit_error` and `out_of_range`, which need it")
        if bool(self.where) != bool(self.values) or (self.where and self.kind != "shift"):
            raise ValueError("`where` and `values` belong together, and to `shift` only")
        return self


class Monotonicity(Record):
    """The score never falls (``rising``) or never rises (``falling``) when ``column`` grows, all else equal."""

    name: Name
    column: Text
    direction: Literal["rising", "falling"]


class Invariance(Record):
    """Changing ``columns`` alone to another value that the data hold should not change decisions."""

    name: Name
    columns: Annotated[tuple[str, ...], Field(min_length=1)]


class Adversarial(Record):
    """An attack on the decisions of ``rows`` rows by small changes of numeric ``columns``: HopSkipJump.

    Chen, Jordan, Wainwright (2020), IEEE S&P. Each row gets ``iterations`` steps; a decision counts as flipped when
    a change of at most ``budget`` standard deviations turns it. Needs the extra ``adversarial``.
    """

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    rows: Annotated[int, Field(ge=5, le=1000)] = 25
    iterations: Annotated[int, Field(ge=1, le=50)] = 4
    budget: Annotated[float, Field(gt=0)] = 0.25


class SliceSearch(Record):
    """Columns whose values, and combinations of up to ``depth`` of them, are searched for the worst slices."""

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    depth: Annotated[int, Field(ge=1, le=3)] = 2


class ModelSpec(Record):
    """What a model is: task, target, features, sensitive features, data, training entrypoint.

    ``not_features`` names columns that must never be inputs, each with the reason: the leakage gate stops a
    candidate that uses one. ``trusted_types`` is the allowlist with which the model file may be loaded.
    ``sensitive_domain`` (health, credit, work, ...) and ``personal_data`` are facts for the policy's tiers; left out
    they count as true wherever a tier asks.
    """

    name: Name
    title: Text
    task: Task
    target: Target
    features: Annotated[tuple[str, ...], Field(min_length=1)]
    categorical: tuple[str, ...] = ()
    not_features: dict[str, str] = {}
    sensitive: Annotated[tuple[SensitiveFeature, ...], Field(min_length=1)]
    sensitive_domain: bool | None = None
    personal_data: bool | None = None
    decision_threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    data: DataSource
    validation: Validation = Validation()
    training: EntryPoint
    seed: int = 0
    trusted_types: tuple[str, ...] = ()
    policy: Text
    suites: dict[Literal["training", "evaluation"], str]
    perturbations: tuple[Perturbation, ...] = ()
    monotonicity: tuple[Monotonicity, ...] = ()
    invariances: tuple[Invariance, ...] = ()
    adversarial: Adversarial | None = None
    slices: SliceSearch | None = None
    card: Card

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.features)) != len(self.features):
            raise ValueError("a feature is listed twice")
        if self.target.column in self.features:
            raise ValueError(f"the target `{self.target.column}` cannot be a feature")
        binary = self.task == "binary_classification"
        if binary != (self.target.positive is not None) or binary != (self.decision_threshold is not None):
            raise ValueError("`target.positive` and `decision_threshold` belong to a binary_classification")
        if set(self.suites) != {"training", "evaluation"}:
            raise ValueError("suites must name both `training` and `evaluation`")
        return self

    @property
    def threshold(self) -> float:
        """The decision threshold of a binary classification."""
        if self.decision_threshold is None:
            raise ValueError(f"a {self.task} has no decision threshold")
        return self.decision_threshold

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
            *(self.slices.columns if self.slices else ()),
            *(perturbation.where for perturbation in self.perturbations if perturbation.where),
            *(column for invariance in self.invariances for column in invariance.columns),
            *(rule.column for rule in self.monotonicity),
        )
        return tuple(dict.fromkeys(wanted))
