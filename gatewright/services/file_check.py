"""Check a file of labels and predictions, from any model and any framework: one pass, memory that does not grow."""

from gatewright.core.checks.holdout import HOLDOUT_METRICS
from gatewright.core.decision import verdict_of
from gatewright.core.file_verdict import FileVerdict
from gatewright.core.judging import judge_rules
from gatewright.core.policy import Rule, RuleSet
from gatewright.services.batches import DataFile
from gatewright.services.file_binary import measure_binary
from gatewright.services.file_classes import measure_classes
from gatewright.services.file_columns import FileColumns, FileMeasurements, Progress, Terms
from gatewright.services.file_numbers import measure_numbers

__all__ = ["check_file", "judge_file"]

# What a file of predictions can say something about; the other stages need data and a model.
STAGES = frozenset({"check", "evaluate", "fairness"})
_TASKS = {
    "binary_classification": measure_binary,
    "multiclass_classification": measure_classes,
    "regression": measure_numbers,
}


def check_file(
    file: DataFile,
    columns: FileColumns,
    rules: RuleSet,
    *,
    seed: int = 0,
    curves: bool = False,
    progress: Progress = lambda rows: None,
) -> FileVerdict:
    """Measure the file and judge it, with ``curves`` for a report. ``progress`` is called with the rows read so far.

    Raises DataError and ModelError naming file, column and row of a bad value, and DataError for no rows.
    """
    terms = Terms(rules.confidence, rules.minimum_support, seed, curves)
    return judge_file(file.path.name, columns, _TASKS[columns.task](file, columns, terms, progress), rules)


def judge_file(name: str, columns: FileColumns, found: FileMeasurements, rules: RuleSet) -> FileVerdict:
    """The verdict of ``rules`` on what was measured, whoever measured it."""
    others = {rule.id: why for rule in rules.rules if (why := _beyond_a_file(rule))}
    judged = rules.model_copy(update={"rules": tuple(rule for rule in rules.rules if rule.id not in others)})
    judgement = judge_rules(judged, [*found.overall, *found.judged], given=columns.given)
    verdict, reasons = verdict_of(judged, judgement)
    return FileVerdict(
        file=name,
        rows=found.rows,
        task=columns.task,
        confidence=rules.confidence,
        verdict=verdict,
        reasons=reasons,
        results=judgement.results,
        not_applicable=judgement.not_applicable | others,
        overall=found.overall,
        fairness=found.shown,
        groups=found.groups,
        curves=found.curves,
    )


def _beyond_a_file(rule: Rule) -> str:
    """Why no file of predictions can say anything about the rule; "" where one can."""
    if rule.stage not in STAGES:
        return f"it is about `{rule.stage}`"
    if rule.stage == "evaluate" and rule.metric in HOLDOUT_METRICS:
        return "it is about the releases that used the evaluation data"
    return ""
