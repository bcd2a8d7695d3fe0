"""The ``modelCard`` of CycloneDX 1.6: parameters, what was measured, and what people must consider."""

from collections.abc import Iterator
from typing import Any

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Measurement
from gatewright.services.reports.cards.machine_json import known
from gatewright.services.reports.cards.said import said_to_machines
from gatewright.services.reports.details import GroupRow, groups
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import STATUS_WORDS, label, limit, number, span

__all__ = ["bom_model_card"]

# What a reader compares models by; the rest is in the evidence.
MEASURED = ("evaluate", "uncertainty", "robustness", "fairness")
CHANGE = "_change"


def bom_model_card(view: ReleaseView, data: list[str]) -> dict[str, Any]:
    """``data`` are the references of the data components."""
    return {
        "modelParameters": _parameters(view, data),
        "quantitativeAnalysis": {"performanceMetrics": [*_metrics(view), *_group_metrics(view)]},
        "considerations": _considerations(view),
        "properties": [{"name": "gatewright:confidence", "value": f"{view.policy.confidence:g}"}],
    }


def _parameters(view: ReleaseView, data: list[str]) -> dict[str, Any]:
    spec = view.spec
    kinds = {name: "category" if name in spec.categorical else "number" for name in view.opening.features}
    answers = {
        "binary_classification": f"probability that {spec.target.column} is {spec.target.positive}",
        "multiclass_classification": f"probability of each class of {spec.target.column}",
        "regression": f"{spec.target.column}, a number",
    }
    return {
        "approach": {"type": "supervised"},
        "task": spec.task,
        "datasets": [{"ref": ref} for ref in data],
        "inputs": [{"format": plain(f"{name}: {kind}")} for name, kind in kinds.items()],
        "outputs": [{"format": plain(answers[spec.task])}],
    }


def _metrics(view: ReleaseView) -> Iterator[dict[str, Any]]:
    for stage, m in view.measurements():
        if stage in MEASURED and m.value is not None and not m.metric.endswith(CHANGE):
            yield _metric(m)


def _metric(m: Measurement) -> dict[str, Any]:
    interval = None if m.interval is None else _interval(m.interval.low, m.interval.high)
    where = None if m.slice == "all" else plain(m.slice)
    return known({"type": plain(m.metric), "value": _written(m.value), "slice": where, "confidenceInterval": interval})


def _group_metrics(view: ReleaseView) -> Iterator[dict[str, Any]]:
    for row in groups(view):
        yield from _rates(row)


def _rates(row: GroupRow) -> Iterator[dict[str, Any]]:
    """Rates over too few rows to judge are left out: a machine would judge them."""
    for name, rate in row.rates.items():
        if rate.supported:
            yield {
                "type": name,
                "value": _written(rate.value),
                "slice": plain(f"{row.slice}={row.group}"),
                "confidenceInterval": _interval(rate.low, rate.high),
            }


def _interval(low: float, high: float) -> dict[str, str]:
    return {"lowerBound": _written(low), "upperBound": _written(high)}


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _considerations(view: ReleaseView) -> dict[str, Any]:
    card = view.spec.card
    misuse = [{"name": f"Foreseeable misuse: {text}"} for text in said_to_machines(card, "foreseeable_misuse")]
    oversight = said_to_machines(card, "human_oversight")
    mitigation = oversight[0] if oversight else None
    ethics = known({"name": plain(card.ethical_considerations), "mitigationStrategy": mitigation})
    return known(
        {
            "users": said_to_machines(card, "intended_users"),
            "useCases": [plain(card.intended_use), f"Out of scope: {plain(card.out_of_scope)}"],
            "technicalLimitations": [plain(card.limits)],
            "ethicalConsiderations": [ethics, *misuse],
            "fairnessAssessments": [_assessment(view, result) for result in _fairness(view)],
        }
    )


def _fairness(view: ReleaseView) -> list[CheckResult]:
    return [r for r in view.decision.results if r.stage == "fairness"] if view.decision else []


def _assessment(view: ReleaseView, result: CheckResult) -> dict[str, str]:
    reasons = {rule.id: rule.reason for rule in view.policy.rules}
    found = f"{number(result.value)} {span(result.interval)}, {limit(result)}: {STATUS_WORDS[result.status]}"
    return {
        "groupAtRisk": plain(f"groups of {result.slice}"),
        "harms": plain(f"{label(result.metric)} {found}"),
        "mitigationStrategy": plain(f"Judged at each release by {result.rule}. {reasons.get(result.rule, '')}"),
    }
