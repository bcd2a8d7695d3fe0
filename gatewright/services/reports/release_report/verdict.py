"""The verdict, what speaks against it and what to do about it, and every rule behind it."""

from collections.abc import Container, Iterator, Sequence

from markupsafe import Markup

from gatewright.core.explanation import Explanation, explain
from gatewright.core.policy import Rule
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.results import CheckResult, Status
from gatewright.services.reports.blocks import (
    Block,
    Cell,
    Commands,
    Folded,
    Listing,
    Objection,
    Section,
    Table,
    Text,
    mono,
    pair,
    ticked,
)
from gatewright.services.reports.release_report.measures import named, p_value
from gatewright.services.reports.signoff import KNOWN_BY
from gatewright.services.reports.wording import (
    NOTHING,
    OUTCOME_SENTENCES,
    OUTCOME_WORDS,
    STATUS_WORDS,
    label,
    limit,
    number,
    people,
    short,
    signed,
    span,
    when,
)

__all__ = ["against", "css_class", "identity", "rules", "sentence", "word"]

_CLASSES = {"promote": "pass", "review": "review", "block": "block"}
# More of them nobody reads one by one; the table of all rules has the others.
MAXIMUM_OBJECTIONS = 40


def word(view: ReleaseView) -> str:
    """PASS, HOLD or BLOCK, or that nothing was decided."""
    return "NOT DECIDED" if view.decision is None else OUTCOME_WORDS[view.decision.outcome]


def css_class(view: ReleaseView) -> str:
    """The colour of the word, by its name in the style sheet."""
    return "undecided" if view.decision is None else _CLASSES[view.decision.outcome]


def sentence(view: ReleaseView) -> str:
    """What the verdict means, and how many checks stand behind it."""
    if view.decision is None:
        return "The gates have not all run; nobody can approve yet."
    results = view.decision.results
    passed = sum(r.status is Status.PASSED for r in results)
    return f"{OUTCOME_SENTENCES[view.decision.outcome]} {passed} of {len(results)} checks passed."


def identity(view: ReleaseView) -> str:
    """Which release this is, in one line."""
    model = "not trained" if view.candidate is None else short(view.candidate.artifact.sha256)
    champion = view.opening.champion
    against = "no champion serves" if champion is None else f"champion {champion.release_id}"
    return (
        f"Release {view.opening.release_id} · {view.state.value} · model {model} · {against} · "
        f"opened {when(view.opening.opened_at)} by {view.opening.requested_by}"
    )


def against(view: ReleaseView) -> Section:
    """The rules that did not pass, the weightiest first, and what comes next."""
    return Section("against", "What speaks against it", [*_objections(view), *_next(view)])


def _objections(view: ReleaseView) -> Iterator[Block]:
    missed = [one for one in explain(view) if one.weight != "passes"]
    beyond = _beyond(view)
    yield from (_objection(one) for one in missed[:MAXIMUM_OBJECTIONS])
    if missed[MAXIMUM_OBJECTIONS:]:
        yield Text(f"And {len(missed) - MAXIMUM_OBJECTIONS} more, in the table of all rules.")
    if beyond:
        yield Listing(beyond)
    if not missed and not beyond:
        yield Text("Not known yet." if view.decision is None else "Nothing: every rule passed.")


def _beyond(view: ReleaseView) -> list[Cell]:
    """Reasons that no result of a rule tells."""
    if view.decision is None:
        return []
    told = [r.reason for r in view.decision.results if r.reason]
    waived = [waiver.in_full for waiver in view.decision.waivers]
    known = {"every rule passed", *waived}
    return [line for line in view.decision.reasons if line not in known and not line.endswith(tuple(told))]


def _objection(one: Explanation) -> Objection:
    r = one.result
    numbers = r.reason
    if r.value is not None:
        interval = f" {span(r.interval)}" if r.interval else ""
        numbers = f"{number(r.value)}{interval}, {limit(r)}{_beyond_by(one)}"
    return Objection(
        status=STATUS_WORDS[r.status],
        weight=one.weight,
        rule=r.rule,
        words=f"{named(r.metric, r.slice)}: {numbers}.",
        why=f"{one.purpose} {one.waived or ''}".strip(),
        steps=[(ticked(step.words), step.command or "") for step in one.next_steps],
    )


def _beyond_by(one: Explanation) -> str:
    if one.margin is not None and one.margin < 0:
        return f": beyond it by {number(-one.margin)}"
    if one.margin_of_interval is not None and one.margin_of_interval < 0:
        return f": its interval reaches beyond it by {number(-one.margin_of_interval)}"
    return ""


def _next(view: ReleaseView) -> Iterator[Block]:
    release = view.opening.release_id
    if view.state is ReleaseState.WAITING and view.request is not None:
        tier = view.request.tier
        who = f"{people(tier.approvals)} with the role {' or '.join(tier.roles)}"
        yield Commands(
            f"Next: {who} must answer until {when(view.request.expires_at)} ({KNOWN_BY[tier.assurance]}).",
            [f"gatewright approve {release}", f"gatewright reject {release}"],
        )
    elif view.state is ReleaseState.DEPLOYED:
        yield Text("It was deployed. How to take it back is in the last part of this report.")
    elif view.state.final:
        yield Text(f"It ended as {view.state.value}. What to change is said above; then open another release.")


def rules(view: ReleaseView) -> Section:
    """Every rule with what it asked and what came out."""
    if view.decision is None:
        return Section("rules", "All rules", [Text("Nothing was decided, so no rule has a result.")])
    note = (
        f"Policy version {view.decision.policy_version}, owned by {view.policy.owner}. The margin is the room between "
        "the value and its limit; below it, where the interval decides, that of its worse end. Negative is beyond it."
    )
    explained = explain(view)
    tests = Folded(_tests([one.result for one in explained]))
    return Section("rules", "All rules", [Text(note), _results(view, explained), _rules(view), tests])


def _results(view: ReleaseView, explained: Sequence[Explanation]) -> Table:
    by_interval = {rule.id for rule in view.policy.rules if rule.decide_on == "interval"}
    return Table(
        f"All {len(explained)} checks of the policy, the weightiest first",
        ("Rule", "Result", "Measured", "Value", "Limit", "Margin", "Rows", "Evidence", "Owner"),
        [_row(one, by_interval) for one in explained],
        frozenset({3, 5, 6}),
    )


def _row(one: Explanation, by_interval: Container[str]) -> tuple[Cell, ...]:
    r = one.result
    status: Cell = STATUS_WORDS[r.status]
    if r.status is not Status.PASSED:
        status = Markup('<strong class="fail">{}</strong>').format(status)
    return (
        mono(r.rule),
        pair(status, "" if one.weight == "passes" else one.waived or one.weight),
        pair(named(r.metric, r.slice), "" if r.value is not None else r.reason),
        pair(number(r.value), span(r.interval) if r.interval else ""),
        limit(r),
        pair(_signed(one.margin), _signed(one.margin_of_interval) if r.rule in by_interval and r.interval else ""),
        f"{r.n:,}",
        pair(one.proof.stage, short(one.proof.sha256)),
        one.owner,
    )


def _rules(view: ReleaseView) -> Table:
    """Each rule once, as the policy has it."""
    rows = [
        (mono(r.id), r.stage, label(r.measured_as), r.slices, _allowed(r), r.severity.value, r.decide_on, r.reason)
        for r in view.policy.rules
    ]
    header = ("Rule", "Stage", "Metric", "On", "Allowed", "Severity", "Decides on", "Reason")
    return Table("What each rule asks, and why", header, rows)


def _allowed(rule: Rule) -> str:
    low, high = rule.allowed
    test = "" if rule.test == "limit" else f" ({rule.test.replace('_', ' ')})"
    if low is not None and high is not None:
        return f"{low:,.10g} to {high:,.10g}{test}"
    return f"at least {low:,.10g}{test}" if low is not None else f"at most {high:,.10g}{test}"


def _signed(value: float | None) -> str:
    return NOTHING if value is None else signed(value)


def _tests(results: Sequence[CheckResult]) -> Table:
    """Those that were decided by a test, not by a value alone."""
    return Table(
        "Tests behind the checks: p-values, and what they could have seen",
        ("Rule", "On", "Test", "p-value", "Adjusted", "Smallest effect", "Rows needed"),
        [
            (
                mono(r.rule),
                r.slice,
                r.test,
                p_value(r.p_value),
                p_value(r.adjusted_p_value),
                number(r.smallest_effect),
                number(r.n_needed),
            )
            for r in results
            if r.p_value is not None or r.smallest_effect is not None or r.n_needed is not None
        ],
        frozenset({3, 4, 5, 6}),
    )
