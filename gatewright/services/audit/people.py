"""The steps of an audit about who let a release go on: approvals, break-glass, waivers."""

from collections.abc import Sequence
from datetime import datetime

from gatewright.core.approval import quorum, verify
from gatewright.core.audit import must_be_attested
from gatewright.core.break_glass import Emergency, break_glass_allows
from gatewright.core.roster import Roster
from gatewright.core.statements import Approval
from gatewright.core.waivers import require_waivers
from gatewright.services.audit.records import ReleaseRecords
from gatewright.services.audit.store import counted
from gatewright.services.reports.escape import plain

__all__ = ["approvals", "exceptions"]


def approvals(of: ReleaseRecords) -> str:
    """Each answer is proven as of its own time, and the quorum as of the promotion."""
    if not of.came_to("waiting"):
        return "nobody was asked"
    request, given = of.request, of.store.releases.approvals(of.release_id)
    pinned = of.store.releases.roster(of.opening)
    _require_each(of, given, pinned)
    if of.intent is None:
        return f"{counted(len(given), 'answer')}; it was never promoted"
    at = of.intent.at
    before = [approval for approval in given if approval.at <= at]
    rosters = (pinned, of.store.roster(at))
    emergency = of.store.releases.emergency(request)
    if emergency is not None and len(before) < request.tier.approvals:
        return _glass(of, emergency, before, rosters, at)
    valid = quorum(before, request, rosters, of.store.signatures, at=at)
    if not valid:
        return f"the tier {request.tier.name} asks for nobody"
    people = "; ".join(
        f"{one.principal} ({one.role}, {one.assurance}) on {one.at:%Y-%m-%d %H:%M}: {plain(one.reason)}"
        for one in valid
    )
    return f"{len(valid)} of {request.tier.approvals} asked for: {people}"


def _require_each(of: ReleaseRecords, given: Sequence[Approval], pinned: Roster) -> None:
    attested = {d for entry in of.events if entry.kind == "approved" for d in entry.digests.values()}
    for index, one in enumerate(given):
        if one.decision == "approve" and one.digest not in attested:
            raise of.broken(f"the ledger does not have the approval by {one.principal}")
        rosters = (pinned, of.store.roster(one.at))
        verify(one, of.request, rosters, of.store.signatures, at=one.at, earlier=given[:index])


def _glass(
    of: ReleaseRecords, emergency: Emergency, before: Sequence[Approval], rosters: Sequence[Roster], at: datetime
) -> str:
    """One person in the place of a quorum, unless somebody had rejected."""
    must_be_attested(of.release_id, of.events, {"break_glass": ("emergency", emergency.digest)})
    if any(approval.decision == "reject" for approval in before):
        raise of.broken("the glass was broken over a rejection")
    policy = of.store.releases.policy(of.opening)
    break_glass_allows(emergency, of.request, policy, rosters, of.store.signatures, at=at)
    who = f"{emergency.principal} ({emergency.role}, signed) on {emergency.at:%Y-%m-%d %H:%M}"
    return f"no quorum: {who} broke the glass: {plain(emergency.reason)}"


def exceptions(of: ReleaseRecords) -> str:
    """Waivers that the decision rests on, proven as of the promotion; what else was out of the ordinary."""
    if not of.came_to("decided"):
        return "it has not been decided"
    at = of.intent.at if of.intent else of.decided_at
    require_waivers(
        of.decision.waivers,
        of.store.releases.policy(of.opening),
        (of.store.releases.roster(of.opening), of.store.roster(at)),
        of.store.signatures,
        author=of.candidate.author,
        at=at,
    )
    named = [f"{waiver.statement.rule}: {plain(waiver)}" for waiver in of.decision.waivers]
    special = [entry for entry in of.events if entry.kind in ("waived", "break_glass", "break_glass_expired")]
    named += [f"{e.kind} by {e.actor} on {e.at:%Y-%m-%d %H:%M}: {plain(e.note)}" for e in special]
    return "; ".join(named) or "no waiver, no break-glass"
