"""``gatewright check``: may a model with these predictions be released? Files alone, no store, no server."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from gatewright.cli.output import Json, Page, print_json, print_table, styled
from gatewright.cli.progress import progress
from gatewright.cli.terminal_charts import limit_whisker
from gatewright.cli.text_plots import whisker
from gatewright.core.file_verdict import CHANGE, FileVerdict
from gatewright.core.number_diff import shown
from gatewright.core.policy import default_rules
from gatewright.core.results import CheckResult, Measurement, Severity, Status
from gatewright.core.spec import Task
from gatewright.services.reports.wording import (
    SEVERITY_WORDS,
    STATUS_WORDS,
    VERDICT_WORDS,
    label,
    limit,
    number,
    shortfall,
    signed,
    span,
)
from gatewright.services.text_files import read_rules, write_file

__all__ = ["check"]

PASS, BLOCKED = 0, 2
# Characters of a status and of a plot.
STATUS, PLOT = 12, 28
SEVERITIES = tuple(Severity)
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
    with progress(f"reading {file.name}", data.rows) as done:
        verdict = check_file(data, columns, rules, curves=report is not None, progress=done)
    if report is not None:
        from gatewright.services.reports.check_report import check_report

        write_file(report, check_report(verdict))
    if as_json:
        print_json(verdict.as_json())
    else:
        _print(verdict, report)
    return PASS if verdict.verdict == "pass" else BLOCKED


def _print(verdict: FileVerdict, report: Path | None) -> None:
    page = Page()
    rows = f"{verdict.rows:,} rows, {verdict.task.replace('_', ' ')}"
    word = VERDICT_WORDS[verdict.verdict]
    page.line(f"{verdict.file}, {rows}", label=word, label_width=len(word) + 1)
    for reason in verdict.reasons:
        page.line(reason, indent=2, label="-", label_width=1)
    page.heading("Rules")
    for result in sorted(verdict.results, key=_weight):
        _print_rule(page, result)
    if verdict.not_applicable:
        page.line(f"Rules that need what was not given: {len(verdict.not_applicable)}; --json names them.")
    if not verdict.results:
        page.line("No rule applies.")
    page.heading("Metrics")
    print_table(_metrics(verdict), empty="Nothing was measured.")
    _print_changes(page, verdict)
    gaps = [m for m in verdict.fairness if m.metric in GAPS]
    if gaps:
        page.heading("Gaps between groups")
        print_table([_gap(m) for m in gaps], empty="")
    page.line("")
    page.line(_next_step(verdict, report or "--report FILE"), label="Next", label_width=4)


def _next_step(verdict: FileVerdict, report: Path | str) -> str:
    """By what weighs most against it."""
    bad = sorted((result for result in verdict.results if result.status is not Status.PASSED), key=_weight)
    if not verdict.results:
        return "name rules that speak of these columns with --policy."
    if verdict.verdict == "pass" or not bad:
        return f"take the model through the gates of a release; {report} draws curves and groups first."
    worst = bad[0]
    if worst.status is Status.ERROR:
        return f"give the columns that {worst.rule} needs, or name a --policy without it."
    if worst.status is Status.INCONCLUSIVE:
        rows = f"about {worst.n_needed:,} rows would do" if worst.n_needed else "the value is within its limit"
        return f"bring more rows for {worst.rule}: {rows}."
    return f"find out why {worst.rule} fails: {report} draws curves, groups and changes; then correct the model."


def _weight(result: CheckResult) -> tuple[bool, int]:
    """What speaks most against a release first; rules of one weight stay in their order."""
    return result.status is Status.PASSED, SEVERITIES.index(result.severity)


def _print_rule(page: Page, result: CheckResult) -> None:
    """What passed in one line; of the others also what a whisker shows, and whether they stop a release."""
    measured = label(result.metric) + ("" if result.slice == "all" else f", {result.slice}")
    value = "not measured" if result.value is None else number(result.value)
    values = f"{value}{f' {span(result.interval)}' if result.interval else ''}, {limit(result)}"
    failed = result.status is not Status.PASSED
    words = f"{result.rule}: {measured} {values}" + (f"; {SEVERITY_WORDS[result.severity]}" if failed else "")
    page.line(words, label=STATUS_WORDS[result.status], label_width=STATUS)
    drawn = limit_whisker(result, width=PLOT, ascii_only=page.plain_plots) if failed else ""
    if drawn:
        missed = shortfall(result)
        page.drawn(Text(" " * (STATUS + 1)), Text(drawn, style="red"), Text(f"  {missed}"))


def _print_changes(page: Page, verdict: FileVerdict) -> None:
    """Candidate minus champion, each on a scale of its own around zero."""
    changes = [m for m in verdict.changes() if m.slice == "all" and m.metric.removesuffix(CHANGE) in SHOWN]
    if not changes:
        return
    page.heading("Candidate minus champion")
    names = [label(m.metric.removesuffix(CHANGE)) for m in changes]
    for name, m in zip(names, changes, strict=True):
        low, high = (m.interval.low, m.interval.high) if m.interval else (None, None)
        reach = max(abs(low or 0.0), abs(high or 0.0), abs(m.value or 0.0)) or 1.0
        drawn = whisker(low, m.value, high, scale=(-reach, reach), width=PLOT, marks=(0.0,), plain=page.plain_plots)
        word = shown(m.metric.removesuffix(CHANGE), m.value, m.interval)
        line = f"{name:<{max(map(len, names))}}  {signed(m.value):>8}  {drawn}  "
        page.drawn(Text(line), styled(word))


def _gap(m: Measurement) -> dict[str, str]:
    return {"between": m.slice, "gap": label(m.metric), "value": number(m.value), "interval": span(m.interval)}


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
