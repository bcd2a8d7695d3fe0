"""What time alone makes due: windows that closed, approvals that take too long, waivers that ended under a model."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gatewright.core.break_glass import Emergency
from gatewright.core.decision import Decision
from gatewright.core.ledger import LedgerEntry, open_release
from gatewright.core.records import Record, Timestamp
from gatewright.core.releases import Opening
from gatewright.core.roster import Roster
from gatewright.core.statements import Request, missing_approvals
from gatewright.core.waivers import Waiver
from gatewright.services.attestations import LATE_ATTESTATION, Attestation
from gatewright.services.channel_store import ChannelStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.releases import Releases

__all__ = ["EXPIRES_SOON", "Escalation", "ExpiredWaiver", "Overdue"]

ACTOR = "gatewright"
# Long enough to train and release another candidate.
EXPIRES_SOON = timedelta(days=7)


class Escalation(Record):
    """A release that waits longer than its tier wants: ``people`` of ``roles`` should know."""

    release_id: str
    model: str
    roles: tuple[str, ...]
    people: tuple[str, ...]
    waiting_since: Timestamp
    expires_at: Timestamp


class ExpiredWaiver(Record):
    """The model that serves rests on a waiver that is over."""

    release_id: str
    model: str
    waiver: Waiver


@dataclass(frozen=True)
class Overdue:
    """Finds what is due, once; whoever tells people notes afterwards that they were told."""

    releases: Releases
    ledger: LedgerStore
    evidence: EvidenceStore
    channels: ChannelStore
    channel: str
    now: Callable[[], datetime]

    def escalation(self, model: str, roster: Roster) -> Escalation | None:
        """The release that waits too long and nobody was told of, if there is one."""
        entries = self.ledger.entries(model)
        release_id = open_release(entries)
        request = self.evidence.find("request", release_id, Request) if release_id else None
        if request is None or _noted(entries, "escalated", request.release_id, request.digest):
            return None
        hours = request.tier.escalate_after_hours
        late = hours is not None and self.now() >= request.asked_at + timedelta(hours=hours)
        given = self.releases.approvals(request.release_id)
        return _escalation(request, roster, self.now()) if late and missing_approvals(given, request) else None

    def escalated(self, found: Escalation) -> None:
        """People were told."""
        opening = self.releases.opening(found.release_id)
        request = self.evidence.read("request", found.release_id, Request)
        told = ", ".join((*found.roles, *found.people))
        self.releases.note(opening, "escalated", ACTOR, digests={"request": request.digest}, note=f"told: {told}")

    def expired_waivers(self, model: str) -> list[ExpiredWaiver]:
        """Waivers that the model that serves rests on, that are over, and that nobody was told of."""
        head = self.channels.head(model, self.channel)
        if head is None or head[1].model_sha256 is None:
            return []
        release_id, entries = head[1].release_id, self.ledger.entries(model)
        decision = self.evidence.find("decision", release_id, Decision)
        return [
            ExpiredWaiver(release_id=release_id, model=model, waiver=waiver)
            for waiver in (decision.waivers if decision else ())
            if self.now() > waiver.statement.expires
            and not _noted(entries, "waiver_expired", release_id, waiver.digest)
        ]

    def expiring_waivers(self, model: str) -> list[ExpiredWaiver]:
        """Waivers that the model that serves rests on and that end within `EXPIRES_SOON`."""
        head = self.channels.head(model, self.channel)
        if head is None or head[1].model_sha256 is None:
            return []
        decision = self.evidence.find("decision", head[1].release_id, Decision)
        return [
            ExpiredWaiver(release_id=head[1].release_id, model=model, waiver=waiver)
            for waiver in (decision.waivers if decision else ())
            if waiver.statement.expires - EXPIRES_SOON <= self.now() <= waiver.statement.expires
        ]

    def waiver_expired(self, found: ExpiredWaiver) -> None:
        """People were told."""
        opening = self.releases.opening(found.release_id)
        note = found.waiver.in_full
        self.releases.note(opening, "waiver_expired", ACTOR, digests={"waiver": found.waiver.digest}, note=note)

    def emergency(self, model: str) -> Emergency | None:
        """The break-glass by which the model serves that is over, when too few people have approved since."""
        head = self.channels.head(model, self.channel)
        request = self.evidence.find("request", head[1].release_id, Request) if head and head[1].model_sha256 else None
        found = self.releases.emergency(request) if request else None
        if request is None or found is None or self.now() <= found.expires:
            return None
        return found if missing_approvals(self.releases.approvals(request.release_id), request) else None

    def unattested(self, model: str) -> list[Opening]:
        """Releases for which somebody broke the glass, and whose quorum nobody has attested since."""
        broken = dict.fromkeys(e.release_id for e in self.ledger.entries(model) if e.kind == "break_glass")
        openings = [self.releases.opening(release_id) for release_id in broken]
        return [o for o in openings if self.evidence.find(LATE_ATTESTATION, o.release_id, Attestation) is None]

    def emergency_told(self, model: str, found: Emergency) -> None:
        """People were told, for the first time or again; the ledger has it once."""
        head = self.channels.head(model, self.channel)
        if head is not None:
            opening = self.releases.opening(head[1].release_id)
            note = "too few people have approved since; roll it back, or have it approved"
            digests = {"emergency": found.digest}
            self.releases.note(opening, "break_glass_expired", ACTOR, digests=digests, note=note)


def _escalation(request: Request, roster: Roster, at: datetime) -> Escalation:
    roles = request.tier.escalate_to
    return Escalation(
        release_id=request.release_id,
        model=request.model,
        roles=roles,
        people=roster.holders(roles, at),
        waiting_since=request.asked_at,
        expires_at=request.expires_at,
    )


def _noted(entries: list[LedgerEntry], kind: str, release_id: str, digest: str) -> bool:
    return any(e.kind == kind and e.release_id == release_id and digest in e.digests.values() for e in entries)
