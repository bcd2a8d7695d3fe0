"""The verdict and the rules behind it, in Markdown."""

from collections import Counter
from collections.abc import Sequence

from gatewright.core.limits import Limits
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.objections import measured_words, objections
from gatewright.services.reports.pardons import EXCUSED, NO_PARDONS, WAIVED, Pardons, pardons_of
from gatewright.services.reports.tables import folded, page, table
from gatewright.services.reports.wording import (
    NOTHING,
    OUTCOME_SENTENCES,
    OUTCOME_WORDS,
    STATUS_WORDS,
    limit,
    number,
    signed,
    span,
)

__all__ = ["all_rules", "beyond_rules", "headline", "objections", "rule_table", "subject", "tally", "untold"]

# A page of some hundred thousand characters is the most that Prefect's events should carry.
MAX_RULES = 150
_WEIGHTS = {Severity.BLOCK: "blocking", Severity.WARN: "warning", Severity.SHADOW: "reported only"}


def subject(view: ReleaseView) -> str:
    """What is asked to be released, escaped."""
    return f"{md(view.spec.title)} · {md(view.opening.period)}"


def headline(view: ReleaseView) -> str:
    """The verdict in one word, what it means in one sentence, and how many checks passed."""
    decision = view.decision
    if decision is None:
        return page(f"# NOT DECIDED: {subject(view)}", "The gates have not all run; nobody can approve yet.").rstrip()
    return page(
        f"# {OUTCOME_WORDS[decision.outcome]}: {subject(view)}",
        f"**{OUTCOME_SENTENCES[decision.outcome]}** {tally(decision.results, pardons_of(view))}",
    ).rstrip()


def beyond_rules(view: ReleaseView) -> list[str]:
    """Reasons of the decision that no line about a single rule tells, such as too many warnings; not escaped."""
    if view.decision is None:
        return []
    told = {waiver.in_full for waiver in view.decision.waivers} | {"every rule passed"}
    return [reason for reason in untold(view.decision.reasons, view.decision.results) if reason not in told]


def untold(reasons: Sequence[str], results: Sequence[CheckResult]) -> list[str]:
    """Those of ``reasons`` that no line about a single result tells."""
    return [reason for reason in reasons if not any(r.reason and reason.endswith(r.reason) for r in results)]


def tally(results: Sequence[CheckResult], pardons: Pardons = NO_PARDONS) -> str:
    """How many checks passed, and of what weight the others are."""
    if not results:
        return "No check has a result."
    missed = Counter(pardons.word(r) or _WEIGHTS[r.severity] for r in results if r.status is not Status.PASSED)
    words = (*_WEIGHTS.values(), WAIVED, EXCUSED)
    others = ", ".join(f"{missed[word]} {_plural(word, missed[word])}" for word in words if missed[word])
    passed = len(results) - missed.total()
    return f"{passed} of {len(results)} checks passed" + (f"; not passed: {others}." if others else ".")


def _plural(word: str, count: int) -> str:
    return "warnings" if word == "warning" and count > 1 else word


def all_rules(view: ReleaseView) -> str:
    """Every rule with its result, what did not pass first, folded."""
    if view.decision is None:
        return ""
    results = sorted(view.decision.results, key=lambda r: r.status is Status.PASSED)
    return folded(f"All {len(results)} checks of the policy", rule_table(results, pardons_of(view)))


def rule_table(results: Sequence[CheckResult], pardons: Pardons = NO_PARDONS) -> str:
    """Rule, result, what was measured, value, limit and the margin to it; one line a result."""
    shown, rest = results[:MAX_RULES], len(results) - MAX_RULES
    listing = table(
        ("Rule", "Result", "Measured", "Value and interval", "Limit", "Margin"),
        (_cells(r, pardons) for r in shown),
        numbers=(5,),
    )
    return listing if rest <= 0 else f"{listing}\n\n*and {rest} more; `gatewright show --all` lists all.*"


def _cells(r: CheckResult, pardons: Pardons) -> tuple[str, ...]:
    passed = r.status is Status.PASSED
    value = md(r.reason) if r.value is None else f"{number(r.value)} {'' if r.interval is None else span(r.interval)}"
    return (
        code(r.rule),
        "PASS" if passed else f"**{STATUS_WORDS[r.status]}** ({pardons.consequence(r)})",
        measured_words(r),
        value.rstrip(),
        limit(r),
        _margin(r),
    )


def _margin(r: CheckResult) -> str:
    """Of the value; how far an interval reaches, the objections say."""
    return NOTHING if r.value is None else signed(Limits(r.minimum, r.maximum).margin(r.value))
