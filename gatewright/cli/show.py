"""``gatewright show``: where a release stands, what speaks against it, who must answer, and what to do next."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.find import ReleaseName, read_release
from gatewright.cli.output import Json, Page, print_json, print_table, time_left
from gatewright.cli.terminal_charts import drift_bars, group_whiskers
from gatewright.cli.verdict_page import print_comparison, print_drawn, print_objections, print_verdict
from gatewright.core.channels import standing
from gatewright.core.explanation import Explanation, explain
from gatewright.core.next_steps import release_step
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.statements import Request, missing_approvals
from gatewright.services.reports.wording import STATUS_WORDS, limit, number, people, span, when

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["BLOCKED", "PASS", "WAITING", "All", "code_of", "show"]

PASS, BLOCKED, WAITING = 0, 2, 3
All = Annotated[bool, Parameter(name="--all", negative="", help="Also the rules that passed, drift and groups.")]
_CODES = {ReleaseState.DEPLOYED: PASS, ReleaseState.OPEN: WAITING, ReleaseState.WAITING: WAITING}


def show(release: ReleaseName, /, *, everything: All = False, as_json: Json = False) -> int:
    """Show a release: the verdict, what speaks against it, its numbers, who must approve, and the next step.

    Exit code 0 deployed, 2 stopped, 3 open or waiting.

    Example: gatewright show crash_triage-2001-1
    """
    services, view = read_release(release)
    if as_json:
        print_json(_summary(view))
    else:
        _print(Page(), view, _serves(services, view), services.now(), everything=everything)
    return code_of(view.state)


def code_of(state: ReleaseState) -> int:
    """The exit code of a command that answers with a state."""
    return _CODES.get(state, BLOCKED)


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


def _print(page: Page, view: ReleaseView, serves: str, now: datetime, *, everything: bool) -> None:
    print_verdict(page, view)
    if serves:
        page.line(serves, indent=2)
    print_objections(page, view)
    print_comparison(page, view)
    if everything:
        _everything(page, view)
    _approvals(page, view, now)
    _put_back(page, view)
    page.heading("Next")
    page.step(release_step(view), indent=2)


def _serves(services: "Services", view: ReleaseView) -> str:
    """Of a release that went live, whether it is what serves now; empty of any other."""
    if view.state is not ReleaseState.DEPLOYED:
        return ""
    channel, ours = services.settings.channel, view.opening.release_id
    settled = standing([move for _, move in services.channels.history(view.opening.model, channel)])
    if settled is None or settled.model_sha256 is None:
        return f"{channel}: nothing serves now"
    since = f"since {when(settled.at)}"
    if settled.release_id == ours:
        return f"{channel} serves it {since}"
    return f"it serves no more: {channel} serves {settled.release_id} {since}"


def _everything(page: Page, view: ReleaseView) -> None:
    bars = drift_bars(view, width=page.width - 2, ascii_only=page.plain_plots)
    print_drawn(page, "Drift: population stability index", bars)
    groups = group_whiskers(view, width=page.width - 2, ascii_only=page.plain_plots)
    print_drawn(page, "True positive rate by group", groups)
    page.heading("Every rule")
    print_table([_rule(one) for one in explain(view)], empty="No rule was judged.")


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


def _put_back(page: Page, view: ReleaseView) -> None:
    """The rollbacks that led to this release."""
    made = [event for event in view.events if event.kind == "rolled_back"]
    if made:
        page.heading("Put back into production")
    for event in made:
        page.line(f"by {event.actor} ({event.assurance or 'declared'}), {when(event.at)}: {event.note}", indent=2)


def _needed(view: ReleaseView, request: Request) -> str:
    missing, tier = missing_approvals(view.approvals, request), request.tier
    because = view.decision.tier_because if view.decision else ()
    why = f", because of {'; '.join(because)}" if because else ""
    who = f"{people(missing)} with the role {' or '.join(tier.roles)}"
    return f"needed: {who}, assurance {tier.assurance} (tier {tier.name}, {tier.risk} risk{why})"


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
