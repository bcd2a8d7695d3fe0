"""What small faults in the inputs cost, how fast the model answers, and whether it knows what it does not know."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from pydantic import JsonValue

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.services.reports.blocks import Block, Figure, Folded, Section, Table, capitalized, charts
from gatewright.services.reports.curve_charts import draw_models
from gatewright.services.reports.release_report.bars import Bars, Mark, bar_chart, shares
from gatewright.services.reports.release_report.measures import (
    detail,
    dicts,
    figure,
    interval_words,
    measured,
    measured_table,
    thinned,
    unmeasured,
)
from gatewright.services.reports.release_report.panels import Panel, Step, panels
from gatewright.services.reports.svg import CANDIDATE
from gatewright.services.reports.whiskers import WIDE, Whisker, whisker_chart
from gatewright.services.reports.wording import label, number

__all__ = ["leakage", "resources", "robustness", "uncertainty"]

COSTS = ("auc_drop", "recall_drop", "log_loss_rise", "decision_flip_rate")
RESOURCES = ("latency_", "load_seconds", "batch_rows_per_second", "model_bytes", "peak_memory_bytes")
MAXIMUM_PANELS = 24
MAXIMUM_LINES = 40
Curve = dict[str, JsonValue]


def robustness(view: ReleaseView) -> Section:
    """Curves of what each perturbation costs by its amount, then every other question put to the model."""
    curves = dicts(detail(view, "robustness", "degradation"))
    blocks: list[Block] = list(_degradation(view, curves))
    if not blocks:
        why = "" if view.spec.perturbations else "the spec names no perturbations"
        blocks.append(unmeasured(view, "robustness", "Perturbation curves", why))
    others = measured(view, "robustness", lambda metric: not metric.startswith(RESOURCES))
    if others:
        blocks.append(Folded(measured_table("At the whole amount, and every other question put to the model", others)))
    return Section("robustness", "Robustness", blocks)


def _degradation(view: ReleaseView, curves: Sequence[Curve]) -> Iterator[Block]:
    judged = {rule.metric for rule in view.policy.rules if rule.stage == "robustness"}
    for cost in [name for name in COSTS if name in judged] or COSTS[:1]:
        drawn = [panel for curve in curves if (panel := _panel(view, curve, cost)) is not None][:MAXIMUM_PANELS]
        if drawn:
            title = f"{capitalized(label(cost))} by amount of the perturbation"
            says = "From no perturbation to its whole amount, with confidence intervals; dashed is the policy's limit."
            yield Figure(title, says, charts(panels(capitalized(label(cost)), drawn)), _table(title, curves, cost))


def _panel(view: ReleaseView, curve: Curve, cost: str) -> Panel | None:
    name = str(curve.get("perturbation"))
    steps = [
        Step(_amount(point), value, figure(point, f"{cost}_low"), figure(point, f"{cost}_high"))
        for point in dicts(curve.get("points"))
        if (value := figure(point, cost)) is not None
    ]
    rules = [r for r in view.policy.rules if r.stage == "robustness" and r.metric == cost and r.speaks_of(name)]
    limit = min((r.maximum for r in rules if r.maximum is not None), default=None)
    return Panel(name, [Step("none", 0.0, 0.0, 0.0), *steps], limit) if steps else None


def _amount(point: Curve) -> str:
    share = figure(point, "fraction")
    return "" if share is None else f"{100 * share:g} %"


def _table(caption: str, curves: Sequence[Curve], cost: str) -> Table:
    rows = [
        (str(curve.get("perturbation")), _amount(point), number(figure(point, cost)), interval_words(point, cost))
        for curve in curves
        for point in dicts(curve.get("points"))
    ]
    return Table(caption, ("Perturbation", "Amount", capitalized(label(cost)), "Interval"), rows, frozenset({1, 2, 3}))


def resources(view: ReleaseView) -> Section:
    """Latency of single rows as a histogram with its quantiles; time to load, throughput, size and memory."""
    blocks: list[Block] = [_latency(view)]
    costs = measured(view, "robustness", lambda metric: metric.startswith(RESOURCES))
    if costs:
        blocks.append(measured_table("Latency, throughput, size and memory", costs))
    return Section("resources", "Latency and resources", blocks)


def _latency(view: ReleaseView) -> Block:
    drawn = {model: detail(view, "robustness", "latency", model) for model in ("candidate", "champion")}
    counted = {model: of for model, of in drawn.items() if isinstance(of, dict) and of.get("counts")}
    if "candidate" not in counted:
        return unmeasured(view, "robustness", "Latency of single rows")
    edges = _joined(counted)
    bars = [Bars(m, shares(_spread(of, edges)), solid=m == "candidate") for m, of in counted.items()]
    title = "Latency of single rows"
    svg = bar_chart(title, edges, bars, ("milliseconds", "percent of calls"), marks=_quantiles(view))
    says = "Bars have the same width on a logarithmic scale; both models took turns on the same machine."
    return Figure(title, says, charts([svg]), _calls(counted))


def _quantiles(view: ReleaseView) -> list[Mark]:
    found = ((q, view.find("robustness", f"latency_{q}_ms")) for q in ("p50", "p99"))
    return [Mark(m.value, f"{q} {number(m.value)} ms") for q, m in found if m is not None and m.value is not None]


def _joined(counted: dict[str, Any]) -> list[float]:
    """The edges of all histograms: they are from one grid."""
    return sorted({float(edge) for of in counted.values() for edge in of["edges"]})


def _spread(of: dict[str, Any], edges: Sequence[float]) -> list[float]:
    counts = dict(zip(of["edges"], of["counts"], strict=False))
    return [float(counts.get(edge, 0)) for edge in edges[:-1]]


def _calls(counted: dict[str, Any]) -> Table:
    rows = [
        (model, f"{low:.3g} to {high:.3g}", f"{n:,}")
        for model, of in counted.items()
        for (low, high), n in zip(pairwise(of["edges"]), of["counts"], strict=False)
    ]
    return Table("Calls by latency", ("Model", "Milliseconds", "Calls"), rows, frozenset({2}))


def uncertainty(view: ReleaseView) -> Section:
    """Conformal coverage, and the error that is left where the model may abstain."""
    measures = measured(view, "uncertainty")
    if not measures:
        return Section("uncertainty", "Uncertainty", [unmeasured(view, "uncertainty", "Uncertainty")])
    return Section(
        "uncertainty", "Uncertainty", [*_risk(view), Folded(measured_table("Coverage and abstention", measures))]
    )


def _risk(view: ReleaseView) -> Iterator[Block]:
    points = dicts(detail(view, "uncertainty", "risk_coverage"))
    places = [
        (c, r) for p in points if (c := figure(p, "coverage")) is not None and (r := figure(p, "risk")) is not None
    ]
    if not places or max(risk for _, risk in places) > 1:
        return
    svg = draw_models("Risk by coverage", "Risk and coverage", {"candidate": places}, ("share answered", "error rate"))
    rows = [(number(c), number(r)) for c, r in thinned(places)]
    table = Table(
        "Points of risk and coverage", ("Share of rows answered", "Error rate among them"), rows, frozenset({0, 1})
    )
    says = "The error among the rows that the model is surest of: it should rise from left to right."
    yield Figure("Risk and coverage", says, charts([svg]), table, small=True)


def leakage(view: ReleaseView) -> Section:
    """Inputs that know the answer, identify the row or come from its future."""
    measures = measured(view, "leakage")
    return Section("leakage", "Leakage", list(_signs(view, measures)) or [unmeasured(view, "leakage", "Leakage")])


def _signs(view: ReleaseView, measures: Sequence[Measurement]) -> Iterator[Block]:
    if not measures:
        return
    alone = [w for m in measures if m.metric == "single_feature_auc" and (w := _alone(view, m)) is not None]
    table = measured_table("Every sign of leakage", measures)
    if not alone:
        yield table
        return
    title = "Area under the curve of each feature alone"
    svg = whisker_chart(title, alone[:MAXIMUM_LINES], WIDE.scale(0, 1))
    yield Figure(title, "A feature that tells the answer alone is near 1.", charts([svg]), table)


def _alone(view: ReleaseView, m: Measurement) -> Whisker | None:
    if m.value is None or m.interval is None:
        return None
    rules = [r for r in view.policy.rules if r.stage == "leakage" and r.metric == m.metric and r.speaks_of(m.slice)]
    limit = min((r.maximum for r in rules if r.maximum is not None), default=None)
    return Whisker(m.slice, m.interval.low, m.value, m.interval.high, number(m.value), CANDIDATE, limit)
