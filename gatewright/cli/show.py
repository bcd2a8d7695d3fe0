"""``gatewright show``: where a release stands, what speaks against it, who must answer, and what to do next."""

from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from gatewright.cli.find import find_release
from gatewright.cli.output import Json, Page, print_json, print_table, time_left
from gatewright.cli.terminal_charts import comparison, drift_bars, group_whiskers
from gatewright.core.explanation import Explanation, explain
from gatewright.core.next_steps import release_step
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Status
from gatewright.core.statements import Request, missing_approvals
from gatewright.services.reports.wording import OUTCOME_WORDS, STATUS_WORDS, label, limit, number, short, span, when

__all__ = ["BLOCKED", "PASS", "WAITING", "code_of", "print_verdict", "show"]

PASS, BLOCKED, WAITING = 0, 2, 3
All = Annotated[bool, Parameter(name="--all", negative="", help="Also the rules that passed, drift and groups.")]
_CODES = {ReleaseState.DEPLOYED: PASS, ReleaseState.OPEN: WAITING, ReleaseState.WAITING: WAITING}
_SENTENCES = {
    ReleaseState.OPEN: "its gates are running",
    ReleaseState.WAITING: "it waits for approval",
    ReleaseState.DEPLOYED: "it was deployed",
    ReleaseState.REJECTED: "it was rejected; the champion stays",
    ReleaseState.EXPIRED: "it expired; the champion stays",
    ReleaseState.BLOCKED: "it was blocked; the champion stays",
    ReleaseState.FAILED: "it failed; the champion stays",
}


def show(release: str, /, *, everything: All = False, as_json: Json = False) -> int:
    """Show a release: the verdict, what speaks against it, its numbers, who must approve, and the next step.

    Exit code 0 deployed, 2 stopped, 3 open or waiting.

    Example: gatewright show crash_triage-2001-1

    Parameters
    ----------
    release
        A release id or a model's SHA-256, or the beginning of either.
    """
    from gatewright.wiring import connect

    services = connect(read_only=True)
    view = services.view(find_release(services, release))
    if as_json:
        print_json(_summary(view))
    else:
        _print(Page(), view, services.now(), everything=everything)
    return code_of(view.state)


def code_of(state: ReleaseState) -> int:
    """The exit code of a command that answers with a state."""
    return _CODES.get(state, BLOCKED)


def print_verdict(page: Page, view: ReleaseView) -> None:
    """The verdict in a word, what became of the release in a sentence, and what it is about."""
    decision, opening = view.decision, view.opening
    verdict = "NOT DECIDED" if decision is None else OUTCOME_WORDS[decision.outcome]
    page.line(verdict, f" {opening.release_id}: {_SENTENCES[view.state]}")
    model = "not trained yet" if view.candidate is None else f"model {short(view.candidate.artifact.sha256)}"
    about = f"{view.spec.title}, {opening.period}; {model}, opened {when(opening.opened_at)} by {opening.requested_by}"
    page.line(about, indent=2)
    note = view.events[-1].note if view.events and view.state.final else ""
    if note:
        page.line(note, indent=2)


def _summary(view: ReleaseView) -> dict[str, Any]:
    request = view.request
    return {
        "release": view.opening.release_id,
        "model": view.opening.model,
        "period": view.opening.period,
        "state": view.state.value,
        "model_sha256": None if view.candidate is None else view.candidate.artifact.sha256,
        "evidence_root": view.evidence_root,
        "decision": None if view.decision is None else view.decision.model_dump(mode="json"),
        "note": view.events[-1].note if view.events else "",
        "approvals": [approval.model_dump(mode="json") for approval in view.approvals],
        "approvals_missing": None if request is None else missing_approvals(view.approvals, request),
        "expires_at": None if request is None else request.expires_at.isoformat(),
        "next_step": release_step(view).model_dump(mode="json"),
    }


def _print(page: Page, view: ReleaseView, now: datetime, *, everything: bool) -> None:
    print_verdict(page, view)
    explained = explain(view)
    if view.decision is not None:
        _objections(page, view, explained)
    _drawn(page, _compared(view), comparison(view, width=page.width - 2, ascii_only=page.plain_plots))
    if everything:
        bars = drift_bars(view, width=page.width - 2, ascii_only=page.plain_plots)
        _drawn(page, "Drift: population stability index", bars)
        groups = group_whiskers(view, width=page.width - 2, ascii_only=page.plain_plots)
        _drawn(page, "True positive rate by group", groups)
        page.heading("Every rule")
        print_table([_rule(one) for one in explained], empty="No rule was judged.")
    _approvals(page, view, now)
    page.heading("Next")
    page.step(release_step(view), indent=2)


def _objections(page: Page, view: ReleaseView, explained: tuple[Explanation, ...]) -> None:
    missed = [one for one in explained if one.weight not in ("passes", "reported only", "excused")]
    watched = sum(one.weight in ("reported only", "excused") for one in explained)
    page.heading("What speaks against it")
    for one in missed:
        word = STATUS_WORDS[one.result.status]
        page.line(_finding(one), indent=2, label=word, label_width=12)
        if one.waived:
            page.line(one.waived, indent=15)
    others = _other_reasons(view)
    for reason in others:
        page.line(f"- {reason}", indent=2)
    passed = sum(one.weight == "passes" for one in explained)
    rest = f"; of the rest, {watched} only watched or excused" if watched else ""
    none = "" if missed or others else "nothing: "
    page.line(f"{none}{passed} of {len(explained)} checks pass{rest}", indent=2)


def _finding(one: Explanation) -> str:
    result = one.result
    place = "" if result.slice == "all" else f" on {result.slice}"
    numbers = result.reason if result.value is None else f"{number(result.value)} {_interval(one)}, {limit(result)}"
    return f"{one.weight}: {result.rule}{place}: {label(result.metric)} {numbers}"


def _interval(one: Explanation) -> str:
    return "(exact)" if one.result.interval is None else span(one.result.interval)


def _other_reasons(view: ReleaseView) -> list[str]:
    """What the decision says beyond single rules: no champion, too many warnings."""
    results = view.decision.results if view.decision else ()
    waived = {waiver.in_full for waiver in view.decision.waivers} if view.decision else set()
    told = {str(result) for result in results if result.status is not Status.PASSED}
    every = ("every rule passed",)
    return [one for one in (view.decision.reasons if view.decision else ()) if one not in told | waived | {*every}]


def _compared(view: ReleaseView) -> str:
    percent = f"{100 * view.policy.confidence:g} %"
    if view.opening.champion is None:
        return f"The candidate: value and {percent} interval (no champion serves)"
    return f"Candidate against champion: value, change and its {percent} interval around zero"


def _drawn(page: Page, heading: str, lines: list[Text]) -> None:
    if lines:
        page.heading(heading)
    for line in lines:
        page.drawn(Text("  "), line)


def _approvals(page: Page, view: ReleaseView, now: datetime) -> None:
    request = view.request
    if request is None:
        return
    given = sum(approval.decision == "approve" for approval in view.approvals)
    page.heading(f"Approvals: {given} of {request.tier.approvals}")
    for a in view.approvals:
        page.line(f"{a.decision} by {a.principal} as {a.role} ({a.assurance}), {when(a.at)}: {a.reason}", indent=2)
    if view.state is ReleaseState.WAITING:
        page.line(_needed(view, request), indent=2)
        page.line(f"until {when(request.expires_at)}, {time_left(request.expires_at - now)}", indent=2)


def _needed(view: ReleaseView, request: Request) -> str:
    missing, tier = missing_approvals(view.approvals, request), request.tier
    who = "1 person" if missing == 1 else f"{missing} different people"
    because = view.decision.tier_because if view.decision else ()
    why = f", because of {'; '.join(because)}" if because else ""
    roles = " or ".join(tier.roles)
    return f"needed: {who} with the role {roles}, assurance {tier.assurance} (tier {tier.name}, {tier.risk} risk{why})"


def _rule(one: Explanation) -> dict[str, str]:
    result = one.result
    return {
        "result": STATUS_WORDS[result.status],
        "severity": "waived" if one.weight == "waived" else result.severity.value,
        "rule": result.rule,
        "slice": result.slice,
        "value": number(result.value),
        "interval": span(result.interval),
        "limit": limit(result),
    }
