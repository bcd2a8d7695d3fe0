"""What to do next about a rule that did not pass, and about a release: correct it, add data, or answer for it."""

import shlex
from collections.abc import Iterator
from math import ceil, isfinite

from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.remedies import Case, Step, remedies
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.shell_commands import retrain_command
from gatewright.core.statements import missing_approvals
from gatewright.core.waivers import waiver_for

__all__ = ["excused_rules", "may_answer", "may_waive", "next_steps", "release_step", "rows_within"]

# More rows than this nobody collects: a number would only look like advice.
MANY = 1_000_000_000
WAIVER_DAYS = 30


def next_steps(view: ReleaseView, result: CheckResult) -> tuple[Step, ...]:
    """What can be done about one result, the most useful first; nothing where it passed."""
    if result.status is Status.PASSED:
        return ()
    if result.rule in excused_rules(view):
        return (Step(words="Nothing: no champion served, so there was nothing to compare with. The next one has one."),)
    case = Case(view, result)
    steps = [*remedies(case), *_more_rows(case), *_waiver(case)]
    return tuple(steps) or (Step(words="Read the stage's evidence; then correct the data, the model or the rule."),)


def excused_rules(view: ReleaseView) -> frozenset[str]:
    """Rules on a change, where no champion served that anything could have changed from."""
    first = view.opening.champion is None
    return frozenset(rule.id for rule in view.policy.rules if first and rule.compares)


def may_waive(view: ReleaseView) -> tuple[str, ...]:
    """Who held a role that may waive rules when the release opened; its author cannot."""
    terms, author = view.policy.waivers, view.candidate.author if view.candidate else None
    if terms is None or view.roster is None:
        return ()
    return tuple(name for name in view.roster.holders(terms.roles, view.opening.opened_at) if name != author)


def rows_within(result: CheckResult) -> int | None:
    """Rows with which the whole interval would respect the limit, if the value stayed as it is.

    Its sides shrink with the square root of the rows. None where the value does not respect the limit, or too closely.
    """
    value, interval = result.value, result.interval
    if value is None or interval is None:
        return None
    sides = []
    for limit, end in ((result.minimum, interval.low), (result.maximum, interval.high)):
        room = 0.0 if limit is None else abs(limit - value)
        inside = limit is None or (value > limit if limit == result.minimum else value < limit)
        if not inside:
            return None
        sides.append(0.0 if limit is None else abs(end - value) / room)
    needed = result.n * max(sides) ** 2
    return ceil(needed) if isfinite(needed) and result.n < needed < MANY else None


def _more_rows(case: Case) -> Iterator[Step]:
    result, least = case.result, _support(case)
    what = "calls" if result.metric.startswith("latency_") else "rows"
    of = _whose(result)
    if result.status is not Status.INCONCLUSIVE:
        return
    if result.n < least and not result.metric.startswith("unsupported_"):
        yield Step(words=f"Bring at least {least:,} {what}{of}: there were {result.n:,}.")
        return
    needed = result.n_needed or rows_within(result)
    if needed is not None and needed < MANY:
        held = (
            "the effect that the rule asks for would be seen"
            if result.n_needed
            else ("the whole interval would respect the limit, if the value stays as it is")
        )
        yield Step(words=f"Bring more data: with about {needed:,} {what}{of} instead of {result.n:,} {held}.")


def _whose(result: CheckResult) -> str:
    if result.slice == "all" or result.stage not in ("fairness", "slices", "uncertainty"):
        return ""
    return f" of the smallest group of `{result.slice}`" if result.stage == "fairness" else f" of `{result.slice}`"


def _support(case: Case) -> int:
    rule = case.rule
    if rule is None or rule.minimum_n is not None:
        return (rule and rule.minimum_n) or 0
    return case.view.policy.minimum_support if rule.decide_on == "interval" else 0


def _waiver(case: Case) -> Iterator[Step]:
    terms, result = case.view.policy.waivers, case.result
    waived = case.view.decision is not None and waiver_for(result, case.view.decision.waivers) is not None
    if waived or terms is None or not _stands_in_the_way(case) or result.status is Status.ERROR:
        return
    people = may_waive(case.view)
    who = f" ({', '.join(people)})" if people else ""
    days = int(min(WAIVER_DAYS, terms.maximum_days)) or terms.maximum_days
    slice_name = "" if result.slice == "all" else f" --slice {shlex.quote(result.slice)}"
    yield Step(
        words=f"Or have it waived: somebody with the role {' or '.join(terms.roles)}{who} signs that it may be passed"
        " over for a time; then a new release goes on, and people must approve it.",
        command=f"gatewright waive {case.view.opening.model} --rule {result.rule}{slice_name} --days {days}"
        ' --reason "why, in ten characters or more"',
    )


def _stands_in_the_way(case: Case) -> bool:
    """A waiver of a warning that stops nothing would only make people look at the next release."""
    decision = case.view.decision
    held = decision is not None and decision.outcome != "promote"
    return case.result.severity is Severity.BLOCK or (case.result.severity is Severity.WARN and held)


def release_step(view: ReleaseView) -> Step:
    """The one thing to do next about a release, by where it stands."""
    release_id = view.opening.release_id
    if view.state is ReleaseState.WAITING:
        return _answer(view)
    if view.state is ReleaseState.OPEN:
        return Step(words="Its gates are running. To see how far they are:", command=f"gatewright watch {release_id}")
    if view.state is ReleaseState.DEPLOYED:
        return _take_back(view)
    if view.state is ReleaseState.BLOCKED:
        words = "The champion stays. What to do about each rule:"
        return Step(words=words, command=f"gatewright explain {release_id}")
    if view.state is ReleaseState.FAILED:
        return Step(words="Correct what the note names, then start a new release:", command=retrain_command(view))
    return Step(words="The champion stays. To begin again:", command=retrain_command(view))


def _take_back(view: ReleaseView) -> Step:
    champion = view.opening.champion
    if champion is None or champion.release_id is None:
        return Step(words="Nothing. No model served before it, so there is none to go back to.")
    # With --to it does no harm where the release was taken back already; without, it goes back one more.
    back = f"gatewright rollback {view.opening.model} --to {champion.release_id}"
    command = f'{back} --reason "why, in ten characters or more"'
    return Step(words="Nothing. If it serves and has to go, this puts the model before it back:", command=command)


def _answer(view: ReleaseView) -> Step:
    release_id, request = view.opening.release_id, view.request
    if request is not None and missing_approvals(view.approvals, request) == 0:
        return Step(words="Enough people approved; it is on its way.", command=f"gatewright watch {release_id}")
    people = ", ".join(may_answer(view))
    return Step(
        words=f"{people or 'Somebody who may'} can answer it, after reading the evidence:",
        command=f"gatewright approve {release_id}",
    )


def may_answer(view: ReleaseView) -> tuple[str, ...]:
    """Who can still approve: by the roster pinned at opening, without its author and those who have."""
    if view.request is None or view.roster is None:
        return ()
    done = {view.request.author, *(approval.principal for approval in view.approvals)}
    found = view.roster.holders(view.request.tier.roles, view.request.asked_at)
    return tuple(name for name in found if name not in done)
