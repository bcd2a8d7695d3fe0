"""Figures of binary decisions, of numbers and of several classes, from the points that the evaluate stage left."""

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.blocks import Block, Figure, Missing, Section, Table, charts
from gatewright.services.reports.curve_charts import (
    calibration_drawing,
    precision_recall,
    precision_recall_drawing,
    roc_drawing,
)
from gatewright.services.reports.details import calibration_bins
from gatewright.services.reports.release_report.bars import Bars, Mark, bar_chart, shares
from gatewright.services.reports.release_report.measures import detail, dicts, figure, thinned, unmeasured
from gatewright.services.reports.release_report.number_charts import prediction_drawing
from gatewright.services.reports.wording import NOTHING, number

__all__ = ["answers"]

MODELS = ("candidate", "champion")
Curves = dict[str, Any]


def answers(view: ReleaseView) -> Section:
    """What the model answers, and how that compares with what came true."""
    curves = detail(view, "evaluate", "curves")
    if not isinstance(curves, dict):
        missing = unmeasured(view, "evaluate", "Curves of the answers")
        return Section("answers", "What the model answers", [missing])
    drawn = {"binary_classification": _binary, "regression": _numbers, "multiclass_classification": _classes}
    blocks = list(drawn[view.spec.task](curves))
    return Section("answers", "What the model answers", blocks)


def _binary(curves: Curves) -> Iterator[Block]:
    roc, pr = roc_drawing(curves), precision_recall_drawing(curves)
    if roc is None or pr is None:
        yield Missing("ROC, precision and recall: the evaluation data hold a single class.")
    else:
        yield Figure("ROC", _areas(curves), charts([roc]), _roc_table(curves), small=True)
        says = "What share of the alarms is right, by the share of the positives that is found."
        yield Figure("Precision and recall", says, charts([pr]), _precision_table(curves), small=True)
    yield from _calibration(
        curves, "The band is the candidate's confidence interval; on the dotted line the scores tell the truth."
    )
    yield from _histograms(curves)
    yield from _confusion_counts(curves)


def _areas(curves: Curves) -> str:
    areas = {model: (curves.get(model) or {}).get("auc") for model in MODELS}
    words = [f"{model} {number(area)}" for model, area in areas.items() if area is not None]
    return f"Area under the curve: {', '.join(words)}. A model that guesses follows the dotted line."


def _roc_table(curves: Curves) -> Table:
    rows = [
        (model, "all" if threshold is None else f"{threshold:.4g}", number(fpr), number(tpr))
        for model in MODELS
        for fpr, tpr, threshold in thinned((curves.get(model) or {}).get("roc") or [])
    ]
    header = ("Model", "Threshold", "False positive rate", "True positive rate")
    return Table("Points of the ROC", header, rows, frozenset({1, 2, 3}))


def _precision_table(curves: Curves) -> Table:
    rows = [
        (model, f"{threshold:.4g}", number(recall), number(precision))
        for model in MODELS
        for recall, precision, threshold in thinned(precision_recall(curves, model))
    ]
    return Table(
        "Points of precision and recall", ("Model", "Threshold", "Recall", "Precision"), rows, frozenset({1, 2, 3})
    )


def _calibration(curves: Curves, says: str) -> Iterator[Block]:
    drawn = calibration_drawing(curves)
    if drawn is None:
        yield Missing("Calibration: there were no rows.")
        return
    rows = [
        (
            model,
            number(b.mean_score),
            number(b.observed.value),
            f"[{number(b.observed.low)}, {number(b.observed.high)}]",
            f"{b.n:,}",
        )
        for model in MODELS
        for b in calibration_bins(curves, model)
    ]
    header = ("Model", "Mean score", "Observed share", "Interval", "Rows")
    table = Table("Bins of the calibration", header, rows, frozenset({1, 2, 3, 4}))
    yield Figure("Calibration", says, charts([drawn]), table, small=True)


def _histograms(curves: Curves) -> Iterator[Block]:
    drawings, rows = [], []
    threshold = figure(curves, "threshold")
    marks = [] if threshold is None else [Mark(threshold, f"threshold {threshold:g}")]
    for model in MODELS:
        counts = (curves.get(model) or {}).get("histogram") or {}
        edges, negatives, positives = (counts.get(key) or [] for key in ("edges", "negatives", "positives"))
        if len(edges) < 2:
            continue
        bars = [Bars("of the negatives", shares(negatives)), Bars("of the positives", shares(positives), solid=False)]
        drawings.append(bar_chart(f"Scores of the {model}", edges, bars, ("score", "percent"), marks=marks))
        ranges = zip(edges, edges[1:], negatives, positives, strict=False)
        rows += [(model, f"{low:g} to {high:g}", f"{n:,.0f}", f"{p:,.0f}") for low, high, n, p in ranges]
    if drawings:
        says = "Scores of rows that came out negative and positive; bars have the same width, their edges are uneven."
        table = Table("Rows by score", ("Model", "Score", "Negatives", "Positives"), rows, frozenset({2, 3}))
        yield Figure("Score distributions", says, charts(drawings), table)


def _confusion_counts(curves: Curves) -> Iterator[Block]:
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    counted = [(model, (curves.get(model) or {}).get("confusion")) for model in MODELS]
    rows = [
        (model, *(f"{counts.get(name, 0):,}" for name in names))
        for model, counts in counted
        if isinstance(counts, dict)
    ]
    if rows:
        header = ("Model", *(name.replace("_", " ").capitalize() for name in names))
        at = figure(curves, "threshold")
        yield Table(f"Decisions at the threshold {number(at)}", header, rows, frozenset(range(1, 5)))


def _numbers(curves: Curves) -> Iterator[Block]:
    drawn = prediction_drawing(curves)
    if drawn is None:
        yield Missing("Predictions against targets: there were no rows.")
        return
    says = "Means of equally many rows, with the candidate's interval; on the dotted line predictions come true."
    yield Figure("Predictions against targets", says, charts([drawn]), _prediction_table(curves), small=True)
    errors = [(model, (curves.get(model) or {}).get("errors") or {}) for model in MODELS]
    bars = [Bars(model, shares(of["counts"]), solid=model == "candidate") for model, of in errors if of]
    edges = errors[0][1].get("edges") or []
    table = _error_table([(model, of) for model, of in errors if of])
    drawing = bar_chart("Errors", edges, bars, ("prediction minus target", "percent of rows"), marks=_zero(edges))
    yield Figure("Errors", "Those beyond the edges are in the outermost bars.", charts([drawing]), table)


def _zero(edges: list[float]) -> list[Mark]:
    return [Mark(0, "no error")] if edges and edges[0] < 0 < edges[-1] else []


def _prediction_table(curves: Curves) -> Table:
    rows = [
        (
            model,
            *(number(figure(point, key)) for key in ("mean_prediction", "mean_target", "low", "high")),
            f"{point['n']:,}",
        )
        for model in MODELS
        for point in dicts((curves.get(model) or {}).get("by_prediction"))
    ]
    header = ("Model", "Mean prediction", "Mean target", "Low", "High", "Rows")
    return Table("Bins of the predictions", header, rows, frozenset(range(1, 6)))


def _error_table(errors: list[tuple[str, Curves]]) -> Table:
    rows = [
        (model, f"{low:.4g} to {high:.4g}", f"{n:,}")
        for model, of in errors
        for low, high, n in zip(of["edges"], of["edges"][1:], of["counts"], strict=False)
    ]
    return Table("Rows by error", ("Model", "Error", "Rows"), rows, frozenset({2}))


def _classes(curves: Curves) -> Iterator[Block]:
    says = "How often the most probable class was right, by its mean probability; the band is the candidate's interval."
    yield from _calibration(curves, says)
    names = [str(name) for name in curves.get("classes") or []]
    for model in MODELS:
        counts = (curves.get(model) or {}).get("confusion")
        if counts:
            yield _confusion(model, names, counts)


def _confusion(model: str, names: list[str], counts: list[list[int]]) -> Table:
    rows = [
        (name, *(_cell(n, right=i == j) for j, n in enumerate(row)))
        for i, (name, row) in enumerate(zip(names, counts, strict=False))
    ]
    caption = f"Confusion of the {model}: rows are true classes, columns the most probable ones; right answers are bold"
    return Table(caption, ("True class", *names), rows, frozenset(range(1, len(names) + 1)))


def _cell(count: int, *, right: bool) -> str | Markup:
    return Markup("<strong>{}</strong>").format(f"{count:,}") if right else f"{count:,}" if count else NOTHING
