"""The verdict and the rules behind it, in Markdown."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.waivers import Waiver, waiver_for
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
EXCUSED, WAIVED = "excused", "waived"
# More lines nobody reads, and Prefect refuses pages of some megabytes.
MAX_LINES = 60
_WEIGHTS = {Severity.BLOCK: "blocking", Severity.WARN: "warning", Severity.SHADOW: "reported only"}


@dataclass(frozen=True)
class Pardons:
    """Results that did not pass and do not count: ``excused`` rules need a champion when none serves."""

    excused: frozenset[str] = frozenset()
    waivers: tuple[Waiver, ...] = ()

    def word(self, result: CheckResult) -> str | None:
        if result.rule in self.excused:
            return EXCUSED
        return WAIVED if waiver_for(result, self.waivers) else None

    def sentence(self, result: CheckResult) -> str:
        """Who answers for it, until when and why, escaped; empty when nobody does."""
        waiver = None if result.rule in self.excused else waiver_for(result, self.waivers)
        return "" if waiver is None else f". <strong>{md(waiver)}</strong>"


NO_PARDONS = Pardons()


def subject(view: ReleaseView) -> str:
    """What is asked to be released, escaped."""
    return f"{md(view.spec.title)} · {md(view.opening.period)}"


def headline(view: ReleaseView) -> str:
    """The verdict in one word, what it means in one sentence, and what speaks of it beyond single rules."""
    decision = view.decision
    if decision is None:
        return page(f"# NOT DECIDED: {subject(view)}", "The gates have not all run; nobody can approve yet.").rstrip()
    waived = {waiver.in_full for waiver in decision.waivers}
    beyond = [reason for reason in decision.reasons if reason not in waived and not _told(reason, decision.results)]
    return page(
        f"# {OUTCOME_WORDS[decision.outcome]}: {subject(view)}",
        f"**{_SENTENCES[decision.outcome]}** {tally(decision.results, _pardons(view))}",
        bullets(md(reason) for reason in beyond if reason != "every rule passed"),
    ).rstrip()


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


def objections(view: ReleaseView) -> str:
    """The rules that did not pass with their numbers, the weightiest first; a list, to be read at any width."""
    return _objections(view, _in_full)


def objections_in_brief(view: ReleaseView) -> str:
    """The same in fewer words, for the narrow form in which somebody approves."""
    return _objections(view, lambda r: f"{_measured(r)}. {md(r.reason)}")


def _objections(view: ReleaseView, describe: Callable[[CheckResult], str]) -> str:
    missed, pardons, purposes = _missed(view), _pardons(view), _purposes(view)
    if not missed:
        return _no_objection(view)
    lines = [
        f"**{STATUS_WORDS[r.status]}** ({_consequence(r, pardons)}): {describe(r)}{_purpose(r, purposes)}"
        f"{pardons.sentence(r)}"
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
    return folded(f"All {len(results)} checks of the policy", rule_table(results, _pardons(view)))


def rule_table(results: Sequence[CheckResult], pardons: Pardons = NO_PARDONS) -> str:
    """Rule, what was measured, value, interval, limit, and why; one line a result."""
    shown, rest = results[:MAX_LINES], len(results) - MAX_LINES
    listing = table(
        ("Rule", "Result", "Effect", "Measured", "Value", "Interval", "Limit", "Why"),
        (_cells(r, pardons) for r in shown),
        numbers=(4,),
    )
    return listing if rest <= 0 else f"{listing}\n\n*and {rest} more; `gatewright show` lists all.*"


def _cells(r: CheckResult, pardons: Pardons) -> tuple[str, ...]:
    return (
        code(r.rule),
        "PASS" if r.status is Status.PASSED else f"**{STATUS_WORDS[r.status]}**",
        _consequence(r, pardons),
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


def _consequence(result: CheckResult, pardons: Pardons) -> str:
    if result.status is Status.PASSED:
        return ""
    return pardons.word(result) or SEVERITY_WORDS[result.severity]


def _measured(result: CheckResult) -> str:
    place = "" if result.slice == "all" else f", {md(result.slice)}"
    return f"{md(label(result.metric))}{place}"


def _pardons(view: ReleaseView) -> Pardons:
    first = view.opening.champion is None
    excused = frozenset(rule.id for rule in view.policy.rules if first and rule.compares)
    return Pardons(excused, view.decision.waivers if view.decision else ())
