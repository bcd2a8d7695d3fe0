"""What speaks against a release, in Markdown: each rule that did not pass, and by how much."""

from collections.abc import Callable, Sequence

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.pardons import EXCUSED, pardons_of
from gatewright.services.reports.tables import bullets, folded, page
from gatewright.services.reports.wording import SEVERITY_WORDS, STATUS_WORDS, label, limit, number, shortfall, span

__all__ = [
    "MAX_LINES",
    "first_objections",
    "listed",
    "measured_words",
    "missed_by",
    "objections",
    "objections_in_full",
    "weightiest",
]

# More lines nobody reads, and Prefect refuses pages of some megabytes.
MAX_LINES = 60
Describe = Callable[[CheckResult], str]


def objections(view: ReleaseView) -> str:
    """The rules that did not pass with their numbers, the weightiest first; a list, to be read at any width."""
    if view.decision is None:
        return ""
    listed = _listed(view, _missed(view), _full(view))
    return page("## What speaks against it", listed or "Nothing: every rule passed.").rstrip()


def first_objections(view: ReleaseView, count: int) -> list[str]:
    """The ``count`` weightiest, each in a line or two, for above the fold; none when every rule passed."""
    return _lines(view, _weightiest(view, count), lambda r: _brief(view, r))


def objections_in_full(view: ReleaseView) -> str:
    """All of them with what each rule is for, folded; empty when every rule passed."""
    missed = _missed(view)
    if not missed:
        return ""
    these = "The one check" if len(missed) == 1 else f"All {len(missed)} checks"
    return folded(f"{these} that did not pass, and what each rule is for", _listed(view, missed, _full(view)))


def weightiest(results: Sequence[CheckResult]) -> list[CheckResult]:
    """What did not pass, what blocks before what warns."""
    missed = (r for r in results if r.status is not Status.PASSED)
    return sorted(missed, key=lambda r: list(Severity).index(r.severity))


def listed(missed: Sequence[CheckResult]) -> str:
    """Results outside a release, each with by how much it missed its limit."""
    return bullets(f"**{STATUS_WORDS[r.status]}** ({SEVERITY_WORDS[r.severity]}): {missed_by(r)}" for r in missed)


def measured_words(result: CheckResult) -> str:
    """The metric, and the slice unless it is the whole data, escaped."""
    place = "" if result.slice == "all" else f", {md(result.slice)}"
    return f"{md(label(result.metric))}{place}"


def _weightiest(view: ReleaseView, count: int) -> list[CheckResult]:
    """At least one, if there is any: silence above a fold would look like a pass."""
    pardons, missed = pardons_of(view), _missed(view)
    counting = [r for r in missed if r.severity is not Severity.SHADOW and pardons.word(r) != EXCUSED]
    return counting[:count] or missed[:1]


def _missed(view: ReleaseView) -> list[CheckResult]:
    return weightiest(view.decision.results if view.decision else ())


def _listed(view: ReleaseView, missed: Sequence[CheckResult], describe: Describe) -> str:
    rest = len(missed) - MAX_LINES
    more = f"*and {rest} more; `gatewright show --all` lists all.*" if rest > 0 else ""
    return page(bullets(_lines(view, missed[:MAX_LINES], describe)), more).rstrip()


def _lines(view: ReleaseView, missed: Sequence[CheckResult], describe: Describe) -> list[str]:
    pardons = pardons_of(view)
    return [
        f"**{STATUS_WORDS[r.status]}** ({pardons.consequence(r)}): {describe(r)}{pardons.sentence(r)}" for r in missed
    ]


def _full(view: ReleaseView) -> Describe:
    purposes = {rule.id: rule.reason for rule in view.policy.rules}

    def describe(r: CheckResult) -> str:
        purpose = f" <em>{md(purposes[r.rule])}</em>" if r.rule in purposes else ""
        return f"{_brief(view, r)}.{purpose} {code(r.rule)}"

    return describe


def missed_by(r: CheckResult) -> str:
    """What was measured, its value and interval, and by how much it missed its limit, escaped."""
    if r.value is None:
        return f"{measured_words(r)}: {md(r.reason)}"
    interval = "" if r.interval is None else f" {span(r.interval)}"
    missed = shortfall(r)
    missed = f"**{missed}**" if missed else f"{limit(r)}: {md(r.reason)}"
    return f"{measured_words(r)}: {number(r.value)}{interval}, {missed}"


def _brief(view: ReleaseView, r: CheckResult) -> str:
    return f"{missed_by(r)}{_noted(view, r)}" if r.value is not None else missed_by(r)


def _noted(view: ReleaseView, r: CheckResult) -> str:
    """What was counted, where a count says so."""
    found = None if r.interval else view.find(r.stage, r.metric, r.slice)
    return f" ({md(found.note)})" if found and found.note else ""
