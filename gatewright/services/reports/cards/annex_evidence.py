"""What a release proves of what Annex IV asks, each as Markdown; nothing where it was not measured."""

from collections.abc import Iterator

from gatewright.core.limits import Limits
from gatewright.core.policy import Rule
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.services.reports import measured, signoff, verdicts
from gatewright.services.reports.cards.columns import columns
from gatewright.services.reports.cards.data_card import file_table
from gatewright.services.reports.cards.model_card import group_metrics, metric_table
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import NOTHING, OUTCOME_WORDS, label, limit, number, span, when

__all__ = [
    "accuracy", "accuracy_by_group", "approvals", "attacks", "changes", "data", "design", "development", "file_safety",
    "inputs", "metric_reasons", "monitoring", "risk_controls", "software", "stages", "tests", "validation", "version",
]  # fmt: skip

ATTACKS = ("adversarial_flip_rate", "worst_case_flip_rate")
# The stages whose numbers say how well a model does what it is for.
JUDGED = ("evaluate", "slices", "uncertainty", "robustness", "fairness")


def version(view: ReleaseView) -> str:
    if view.candidate is None:
        return ""
    before = view.opening.champion
    replaces = (
        "the first version: no model served when it was opened"
        if before is None
        else f"{code(before.release_id)}, model {code(before.model_sha256)}"
    )
    facts = {
        "System": md(view.spec.title),
        "Version": code(view.opening.release_id),
        "Model": code(view.candidate.artifact.sha256),
        "Replaces": replaces,
    }
    return table(("What", "Value"), facts.items())


def software(view: ReleaseView) -> str:
    if view.candidate is None:
        return ""
    versions = table(("Software", "Version"), ((md(n), md(v)) for n, v in sorted(view.candidate.versions.items())))
    rest = (
        f"The lock file of all dependencies has the digest {code(view.candidate.environment_sha256)}. Another "
        "version of any of them makes another candidate, which goes through the same gates."
    )
    return page(versions, rest).rstrip()


def development(view: ReleaseView) -> str:
    candidate = view.candidate
    if candidate is None:
        return ""
    facts = {
        "Training function": code(view.spec.training),
        "Code revision": code(candidate.code_revision),
        "Trained": f"{when(candidate.trained_at)} by {md(candidate.author)}, seed {candidate.seed}",
        "On": f"{candidate.training.rows:,} rows of {md(', '.join(candidate.training.periods))}, "
        f"digest {code(candidate.training.digest)}",
        "Tools of third parties": md(", ".join(sorted(candidate.versions))),
    }
    return table(("Step", "Value"), facts.items())


def design(view: ReleaseView) -> str:
    spec = view.spec
    positive = "" if spec.target.positive is None else f", positive: {md(spec.target.positive)}"
    facts = {
        "Task": md(label(spec.task)),
        "Output": f"{code(spec.target.column)}{positive}",
        "Decision threshold": number(spec.decision_threshold),
        "Inputs": ", ".join(code(name) for name in view.opening.features),
        "Never inputs": "; ".join(f"{code(name)}: {md(why)}" for name, why in spec.not_features.items()) or NOTHING,
        "Groups audited": ", ".join(f"{md(one.name)} ({code(one.column)})" for one in spec.sensitive),
    }
    return table(("Choice", "Value"), facts.items())


def stages(view: ReleaseView) -> str:
    """Which steps ran, in which order, each with the digest of what it left."""
    ran = sorted(view.stages.values(), key=lambda stage: (stage.started_at, stage.stage))
    rows = ((code(s.stage), when(s.started_at), code(s.digest)) for s in ran)
    return table(("Stage", "Started", "Evidence"), rows) if ran else ""


def data(view: ReleaseView) -> str:
    if view.data is None:
        return ""
    return page(md(view.spec.data.attribution), f"License: {md(view.spec.data.license)}", file_table(view)).rstrip()


def validation(view: ReleaseView) -> str:
    if view.data is None or "validate" not in view.stages:
        return ""
    return measured.data_summary(view).replace("## Data", "", 1).strip()


def tests(view: ReleaseView) -> str:
    if view.decision is None:
        return ""
    verdict = f"The policy says {OUTCOME_WORDS[view.decision.outcome]}. {verdicts.tally(view.decision.results)}"
    return page(verdict, verdicts.all_rules(view)).rstrip()


def accuracy(view: ReleaseView) -> str:
    return metric_table(view) if "evaluate" in view.stages and view.stages["evaluate"].measurements else ""


def accuracy_by_group(view: ReleaseView) -> str:
    return page(measured.gap_table(view), group_metrics(view)).strip()


def approvals(view: ReleaseView) -> str:
    return signoff.approvals(view)


def file_safety(view: ReleaseView) -> str:
    if view.candidate is None:
        return ""
    trusted = ", ".join(code(name) for name in view.spec.trusted_types) or "none"
    return bullets(
        (
            f"The model file ({md(view.candidate.artifact.media_type)}) is no pickle; besides plain estimators and "
            f"arrays it may hold only these types: {trusted}.",
            "What is deployed is what was tested: the bytes are held against their SHA-256 before they are loaded.",
            "Every event is in a hash-chained ledger, and who approved is bound to these digests.",
        )
    )


def attacks(view: ReleaseView) -> str:
    found = [m for stage, m in view.measurements() if stage == "robustness" and m.metric in ATTACKS]
    return _measurements(found)


def inputs(view: ReleaseView) -> str:
    rows = ((code(c.name), md("; ".join(c.roles)), md(c.type or NOTHING)) for c in columns(view))
    return table(("Column", "Role", "Type"), rows)


def metric_reasons(view: ReleaseView) -> str:
    return _rules(rule for rule in view.policy.rules if rule.stage in JUDGED)


def risk_controls(view: ReleaseView) -> str:
    decided = view.decision
    facts = {
        "Policy": f"version {view.policy.version}, owned by {md(view.policy.owner)}",
        "Tier": NOTHING if decided is None or decided.tier is None else md(decided.tier),
        "Because": NOTHING if decided is None else md("; ".join(decided.tier_because)) or NOTHING,
        "Rules waived": NOTHING if decided is None else md("; ".join(w.in_full for w in decided.waivers)) or "none",
    }
    return table(("Control", "Value"), facts.items())


def changes(view: ReleaseView) -> str:
    earlier = ((md(e.release_id), md(e.period), e.state.value) for e in view.earlier)
    events = ((when(e.at), e.kind, md(e.actor), md(e.note)) for e in view.events)
    return page(
        table(("Earlier release", "Period", "State"), earlier) if view.earlier else "",
        table(("At", "Event", "Who", "Note"), events) if view.events else "",
    ).strip()


def monitoring(view: ReleaseView) -> str:
    plan = view.policy.monitoring
    least = f"Below {plan.minimum_rows:,} predictions, or {plan.minimum_labels:,} labels, nothing is decided."
    rows = (
        (
            code(r.id),
            md(label(r.metric)),
            md(r.slices),
            md(limit(Limits(r.minimum, r.maximum))),
            r.response,
            md(r.reason),
        )
        for r in plan.rules
    )
    return page(least, table(("Rule", "Metric", "Slices", "Limit", "Response", "Why"), rows)).rstrip()


def _rules(rules: Iterator[Rule]) -> str:
    rows = [
        (code(r.id), md(label(r.measured_as)), md(r.slices), _allowed(r), r.severity.value, md(r.reason)) for r in rules
    ]
    return table(("Rule", "Metric", "Slices", "Limit", "Severity", "Why it is right"), rows) if rows else ""


def _allowed(rule: Rule) -> str:
    limits = Limits(*rule.allowed, strict=rule.test != "limit")
    return md(limits if limits.strict else limit(limits))


def _measurements(found: list[Measurement]) -> str:
    rows = ((md(label(m.metric)), md(m.slice), number(m.value), span(m.interval), f"{m.n:,}") for m in found)
    return table(("Metric", "Slice", "Value", "Interval", "Rows"), rows, numbers=(2, 4)) if found else ""
