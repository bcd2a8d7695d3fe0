"""What was measured, in Markdown: against the champion, by group, drift and data."""

from collections.abc import Sequence

from gatewright.core.directions import direction_of
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Measurement
from gatewright.services.reports import charts
from gatewright.services.reports.blocks import capitalized
from gatewright.services.reports.details import GroupRow, group_means, groups
from gatewright.services.reports.escape import md
from gatewright.services.reports.tables import folded, image, page, table
from gatewright.services.reports.validated import data_summary
from gatewright.services.reports.wording import (
    NOTHING,
    STATUS_WORDS,
    label,
    limit,
    number,
    short,
    signed,
    span,
)

__all__ = [
    "calibration",
    "comparison",
    "comparison_in_numbers",
    "comparison_table",
    "data_summary",
    "drift",
    "fairness",
    "gap_table",
    "group_table",
    "mean_table",
]

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")
MAX_GROUPS = 40
MAX_MEASUREMENTS = 30


def comparison(view: ReleaseView) -> str:
    """Key metrics of candidate and champion on the same rows, as a chart."""
    return image(charts.comparison_chart(view), missing="The metrics were not measured.")


def comparison_in_numbers(view: ReleaseView) -> str:
    """The same as a table, folded; empty when nothing was measured."""
    numbers = comparison_table(view)
    return folded("The metrics in numbers", page(_rows_sentence(view), numbers).rstrip()) if numbers else ""


def calibration(view: ReleaseView) -> str:
    """The curve of a model of probabilities; empty for other tasks."""
    if view.spec.task != "binary_classification":
        return ""
    chart = image(charts.calibration_chart(view), missing="Calibration was not measured.")
    return page("## Calibration", chart).rstrip()


def comparison_table(view: ReleaseView) -> str:
    """Metric, candidate, champion, change; empty when nothing was measured."""
    rows = [_comparison_row(view, metric) for metric in charts.key_metrics(view) if view.find("evaluate", metric)]
    if not rows:
        return ""
    percent = f"{100 * view.policy.confidence:g} %"
    header = ("Metric", "Better", "Champion", "Candidate", f"{percent} interval", "Change", f"{percent} interval")
    return table(header, rows, numbers=(2, 3, 5))


def fairness(view: ReleaseView) -> str:
    """The gaps the policy judges, then every group with its support and rates."""
    gaps = gap_table(view) or "*No rule judges fairness.*"
    if view.spec.task != "binary_classification":
        return page("## Fairness by group", gaps, mean_table(view) or "*Groups were not measured.*").rstrip()
    chart = image(charts.fairness_chart(view), missing="Rates by group were not measured.")
    return page("## Fairness by group", chart, gaps, _groups_in_numbers(view)).rstrip()


def _groups_in_numbers(view: ReleaseView) -> str:
    rows = groups(view)
    if not rows:
        return ""
    rest = len(rows) - MAX_GROUPS
    support = f"*A rate over fewer than {view.policy.minimum_support:,} rows is too small to judge.*"
    more = f"*and {rest} more groups in the store*" if rest > 0 else ""
    return folded("All rates by group", page(group_table(rows), support, more).rstrip())


def gap_table(view: ReleaseView) -> str:
    """Results of the fairness rules; empty without any."""
    results = [r for r in view.decision.results if r.stage == "fairness"] if view.decision else []
    if not results:
        return ""
    return table(
        ("Gap", "Between groups of", "Value", "Interval", "Limit", "Result"),
        (_gap_row(r) for r in results),
        numbers=(2,),
    )


def drift(view: ReleaseView, count: int = 5) -> str:
    """The features that moved most between the training and the evaluation data."""
    chart = image(charts.drift_chart(view, count), missing="Drift was not measured.")
    return page(f"## Drift: the {count} features that moved most", chart).rstrip()


def listing(measurements: Sequence[Measurement]) -> str:
    """The first thirty measurements; the rest is counted."""
    if not measurements:
        return "*Nothing was measured.*"
    shown = measurements[:MAX_MEASUREMENTS]
    rows = (
        (md(label(m.metric)), md(m.slice), number(m.value), span(m.interval), f"{m.n:,}", md(m.note)) for m in shown
    )
    rest = len(measurements) - len(shown)
    rows_shown = table(("Metric", "Slice", "Value", "Interval", "Rows", "Note"), rows, numbers=(2, 4))
    return page(rows_shown, f"*and {rest} more in the store.*" if rest else "").rstrip()


def _group_rows(rows: list[GroupRow]) -> list[tuple[str, ...]]:
    """Cells of the group table: slice, group, rows, positives, then each rate with its interval."""
    return [
        (
            md(row.slice),
            md(row.group),
            f"{row.n:,}",
            f"{row.positives:,}",
            *(_rate(row, name) for name in RATES),
        )
        for row in rows[:MAX_GROUPS]
    ]


def group_table(rows: list[GroupRow]) -> str:
    if not rows:
        return ""
    header = ("Feature", "Group", "Rows", "Positives", *(capitalized(label(name)) for name in RATES))
    return table(header, _group_rows(rows), numbers=(2, 3))


def mean_table(view: ReleaseView) -> str:
    """What each group got from a model of numbers or of several classes; empty where nothing was measured."""
    rows = group_means(view)
    if not rows:
        return ""
    figures = [name for name in rows[0] if not name.endswith(("_low", "_high"))]
    names = ["n", *(name for name in figures if name not in ("slice", "group", "supported", "n"))]
    header = ("Feature", "Group", "Rows", *(capitalized(label(name)) for name in names[1:]), "")
    cells = (
        (
            md(row.get("slice")),
            md(row.get("group")),
            *(number(float(str(row[name]))) if row.get(name) is not None else NOTHING for name in names),
            "" if row.get("supported") else "too few",
        )
        for row in rows[:MAX_GROUPS]
    )
    return table(header, cells, numbers=tuple(range(2, 2 + len(names))))


def _rate(row: GroupRow, name: str) -> str:
    rate = row.rates.get(name)
    if rate is None:
        return NOTHING
    small = "" if rate.supported else " (too few)"
    return f"{number(rate.value)} [{number(rate.low)}, {number(rate.high)}]{small}"


def _gap_row(result: CheckResult) -> tuple[str, ...]:
    return (
        md(label(result.metric)),
        md(result.slice),
        number(result.value),
        span(result.interval),
        limit(result),
        STATUS_WORDS[result.status],
    )


def _comparison_row(view: ReleaseView, metric: str) -> tuple[str, ...]:
    candidate, change = view.find("evaluate", metric), view.find("evaluate", f"{metric}_change")
    return (
        md(label(metric)),
        direction_of(metric) or "neither",
        number(_champion(candidate, change)),
        number(candidate.value if candidate else None),
        span(candidate.interval if candidate else None),
        signed(change.value if change else None),
        span(change.interval if change else None),
    )


def _champion(candidate: Measurement | None, change: Measurement | None) -> float | None:
    """Both models are measured on the same rows, so the champion is candidate minus change."""
    if candidate is None or change is None or candidate.value is None or change.value is None:
        return None
    return candidate.value - change.value


def _rows_sentence(view: ReleaseView) -> str:
    measured = view.find("evaluate", charts.key_metrics(view)[0])
    if measured is None:
        return ""
    against = f"champion {short(view.opening.champion.model_sha256)}" if view.opening.champion else "no champion"
    return f"On {measured.n:,} rows of {md(view.opening.period)}; {against}."
