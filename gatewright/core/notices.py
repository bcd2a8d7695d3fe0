"""What people are told, in which words: what happened to a release, what speaks of it, who must do what until when.

Pure: a notice is made from records alone. Who gets it is for ``routing``, whether it is news for ``causes``, and how
it looks in an e-mail or a chat for ``services.reports.message``.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

from gatewright.core.assurance import Assurance
from gatewright.core.ledger import LedgerEntry, LedgerKind
from gatewright.core.policy import Response
from gatewright.core.records import Record, Timestamp
from gatewright.core.redaction import redacted
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.roster import Roster
from gatewright.core.statements import Request, missing_approvals
from gatewright.core.waivers import Waiver

if TYPE_CHECKING:
    # It knows of all that measures, which takes seconds to import.
    from gatewright.core.responses import MonitoringDecision

__all__ = [
    "TOP_REASONS",
    "Event",
    "Notice",
    "cause_of",
    "expiring_waiver",
    "notice_of",
    "production_notice",
    "time_notice",
    "who_is_missing",
]

Event = Literal[
    "asked", "reminded", "escalated", "closing", "expired", "blocked", "failed", "deployed", "rejected", "rolled_back",
    "alert", "retrain", "rollback", "waiver_expiring", "waiver_expired", "break_glass", "break_glass_expired",
]  # fmt: skip

TOP_REASONS, MAX_PEOPLE = 3, 8
HALF, NEAR_THE_END = 0.5, 0.9
_WEIGHT: tuple[Response, ...] = get_args(Response)
_ASKS: dict[Response, Event] = {"alert": "alert", "retrain": "retrain", "rollback": "rollback"}
# What cannot wait for the next round.
URGENT: frozenset[Event] = frozenset({"failed", "rollback", "break_glass", "break_glass_expired"})
_WAITING: frozenset[Event] = frozenset({"asked", "reminded", "escalated", "closing"})
_EVENTS: dict[LedgerKind, Event] = {
    "waiting": "asked",
    "escalated": "escalated",
    "expired": "expired",
    "blocked": "blocked",
    "failed": "failed",
    "deployed": "deployed",
    "rejected": "rejected",
    "rolled_back": "rolled_back",
    "waiver_expired": "waiver_expired",
    "break_glass": "break_glass",
    "break_glass_expired": "break_glass_expired",
}
# What can happen to one release more than once.
_REPEATED: frozenset[Event] = frozenset({"rolled_back", "waiver_expired", "break_glass", "break_glass_expired"})
_HEADLINES: dict[Event, str] = {
    "asked": "waits for approval",
    "reminded": "still waits for approval, half of its time is over",
    "escalated": "waits for approval for too long",
    "closing": "expires soon without an answer",
    "expired": "expired, nobody answered in time",
    "blocked": "was stopped by the policy, the champion stays",
    "failed": "failed, the champion stays",
    "deployed": "serves in production",
    "rejected": "was rejected, the champion stays",
    "rolled_back": "serves in production again",
    "alert": "in production: somebody should look",
    "retrain": "in production: retraining is asked for",
    "rollback": "in production: a rollback is asked for",
    "waiver_expiring": "serves under a waiver that ends soon",
    "waiver_expired": "serves under a waiver that is over",
    "break_glass": "goes live by one person alone",
    "break_glass_expired": "serves by a break-glass that is over",
}


_SURELY: dict[Assurance, str] = {
    "declared": "by a typed name",
    "gateway": "logged in at the gateway",
    "signed": "by a signature",
}


class Notice(Record):
    """One message. ``verdict`` is a decision's outcome, or the event; ``roles`` empty: of interest to every role.

    ``reasons`` are the weightiest, ``more`` counts the others. ``next_step`` is a command or a sentence.
    """

    event: Event
    verdict: str
    model: str
    period: str
    release_id: str
    headline: str
    reasons: tuple[str, ...] = ()
    more: int = 0
    who: str = ""
    next_step: str = ""
    roles: tuple[str, ...] = ()
    link: str = ""
    at: Timestamp

    @property
    def urgent(self) -> bool:
        return self.event in URGENT


def cause_of(entry: LedgerEntry) -> str | None:
    """Under which name an entry of the ledger is told once; None when nobody is told of such an entry."""
    event = _EVENTS.get(entry.kind)
    return f"{event} {entry.digest[:16]}" if event in _REPEATED else event


def notice_of(entry: LedgerEntry, view: ReleaseView, roster: Roster, link: str) -> Notice | None:
    """What people are told of an entry of the ledger.

    None when there is nothing to tell: nobody is asked in this tier, or the release waits no longer.
    """
    event = _EVENTS.get(entry.kind)
    if event is None:
        return None
    if event in _WAITING:
        return _waiting(event, view, roster, entry.at, link) if view.state is ReleaseState.WAITING else None
    reasons, next_step = _TOLD[event](entry, view)
    return _notice(event, view, reasons, entry.at, next_step=next_step, link=link)


def time_notice(view: ReleaseView, roster: Roster, at: datetime, link: str) -> Notice | None:
    """The reminder at half of the window, or the one near its end; None before, and when nobody is missing."""
    request = view.request
    if request is None or view.state is not ReleaseState.WAITING or not missing_approvals(view.approvals, request):
        return None
    if at >= _share(request, NEAR_THE_END):
        return _waiting("closing", view, roster, at, link)
    return _waiting("reminded", view, roster, at, link) if at >= _share(request, HALF) else None


def production_notice(
    view: ReleaseView, decision: "MonitoringDecision", causes: Mapping[str, Response], *, at: datetime, link: str
) -> Notice | None:
    """What ``causes``, which are news, ask for; their reasons come first. None when they ask for nothing."""
    event = _ASKS.get(max(causes.values(), key=_WEIGHT.index, default="record"))
    if event is None:
        return None
    reasons = sorted(decision.reasons, key=lambda reason: not any(cause in reason for cause in causes))
    next_step = (
        f"gatewright rollback {view.opening.model} --reason 'why, in ten characters or more'"
        if event == "rollback"
        else "the runbook of the release says what each alarm means and what to look at first"
    )
    return _notice(event, view, tuple(reasons), at, next_step=next_step, link=link)


def expiring_waiver(view: ReleaseView, waiver: Waiver, at: datetime, link: str) -> Notice:
    """A waiver under the model that serves ends in some days."""
    next_step = f"have it signed again (gatewright waive {view.opening.model} ...), or release a model that passes"
    return _notice("waiver_expiring", view, (waiver.in_full,), at, next_step=next_step, link=link)


def who_is_missing(view: ReleaseView, roster: Roster, at: datetime) -> str:
    """Who can still approve, how many of them must, how surely, and until when; empty where nobody is asked."""
    request = view.request
    missing = missing_approvals(view.approvals, request) if request else 0
    if request is None or not missing:
        return ""
    answered = {approval.principal for approval in view.approvals} | {request.author}
    people = [name for name in roster.holders(request.tier.roles, at) if name not in answered]
    named = ", ".join(_named(roster, name, request.tier.roles) for name in people[:MAX_PEOPLE])
    named += f" and {len(people) - MAX_PEOPLE} more" if len(people) > MAX_PEOPLE else ""
    until = f"until {request.expires_at:%Y-%m-%d %H:%M} UTC"
    if len(people) < missing:
        return f"{missing} must approve {until}, but the roster knows only: {named or 'nobody'}."
    return f"{missing} of these must approve {until}, {_SURELY[request.tier.assurance]}: {named}."


def _named(roster: Roster, name: str, roles: Sequence[str]) -> str:
    person = roster.find(name)
    return f"{person.name} ({name}, {person.role_among(roles)})" if person else name


def _waiting(event: Event, view: ReleaseView, roster: Roster, at: datetime, link: str) -> Notice | None:
    request, decision = view.request, view.decision
    if request is None or decision is None or not request.tier.approvals:
        return None
    tier = request.tier
    told = (*tier.escalate_to, *tier.notify) if event == "escalated" else (*tier.notify, *tier.roles)
    if event == "closing":
        told += tier.escalate_to
    return _notice(
        event,
        view,
        decision.reasons,
        at,
        who=who_is_missing(view, roster, at),
        next_step=f"gatewright approve {view.opening.release_id}",
        roles=tuple(dict.fromkeys(told)),
        link=link,
    )


def _notice(
    event: Event,
    view: ReleaseView,
    reasons: Sequence[str],
    at: datetime,
    *,
    who: str = "",
    next_step: str,
    roles: tuple[str, ...] = (),
    link: str,
) -> Notice:
    opening = view.opening
    decided = view.decision.outcome if view.decision and event in _WAITING | {"blocked"} else event
    return Notice(
        event=event,
        verdict=decided,
        model=opening.model,
        period=opening.period,
        release_id=opening.release_id,
        headline=_HEADLINES[event],
        reasons=tuple(redacted(reason) for reason in reasons[:TOP_REASONS]),
        more=max(0, len(reasons) - TOP_REASONS),
        who=who,
        next_step=next_step,
        roles=roles,
        link=link,
        at=at,
    )


def _share(request: Request, share: float) -> datetime:
    window: timedelta = request.expires_at - request.asked_at
    return request.asked_at + share * window


_Told = tuple[tuple[str, ...], str]


def _said(entry: LedgerEntry) -> str:
    """Who, how surely, and what they wrote."""
    surely = f" ({entry.assurance})" if entry.assurance else ""
    return f"{entry.actor}{surely}: {entry.note}" if entry.note else f"{entry.actor}{surely}"


def _by_the_policy(entry: LedgerEntry, view: ReleaseView) -> _Told:
    reasons = view.decision.reasons if view.decision else (entry.note,)
    return reasons, f"gatewright explain {entry.release_id}"


def _by_somebody(entry: LedgerEntry, view: ReleaseView) -> _Told:
    return (_said(entry),), f"gatewright show {entry.release_id}"


def _deployed(entry: LedgerEntry, view: ReleaseView) -> _Told:
    by = tuple(f"approved by {a.principal} ({a.assurance}): {a.reason}" for a in view.approvals)
    return by or (entry.note,), f"gatewright history {view.opening.model}"


def _expired(entry: LedgerEntry, view: ReleaseView) -> _Told:
    return (entry.note,), f"start a new release of {view.opening.model}, if it is still wanted"


def _rolled_back(entry: LedgerEntry, view: ReleaseView) -> _Told:
    return (_said(entry),), f"gatewright history {view.opening.model}"


def _waiver(entry: LedgerEntry, view: ReleaseView) -> _Told:
    return (entry.note,), "have it signed again, release a model that passes, or roll back"


def _glass(entry: LedgerEntry, view: ReleaseView) -> _Told:
    return (_said(entry),), f"have it approved (gatewright approve {entry.release_id}), or roll back"


_TOLD: dict[Event, Callable[[LedgerEntry, ReleaseView], _Told]] = {
    "expired": _expired,
    "blocked": _by_the_policy,
    "failed": _by_somebody,
    "deployed": _deployed,
    "rejected": _by_somebody,
    "rolled_back": _rolled_back,
    "waiver_expired": _waiver,
    "break_glass": _glass,
    "break_glass_expired": _glass,
}
