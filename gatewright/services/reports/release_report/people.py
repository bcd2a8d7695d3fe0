"""Who was asked, who answered how surely, and every event that the ledger holds of the release."""

from collections.abc import Iterator

from gatewright.core.ledger import LedgerEntry
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.blocks import Block, Cell, Heading, Listing, Section, Table, Text, pair
from gatewright.services.reports.wording import NOTHING, short, when

__all__ = ["people"]


def people(view: ReleaseView) -> Section:
    """The request with its terms, the answers, the waivers, and the ledger."""
    blocks = [*_request(view), *_answers(view), *_waivers(view), *_ledger(view)]
    return Section("people", "Approvals and ledger", blocks)


def _request(view: ReleaseView) -> Iterator[Block]:
    request = view.request
    if request is None:
        blocked = view.decision is not None and view.decision.outcome == "block"
        yield Text("Nobody is asked: the policy forbids it." if blocked else "Nobody has been asked yet.")
        return
    tier = request.tier
    because = view.decision.tier_because if view.decision else ()
    author = f"The author, {request.author}, cannot approve it."
    yield Listing(
        [
            f"Needed: {tier.approvals} of {' or '.join(tier.roles)}, known at least as {tier.assurance}.",
            f"Tier {tier.name}, {tier.risk} risk{': ' + '; '.join(because) if because else ''}.",
            f"Asked {when(request.asked_at)}, until {when(request.expires_at)}.",
            author,
        ]
    )


def _answers(view: ReleaseView) -> Iterator[Block]:
    yield Heading("Answers")
    if not view.approvals:
        yield Text("Nobody has answered.")
        return
    rows = [(a.principal, a.role, a.decision, a.reason, when(a.at), a.assurance) for a in view.approvals]
    yield Table(
        "Answers and how surely each name is known", ("Who", "Role", "Answer", "Reason", "When", "Assurance"), rows
    )


def _waivers(view: ReleaseView) -> Iterator[Block]:
    waivers = view.decision.waivers if view.decision else ()
    if waivers:
        said = [(w.statement, w) for w in waivers]
        rows = [(s.rule, s.slice, s.principal, w.role, s.reason, when(s.expires), w.assurance) for s, w in said]
        header = ("Rule", "On", "Waived by", "Role", "Reason", "Until", "Assurance")
        yield Table("Waivers that the decision rests on", header, rows)


def _ledger(view: ReleaseView) -> Iterator[Block]:
    yield Heading("Ledger")
    if not view.events:
        yield Text("The ledger has no event of it that belongs here.")
        return
    yield Table(
        "Events, the first first",
        ("Event", "Who", "When", "Assurance", "Note", "Digests"),
        [_event(event) for event in view.events],
    )


def _event(event: LedgerEntry) -> tuple[Cell, ...]:
    digests = ", ".join(f"{name} {short(sha256)}" for name, sha256 in sorted(event.digests.items()))
    return (
        event.kind.replace("_", " "),
        event.actor,
        when(event.at),
        event.assurance or NOTHING,
        event.note,
        pair("", digests),
    )
