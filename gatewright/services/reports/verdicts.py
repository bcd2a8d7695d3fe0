"""The verdict and the rules behind it, in Markdown."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.tables import bullets, folded, page, table
from gatewright.services.reports.wording import (
    OUTCOME_WORDS,
    SEVERITY_WORDS,
    STATUS_WORDS,
    label,
    limit,
    number,
    span,
)

__all__ = ["all_rules", "headline", "objections", "objections_in_brief", "rule_table", "subject", "tally"]

_SENTENCES = {
    "promote": "The policy allows this release.",
    "review": "The policy asks people to look before this is released.",
    "block": "The policy forbids this release. The champion stays.",
}
# Of what weight a result that did not pass is, the weightiest first.
EXCUSED = "excused"
# More lines nobody reads, and Prefect refuses pages of some megabytes.
MAX_LINES = 60
_WEIGHTS = {Severity.BLOCK: "blocking", Severity.WARN: "warning", Severity.SHADOW: "reported only"}


def subject(view: ReleaseView) -> str:
    """What is asked to be released, escaped."""
    return f"{md(view.spec.title)} · {md(view.opening.period)}"


def headline(view: ReleaseView) -> str:
    """The verdict in one word, what it means in one sentence, and what speaks of it beyond single rules."""
    decision = view.decision
    if decision is None:
        return page(f"# NOT DECIDED: {subject(view)}", "The gates have not all run; nobody can approve yet.").rstrip()
    beyond = [reason for reason in decision.reasons if not _told(reason, decision.results)]
    return page(
        f"# {OUTCOME_WORDS[decision.outcome]}: {subject(view)}",
        f"**{_SENTENCES[decision.outcome]}** {tally(decision.results, excused=_excused(view))}",
        bullets(md(reason) for reason in beyond if reason != "every rule passed"),
    ).rstrip()


def tally(results: Sequence[CheckResult], *, excused: frozenset[str] = frozenset()) -> str:
    """How many checks passed, and of what weight the others are."""
    if not results:
        return "No check has a result."
    missed = Counter(_weight(r, excused) for r in results if r.status is not Status.PASSED)
    words = (*_WEIGHTS.values(), EXCUSED)
    others = ", ".join(f"{missed[word]} {_plural(word, missed[word])}" for word in words if missed[word])
    passed = len(results) - missed.total()
    return f"{passed} of {len(results)} checks passed" + (f"; not passed: {others}." if others else ".")


def _plural(word: str, count: int) -> str:
    return "warnings" if word == "warning" and count > 1 else word


def objections(view: ReleaseView) -> str:
    """The rules that did not pass with their numbers, the weightiest first; a list, to be read at any width."""
    return _objections(view, _in_full)


def objections_in_brief(view: ReleaseView) -> str:
    """The same in fewer words, for the narrow form in which somebody approves."""
    return _objections(view, lambda r: f"{_measured(r)}. {md(r.reason)}")


def _objections(view: ReleaseView, describe: Callable[[CheckResult], str]) -> str:
    missed, excused, purposes = _missed(view), _excused(view), _purposes(view)
    if not missed:
        return _no_objection(view)
    lines = [
        f"**{STATUS_WORDS[r.status]}** ({_consequence(r, excused)}): {describe(r)}{_purpose(r, purposes)}"
        for r in missed[:MAX_LINES]
    ]
    rest = len(missed) - MAX_LINES
    more = f"*and {rest} more; `gatewright show` lists all.*" if rest > 0 else ""
    return page("## What speaks against it", bullets(lines), more).rstrip()


def _in_full(r: CheckResult) -> str:
    numbers = md(r.reason) if r.value is None else f"{_with_interval(r)}, {limit(r)}"
    return f"{code(r.rule)}, {_measured(r)}: {numbers}"


def _with_interval(r: CheckResult) -> str:
    return number(r.value) if r.interval is None else f"{number(r.value)} {span(r.interval)}"


def _missed(view: ReleaseView) -> list[CheckResult]:
    results = view.decision.results if view.decision else ()
    return sorted((r for r in results if r.status is not Status.PASSED), key=lambda r: list(_WEIGHTS).index(r.severity))


def _no_objection(view: ReleaseView) -> str:
    return "" if view.decision is None else page("## What speaks against it", "Nothing: every rule passed.").rstrip()


def _purposes(view: ReleaseView) -> dict[str, str]:
    return {rule.id: rule.reason for rule in view.policy.rules}


def all_rules(view: ReleaseView) -> str:
    """Every rule with its result, folded."""
    if view.decision is None:
        return ""
    results = view.decision.results
    return folded(f"All {len(results)} checks of the policy", rule_table(results, excused=_excused(view)))


def rule_table(
    results: Sequence[CheckResult],
    *,
    excused: frozenset[str] = frozenset(),
) -> str:
    """Rule, what was measured, value, interval, limit, and why; one line a result.

    ``excused`` names rules that need a champion when none serves.
    """
    shown, rest = results[:MAX_LINES], len(results) - MAX_LINES
    listing = table(
        ("Rule", "Result", "Effect", "Measured", "Value", "Interval", "Limit", "Why"),
        (_cells(r, excused) for r in shown),
        numbers=(4,),
    )
    return listing if rest <= 0 else f"{listing}\n\n*and {rest} more; `gatewright show` lists all.*"


def _cells(r: CheckResult, excused: frozenset[str]) -> tuple[str, ...]:
    return (
        code(r.rule),
        "PASS" if r.status is Status.PASSED else f"**{STATUS_WORDS[r.status]}**",
        _consequence(r, excused),
        _measured(r),
        number(r.value),
        span(r.interval),
        limit(r),
        md(r.reason),
    )


def _told(reason: str, results: Sequence[CheckResult]) -> bool:
    """Whether a line of the rule table says the same."""
    return any(result.reason and reason.endswith(result.reason) for result in results)


def _purpose(result: CheckResult, purposes: Mapping[str, str]) -> str:
    purpose = purposes.get(result.rule)
    return "" if purpose is None else f". <em>{md(purpose)}</em>"


def _weight(result: CheckResult, excused: frozenset[str]) -> str:
    return EXCUSED if result.rule in excused else _WEIGHTS[result.severity]


def _consequence(result: CheckResult, excused: frozenset[str]) -> str:
    if result.status is Status.PASSED:
        return ""
    return EXCUSED if result.rule in excused else SEVERITY_WORDS[result.severity]


def _measured(result: CheckResult) -> str:
    place = "" if result.slice == "all" else f", {md(result.slice)}"
    return f"{md(label(result.metric))}{place}"


def _excused(view: ReleaseView) -> frozenset[str]:
    if view.opening.champion is not None:
        return frozenset()
    return frozenset(rule.id for rule in view.policy.rules if rule.needs_champion)
