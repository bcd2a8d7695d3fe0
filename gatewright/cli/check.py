"""``gatewright check``: may a model with these predictions be released? Files alone, no store, no server."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.errors import SpecError
from gatewright.core.file_verdict import CHANGE, FileVerdict
from gatewright.core.policy import default_rules
from gatewright.core.spec import Task
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import STATUS_WORDS, VERDICT_WORDS, label, limit, number, signed, span
from gatewright.services.text_files import read_rules

if TYPE_CHECKING:
    from gatewright.services.batches import DataFile

__all__ = ["check"]

PASS, BLOCKED = 0, 2
TASKS: dict[str, Task] = {
    "binary": "binary_classification",
    "multiclass": "multiclass_classification",
    "regression": "regression",
}
# The rest is in the report and in the JSON.
SHOWN = frozenset(
    {
        "auc", "average_precision", "log_loss", "brier", "expected_calibration_error", "accuracy", "precision",
        "recall", "f1", "balanced_accuracy", "macro_f1", "rmse", "mae", "r2", "bias",
    }
)  # fmt: skip
GAPS = frozenset(
    {
        "demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference",
        "mean_prediction_difference", "mae_difference",
    }
)  # fmt: skip


def check(
    file: Path,
    /,
    *,
    label: str,
    prediction: str | None = None,
    score: str | None = None,
    champion_score: str | None = None,
    champion_prediction: str | None = None,
    sensitive: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = (),
    cluster: str | None = None,
    positive: str | None = None,
    threshold: float = 0.5,
    task: Literal["binary", "multiclass", "regression"] = "binary",
    policy: Path | None = None,
    report: Path | None = None,
    as_json: Json = False,
) -> int:
    """Check a file of labels and predictions of any model. Exit code 0 pass, 2 blocked, 1 error.

    Example: gatewright check scored.parquet --label died --score risk --champion-score old_risk --sensitive sex

    Parameters
    ----------
    file
        Parquet, or .csv with a header.
    label
        Column of what happened: 0 and 1, or any values with --positive.
    prediction
        Column of the candidate's decisions, valued as the label.
    score
        Column of the candidate's probability of the positive class.
    champion_score
        Column of the serving model's probability, on the same rows.
    champion_prediction
        Column of the serving model's decisions.
    sensitive
        Columns whose groups are audited; several after one flag, or one after each.
    cluster
        Column of what dependent rows share, such as the customer: intervals respect it.
    positive
        The value of the label that counts as positive.
    threshold
        A score from here on is a decision for the positive class, where no --prediction is given.
    task
        What is predicted: one of two classes, one of several, or a number.
    policy
        Rules as YAML; without it the built-in ones.
    report
        Write an HTML report, one file that needs nothing else.
    """
    from gatewright.services.batches import DataFile
    from gatewright.services.file_check import check_file
    from gatewright.services.file_columns import FileColumns

    columns = FileColumns(
        label=label,
        prediction=prediction,
        score=score,
        champion_score=champion_score,
        champion_prediction=champion_prediction,
        sensitive=sensitive,
        cluster=cluster,
        positive=positive,
        threshold=threshold,
        task=TASKS[task],
    )
    rules, data = default_rules() if policy is None else read_rules(policy), DataFile(file)
    with _progress(data) as progress:
        verdict = check_file(data, columns, rules, curves=report is not None, progress=progress)
    if report is not None:
        _write(report, verdict)
    if as_json:
        print_json(verdict.as_json())
    else:
        _print(verdict)
    return PASS if verdict.verdict == "pass" else BLOCKED


@contextlib.contextmanager
def _progress(file: "DataFile") -> Iterator[Callable[[int], None]]:
    """A bar on standard error while a person watches; nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"reading {plain(file.path.name)}", total=file.rows)
        yield lambda rows: bar.update(task, completed=rows)


def _write(report: Path, verdict: FileVerdict) -> None:
    from gatewright.services.reports.check_report import check_report

    try:
        report.write_text(check_report(verdict), encoding="utf-8")
    except OSError as error:
        raise SpecError(
            f"the report cannot be written: {error.strerror}.", where=str(report), remedy="name a path you may write."
        ) from None


def _print(verdict: FileVerdict) -> None:
    print(f"{VERDICT_WORDS[verdict.verdict]}  {plain(verdict.file)}, {verdict.rows:,} rows")
    for reason in verdict.reasons:
        print(f"  {plain(reason)}")
    print()
    rules = [
        {
            "rule": result.rule,
            "result": STATUS_WORDS[result.status],
            "measured": label(result.metric) + ("" if result.slice == "all" else f", {result.slice}"),
            "value": number(result.value),
            "interval": span(result.interval),
            "limit": limit(result),
        }
        for result in verdict.results
    ]
    print_table(rows=rules, empty="No rule applies.")
    print()
    print_table(_metrics(verdict), empty="Nothing was measured.")
    gaps = [m for m in verdict.fairness if m.metric in GAPS]
    if gaps:
        print()
        print_table(
            [
                {"between": m.slice, "gap": label(m.metric), "value": number(m.value), "interval": span(m.interval)}
                for m in gaps
            ],
            empty="",
        )


def _metrics(verdict: FileVerdict) -> list[dict[str, str]]:
    changes = {m.metric.removesuffix(CHANGE): m for m in verdict.changes() if m.slice == "all"}
    rows = []
    for m in verdict.levels():
        if m.slice != "all" or m.metric not in SHOWN:
            continue
        row = {"metric": label(m.metric), "value": number(m.value), "interval": span(m.interval)}
        if changes:
            # A champion without scores has no AUC to compare with, and still a row of the same table.
            change = changes.get(m.metric)
            row |= {
                "change": signed(change.value if change else None),
                "change interval": span(change.interval if change else None),
            }
        rows.append(row)
    return rows
