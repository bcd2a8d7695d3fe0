"""Model card and data card: what somebody who was not there must know, in Markdown with YAML front matter.

The headings of the model card follow Mitchell et al., Model Cards for Model Reporting (FAT* 2019); its front
matter is that of the Hugging Face Hub. Those of the data card follow Gebru et al., Datasheets for Datasets (2021).
"""

from collections.abc import Mapping
from typing import Any

import yaml

from gatewright.core.refs import DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports import charts, measured, signoff, verdicts
from gatewright.services.reports.details import groups
from gatewright.services.reports.escape import code, md, words
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import label, number, span, when

__all__ = ["card_body", "data_card", "model_card"]


def model_card(view: ReleaseView) -> str:
    """What the model is, what it is for, how well it works and for whom."""
    card, spec = view.spec.card, view.spec
    return page(
        _front_matter(_model_facts(view)),
        f"# Model card: {md(spec.title)}",
        _model_details(view),
        page("## Intended use", md(card.intended_use), "### Out of scope", md(card.out_of_scope)).rstrip(),
        page("## Limits", md(card.limits)).rstrip(),
        page("## Metrics", _metrics_sentence(view), _metrics(view)).rstrip(),
        page("## Metrics by group", measured.gap_table(view), _groups(view)).rstrip(),
        page("## Training data", _datasets(view)).rstrip(),
        page("## Ethical considerations", md(card.ethical_considerations)).rstrip(),
        page("## Caveats", _caveats(view)).rstrip(),
        page("## Digests", signoff.digests(view)).rstrip(),
    )


def data_card(view: ReleaseView) -> str:
    """Where the data come from, exactly which bytes they are, what is in them and what was found wrong."""
    source = view.spec.data
    return page(
        _front_matter(
            {
                "pretty_name": f"Data of {words(view.spec.title)}",
                "license_name": words(source.license),
                "task_categories": [_kind(view)],
                "tags": ["gatewright", view.spec.name],
            }
        ),
        f"# Data card: {md(view.spec.title)} · {md(view.opening.period)}",
        page("## Source", f"{md(source.attribution)}", f"License: {md(source.license)}").rstrip(),
        page("## Files", _files(view)).rstrip(),
        page("## Columns", _columns(view)).rstrip(),
        page("## Sensitive columns", _sensitive(view)).rstrip(),
        measured.data_summary(view).replace("## Data", "## Validation", 1),
        page("## Known limits", md(view.spec.card.limits)).rstrip(),
    )


def card_body(card: str) -> str:
    """The card without its front matter, for places that would show it as text."""
    return card.split("\n---\n\n", 1)[1] if card.startswith("---\n") else card


def _front_matter(facts: Mapping[str, Any]) -> str:
    return f"---\n{yaml.safe_dump(dict(facts), sort_keys=False, allow_unicode=True)}---"


def _model_facts(view: ReleaseView) -> dict[str, Any]:
    values = {metric: view.find("evaluate", metric) for metric in charts.key_metrics(view)}
    metrics = [
        {"type": metric, "value": m.value, "name": label(metric)}
        for metric, m in values.items()
        if m is not None and m.value is not None
    ]
    dataset = {"name": f"{view.spec.name} {words(view.opening.period)}", "type": view.spec.name}
    result = {"task": {"type": _kind(view)}, "dataset": dataset, "metrics": metrics}
    return {
        "library_name": "sklearn",
        "pipeline_tag": _kind(view),
        "tags": ["gatewright", view.spec.name],
        "model-index": [{"name": view.spec.name, "results": [result] if metrics else []}],
    }


def _kind(view: ReleaseView) -> str:
    """The Hub's name of the task."""
    return "tabular-regression" if view.spec.task == "regression" else "tabular-classification"


def _positive(view: ReleaseView, before: str) -> str:
    """The positive value, where the task has one."""
    positive = view.spec.target.positive
    return "" if positive is None else f"{before}{md(positive)}"


def _model_details(view: ReleaseView) -> str:
    decision = "not decided" if view.decision is None else view.decision.outcome
    facts = {
        "Owner": md(view.spec.card.owner),
        "Release": f"{code(view.opening.release_id)}, decision: {decision}",
        "Task": f"{md(view.spec.task)}: {md(view.spec.target.column)}{_positive(view, ' is ')}",
        "Decision threshold": number(view.spec.decision_threshold),
        "Features": ", ".join(code(name) for name in view.opening.features),
    }
    candidate = view.candidate
    if candidate is not None:
        facts |= {
            "Trained": f"{when(candidate.trained_at)} by {md(candidate.author)}, seed {candidate.seed}",
            "Code revision": code(candidate.code_revision),
            "Environment": code(candidate.environment_sha256),
            "Versions": md(", ".join(f"{name} {version}" for name, version in sorted(candidate.versions.items()))),
            "Size": f"{candidate.artifact.size:,} bytes",
        }
    return page("## Model details", table(("What", "Value"), facts.items())).rstrip()


def _metrics_sentence(view: ReleaseView) -> str:
    if view.data is None:
        return "*The data were not pinned.*"
    periods = md(", ".join(view.data.evaluation.periods))
    return f"On {view.data.evaluation.rows:,} rows of {periods}."


def _metrics(view: ReleaseView) -> str:
    found = [m for m in (view.find("evaluate", metric) for metric in charts.key_metrics(view)) if m is not None]
    if not found:
        return "*The metrics were not measured.*"
    interval = f"{100 * view.policy.confidence:g} % interval"
    rows = ((md(label(m.metric)), number(m.value), span(m.interval), f"{m.n:,}") for m in found)
    return table(("Metric", "Value", interval, "Rows"), rows, numbers=(1, 3))


def _groups(view: ReleaseView) -> str:
    return measured.group_table(groups(view)) or measured.mean_table(view)


def _datasets(view: ReleaseView) -> str:
    if view.data is None:
        return "*The data were not pinned.*"
    training = view.data.training
    return page(
        f"{training.rows:,} rows of {md(', '.join(training.periods))}, digest {code(training.digest)}.",
        md(view.spec.data.attribution),
        f"License: {md(view.spec.data.license)}",
    ).rstrip()


def _caveats(view: ReleaseView) -> str:
    verdict = verdicts.objections(view).replace("## What speaks against it", "", 1).strip()
    kept_out = bullets(f"{code(column)} is never an input: {md(why)}" for column, why in view.spec.not_features.items())
    return page(
        f"Rates over fewer than {view.policy.minimum_support:,} rows are not judged. Checks that did not pass:",
        verdict or "*Not decided.*",
        kept_out,
    ).rstrip()


def _files(view: ReleaseView) -> str:
    if view.data is None:
        return "*The data were not pinned.*"
    sets: dict[str, DatasetRef] = {"training": view.data.training, "evaluation": view.data.evaluation}
    rows = (
        (use, md(f.period), md(f.uri), f"{f.rows:,}", f"{f.artifact.size:,}", code(f.artifact.sha256))
        for use, ref in sets.items()
        for f in ref.files
    )
    return table(("Used for", "Period", "Read from", "Rows", "Bytes", "SHA-256"), rows, numbers=(3, 4))


def _columns(view: ReleaseView) -> str:
    return table(("Column", "Role"), ((code(name), "; ".join(_roles(view, name))) for name in view.spec.columns()))


def _roles(view: ReleaseView, column: str) -> list[str]:
    spec = view.spec
    kind = "categorical" if column in spec.categorical else "number"
    roles = {
        f"feature ({kind})": column in view.opening.features,
        f"target{_positive(view, ', positive: ')}": column == spec.target.column,
        "sensitive": column in {feature.column for feature in spec.sensitive},
        "key": column in spec.data.key,
        "cluster": column in spec.data.cluster,
        "time": column == spec.data.time_column,
        f"never a feature: {md(spec.not_features.get(column, ''))}": column in spec.not_features,
    }
    return [role for role, applies in roles.items() if applies] or ["not used by this candidate"]


def _sensitive(view: ReleaseView) -> str:
    return bullets(
        f"{code(feature.column)} as {md(feature.name)}: {_bands(feature.bands)}" for feature in view.spec.sensitive
    )


def _bands(bands: Mapping[str, tuple[float, float]] | None) -> str:
    if bands is None:
        return "its values are the groups"
    return ", ".join(f"{md(name)} from {low:g} to below {high:g}" for name, (low, high) in bands.items())
