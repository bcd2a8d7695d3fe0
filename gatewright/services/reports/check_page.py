"""The verdict on a checked file as Markdown, for an artifact in the Prefect UI."""

from gatewright.core.file_verdict import CHANGE, FileVerdict
from gatewright.services.reports.escape import md
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.verdicts import rule_table
from gatewright.services.reports.wording import VERDICT_WORDS, label, number, signed, span

__all__ = ["check_page"]


def check_page(verdict: FileVerdict) -> str:
    """Verdict and reasons first, then the rules, then every metric with its change to the champion."""
    return page(
        f"# {VERDICT_WORDS[verdict.verdict]}: {md(verdict.file)}",
        f"{verdict.rows:,} rows, intervals at {100 * verdict.confidence:g} %.",
        bullets(md(reason) for reason in verdict.reasons),
        page("## Rules", rule_table(verdict.results)).rstrip() if verdict.results else "",
        page("## Metrics", _metrics(verdict)).rstrip(),
    )


def _metrics(verdict: FileVerdict) -> str:
    changes = {m.metric.removesuffix(CHANGE): m for m in verdict.changes() if m.slice == "all"}
    rows = []
    for m in verdict.levels():
        change = changes.get(m.metric) if m.slice == "all" else None
        moved = ("", "") if change is None else (signed(change.value), span(change.interval))
        name = label(m.metric) if m.slice == "all" else f"{label(m.metric)}, {m.slice}"
        rows.append((md(name), number(m.value), span(m.interval), *moved))
    return table(("Metric", "Value", "Interval", "Change", "Interval"), rows, numbers=(1, 3))
