"""The verdict on a checked file as Markdown, for an artifact in the Prefect UI."""

from gatewright.core.file_verdict import CHANGE, FileVerdict
from gatewright.services.reports.escape import md
from gatewright.services.reports.limits_chart import limits_chart
from gatewright.services.reports.objections import listed, weightiest
from gatewright.services.reports.tables import bullets, demoted, folded, image, page, table
from gatewright.services.reports.verdicts import rule_table, tally, untold
from gatewright.services.reports.wording import VERDICT_WORDS, label, number, signed, span

__all__ = ["check_page"]

ABOVE_THE_FOLD = 3
PASSED = "every rule passed"
NEXT = (
    "**Next:** <code>gatewright check FILE --report check.html</code>, with the same columns, draws every plot; "
    "then correct the data, the model or the rule."
)


def check_page(verdict: FileVerdict) -> str:
    """Verdict, what speaks against it and by how much first, then every metric with its change, and the rules."""
    missed = weightiest(verdict.results)
    others = [md(reason) for reason in untold(verdict.reasons, verdict.results) if reason != PASSED]
    shown = page(
        f"# {VERDICT_WORDS[verdict.verdict]}: {md(verdict.file)}",
        f"{tally(verdict.results)} {verdict.rows:,} rows, intervals at {100 * verdict.confidence:g} %.",
        page(bullets(others), listed(missed[:ABOVE_THE_FOLD])).strip(),
        image(limits_chart(verdict.results), missing="No rule has a value."),
        "" if verdict.verdict == "pass" else NEXT,
        page("## Metrics", _metrics(verdict)).rstrip(),
        folded(f"All {len(verdict.results)} checks", rule_table(verdict.results)) if verdict.results else "",
    )
    return demoted(shown, 1)


def _metrics(verdict: FileVerdict) -> str:
    changes = {m.metric.removesuffix(CHANGE): m for m in verdict.changes() if m.slice == "all"}
    rows = []
    for m in verdict.levels():
        change = changes.get(m.metric) if m.slice == "all" else None
        moved = ("", "") if change is None else (signed(change.value), span(change.interval))
        name = label(m.metric) if m.slice == "all" else f"{label(m.metric)}, {m.slice}"
        rows.append((md(name), number(m.value), span(m.interval), *moved))
    return table(("Metric", "Value", "Interval", "Change", "Interval"), rows, numbers=(1, 3))
