"""The model card; its headings follow Mitchell et al., Model Cards for Model Reporting (FAT* 2019).

Its front matter is that of the Hugging Face Hub: ``huggingface_hub.ModelCard`` and ``skops.card`` read it.
"""

import json
import re
from typing import Any

from gatewright.core.refs import ArtifactRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports import charts, measured, signoff, verdicts
from gatewright.services.reports.cards.front_matter import HUB_TASKS, front_matter
from gatewright.services.reports.cards.said import said_or_gap
from gatewright.services.reports.details import groups
from gatewright.services.reports.escape import code, md, words
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import OUTCOME_WORDS, label, number, span, when

__all__ = ["group_metrics", "metric_table", "model_card"]

FORMATS = {"application/x-skops": "skops", "application/x-onnx": "onnx"}
_TYPE = re.compile(r"[A-Za-z_][\w.]*\Z")


def model_card(view: ReleaseView) -> str:
    """What the model is, what it is for, how well it works and for whom."""
    return page(
        front_matter(_facts(view)),
        f"# Model card: {md(view.spec.title)}",
        _verdict(view),
        _model_details(view),
        _intended_use(view),
        page("## How to use", said_or_gap(view.spec.card, "instructions"), *_loading(view)).rstrip(),
        page("## Limits", md(view.spec.card.limits)).rstrip(),
        page("## Metrics", _metrics_sentence(view), metric_table(view)).rstrip(),
        page("## Metrics by group", measured.gap_table(view), group_metrics(view)).rstrip(),
        page("## Training data", _datasets(view)).rstrip(),
        page("## Ethical considerations", md(view.spec.card.ethical_considerations)).rstrip(),
        page("## Caveats", _caveats(view)).rstrip(),
        page("## Contact", said_or_gap(view.spec.card, "contact")).rstrip(),
        page("## Digests", signoff.digests(view)).rstrip(),
    )


def metric_table(view: ReleaseView) -> str:
    """The key metrics of the task with their intervals and rows."""
    found = [m for m in (view.find("evaluate", metric) for metric in charts.key_metrics(view)) if m is not None]
    if not found:
        return "*The metrics were not measured.*"
    interval = f"{100 * view.policy.confidence:g} % interval"
    rows = ((md(label(m.metric)), number(m.value), span(m.interval), f"{m.n:,}") for m in found)
    return table(("Metric", "Value", interval, "Rows"), rows, numbers=(1, 3))


def group_metrics(view: ReleaseView) -> str:
    """Rates, or means, of each group with its support; empty where nothing was measured."""
    return measured.group_table(groups(view)) or measured.mean_table(view)


def _facts(view: ReleaseView) -> dict[str, Any]:
    kind, name = HUB_TASKS[view.spec.task], view.spec.name
    values = {metric: view.find("evaluate", metric) for metric in charts.key_metrics(view)}
    metrics = [
        {"type": metric, "value": m.value, "name": label(metric)}
        for metric, m in values.items()
        if m is not None and m.value is not None
    ]
    dataset = {"name": f"{name} {words(view.opening.period)}", "type": name, "split": "evaluation"}
    result = {"task": {"type": kind}, "dataset": dataset, "metrics": metrics}
    facts = {
        "library_name": "sklearn",
        "pipeline_tag": kind,
        "model_format": FORMATS.get(view.candidate.artifact.media_type, "unknown") if view.candidate else "unknown",
        "tags": ["gatewright", name],
    }
    return facts | ({"model-index": [{"name": name, "results": [result]}]} if metrics else {})


def _verdict(view: ReleaseView) -> str:
    said = "has not been asked" if view.decision is None else f"says **{OUTCOME_WORDS[view.decision.outcome]}**"
    return f"Release {code(view.opening.release_id)}: {view.state.value}; the policy {said}."


def _positive(view: ReleaseView) -> str:
    """The positive value, where the task has one."""
    positive = view.spec.target.positive
    return "" if positive is None else f", positive: {code(positive)}"


def _model_details(view: ReleaseView) -> str:
    facts = {
        "Owner": md(view.spec.card.owner),
        "Task": f"{md(label(view.spec.task))} of {code(view.spec.target.column)}{_positive(view)}",
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


def _intended_use(view: ReleaseView) -> str:
    card = view.spec.card
    return page(
        "## Intended use",
        md(card.intended_use),
        page("### Intended users", said_or_gap(card, "intended_users")).rstrip(),
        page("### Out of scope", md(card.out_of_scope)).rstrip(),
        page("### Foreseeable misuse", said_or_gap(card, "foreseeable_misuse")).rstrip(),
        page("### Human oversight", said_or_gap(card, "human_oversight")).rstrip(),
    ).rstrip()


def _loading(view: ReleaseView) -> tuple[str, ...]:
    """How to get the file and how to load it with the pinned types and nothing else."""
    if view.candidate is None:
        return ()
    ref = view.candidate.artifact
    name = f"model.{FORMATS.get(ref.media_type, 'bin')}"
    fetched = (
        f"{code(f'gatewright export {view.opening.release_id} --to DIRECTORY --with-blobs')} writes the file to "
        f"{code(f'blobs/{ref.sha256}')}; copied to {code(name)}, load it with:"
    )
    snippet = _skops_snippet(view, ref) if name == "model.skops" else _ONNX if name == "model.onnx" else ""
    return (page("### Load it", fetched, snippet or _UNNAMED).rstrip(),)


_ONNX = """```
import onnxruntime

model = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
```"""
_UNNAMED = "*The types of the spec are no Python names: load it with `gatewright serve`.*"


def _skops_snippet(view: ReleaseView, ref: ArtifactRef) -> str:
    """Empty where the spec trusts what is no name: code shows it as it is, and cannot be escaped."""
    if not all(_TYPE.match(name) for name in (*view.spec.trusted_types, *view.opening.features)):
        return ""
    return f"""```
import hashlib
import pathlib

import skops.io

body = pathlib.Path("model.skops").read_bytes()
if hashlib.sha256(body).hexdigest() != "{ref.sha256}":
    raise SystemExit("model.skops is another file")
model = skops.io.loads(body, trusted={json.dumps(view.spec.trusted_types)})
features = {json.dumps(view.opening.features)}
```"""


def _metrics_sentence(view: ReleaseView) -> str:
    if view.data is None:
        return "*The data were not pinned.*"
    periods = md(", ".join(view.data.evaluation.periods))
    return f"On {view.data.evaluation.rows:,} rows of {periods}."


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
