"""Check a file of labels and predictions, from any model and any framework: one pass, memory that does not grow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from gatewright.core.checks.evaluation import EvaluationSums, evaluation_sums, measure_evaluation_sums
from gatewright.core.checks.fairness import FairnessSums, decided_sums, group_rates, measure_fairness_sums
from gatewright.core.columns import Column, binary, probabilities
from gatewright.core.decision import verdict_of
from gatewright.core.errors import DataError, SpecError
from gatewright.core.file_verdict import FileVerdict
from gatewright.core.judging import judge_rules
from gatewright.core.policy import RuleSet
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import FloatArray
from gatewright.services.batches import Batch, DataFile

__all__ = ["FileColumns", "FileSums", "check_file", "file_sums"]

# What a file of predictions can say something about; the other stages need data and a model.
STAGES = frozenset({"check", "evaluate", "fairness"})
Progress = Callable[[int], None]


@dataclass(frozen=True)
class FileColumns:
    """Which column holds what. ``positive``: the positive value of label and predictions, as text.

    ``threshold`` makes decisions of scores where there are no predictions.
    """

    label: str
    prediction: str | None = None
    score: str | None = None
    champion_score: str | None = None
    champion_prediction: str | None = None
    sensitive: tuple[str, ...] = ()
    cluster: str | None = None
    positive: str | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Raises SpecError where the candidate has nothing, or the champion has what the candidate has not."""
        if self.prediction is None and self.score is None:
            raise _call("there is nothing to check.", "give --prediction COL, --score COL, or both.")
        if self.champion_score is not None and self.score is None:
            raise _call("the champion has scores and the candidate has none.", "give --score COL too.")
        if len(set(self.sensitive)) != len(self.sensitive):
            raise _call("a sensitive column is named twice.", "name each column once.")

    @property
    def has_champion(self) -> bool:
        return self.champion_score is not None or self.champion_prediction is not None

    @property
    def given(self) -> set[str]:
        """What a rule may ask for in ``needs``."""
        present = {
            "binary": True,
            "classification": True,
            "predictions": True,
            "scores": self.score is not None,
            "champion": self.has_champion,
            "champion_scores": self.champion_score is not None,
            "sensitive": bool(self.sensitive),
        }
        return {name for name, there in present.items() if there}

    def all(self) -> list[str]:
        """Every column to read, each once."""
        single = (self.label, self.prediction, self.score, self.champion_score, self.champion_prediction, self.cluster)
        return list(dict.fromkeys([*(name for name in single if name is not None), *self.sensitive]))


@dataclass(frozen=True)
class FileSums:
    """What one pass over the rows keeps."""

    evaluation: EvaluationSums
    fairness: FairnessSums | None

    def __add__(self, other: "FileSums") -> "FileSums":
        fairness = None if self.fairness is None or other.fairness is None else self.fairness + other.fairness
        return FileSums(self.evaluation + other.evaluation, fairness)


def check_file(
    file: DataFile, columns: FileColumns, rules: RuleSet, *, seed: int = 0, progress: Progress = lambda rows: None
) -> FileVerdict:
    """Measure the file in one pass and judge it. ``progress`` is called with the rows read so far.

    Raises DataError and ModelError naming file, column and row of a bad value, and DataError for no rows.
    """
    sums = _read(file, columns, progress)
    confidence = rules.confidence
    overall = measure_evaluation_sums(sums.evaluation, confidence=confidence, seed=seed)
    gaps = _gaps(sums.fairness, rules, rules.minimum_support, seed)
    judged = rules.model_copy(update={"rules": tuple(rule for rule in rules.rules if rule.stage in STAGES)})
    judgement = judge_rules(judged, [*overall, *gaps], given=columns.given)
    verdict, reasons = verdict_of(judged, judgement)
    others = {rule.id: f"it is about `{rule.stage}`" for rule in rules.rules if rule.stage not in STAGES}
    return FileVerdict(
        file=file.path.name,
        rows=sums.evaluation.n,
        task="binary_classification",
        confidence=confidence,
        verdict=verdict,
        reasons=reasons,
        results=judgement.results,
        not_applicable=judgement.not_applicable | others,
        overall=overall,
        # Shown over all groups, as fairlearn does; only what is judged leaves out those without support.
        fairness=_gaps(sums.fairness, rules, 1, seed),
        groups={} if sums.fairness is None else group_rates(sums.fairness),
    )


def _gaps(sums: FairnessSums | None, rules: RuleSet, support: int, seed: int) -> tuple[Measurement, ...]:
    if sums is None:
        return ()
    return measure_fairness_sums(sums, confidence=rules.confidence, minimum_support=support, seed=seed)


def _read(file: DataFile, columns: FileColumns, progress: Progress) -> FileSums:
    total: FileSums | None = None
    for batch in file.batches(columns.all()):
        part = file_sums(batch, columns, str(file.path))
        total = part if total is None else total + part
        progress(batch.start + batch.rows.num_rows)
    if total is None or not total.evaluation.n:
        raise DataError("the file has no rows.", where=str(file.path), remedy="deliver the data again.")
    return total


def file_sums(batch: Batch, columns: FileColumns, where: str) -> FileSums:
    """The sums of one batch of the file ``where``. Raises DataError and ModelError naming column and row."""

    def column(name: str) -> Column:
        return Column(name, batch.rows.column(name), where, batch.start)

    def decisions(name: str | None) -> FloatArray | None:
        return None if name is None else binary(column(name), positive=columns.positive)

    def scores(name: str | None) -> FloatArray | None:
        return None if name is None else probabilities(column(name))

    labels = binary(column(columns.label), positive=columns.positive)
    clusters = None if columns.cluster is None else _clusters(column(columns.cluster))
    models: dict[str, Any] = {
        "predictions": decisions(columns.prediction),
        "champion_scores": scores(columns.champion_score),
        "champion_predictions": decisions(columns.champion_prediction),
    }
    given: dict[str, Any] = {"threshold": columns.threshold, "clusters": clusters, **models}
    own = scores(columns.score)
    evaluation = evaluation_sums(labels, own, start=batch.start, **given)
    groups = {name: batch.rows.column(name) for name in columns.sensitive}
    return FileSums(evaluation, decided_sums(labels, own, groups, **given) if groups else None)


def _clusters(column: Column) -> NDArray[Any]:
    if column.values.null_count:
        raise DataError(
            f"{column.values.null_count} rows have no cluster.",
            where=column.place,
            remedy="give each row the id of what it shares with others, or leave out --cluster.",
        )
    ids: NDArray[Any] = column.values.to_numpy(zero_copy_only=False)
    return ids


def _call(problem: str, remedy: str) -> SpecError:
    return SpecError(problem, where="command line", remedy=remedy)
