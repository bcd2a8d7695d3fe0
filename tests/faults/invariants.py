"""What must hold after every fault, read from the store alone by somebody who was not there."""

from collections import Counter
from collections.abc import Iterator

from gatewright.core.approval import quorum
from gatewright.core.channels import ChannelEntry
from gatewright.core.ledger import LedgerEntry
from gatewright.core.refs import Candidate
from gatewright.core.releases import ReleaseState
from gatewright.core.statements import Request
from gatewright.wiring import Services
from tests.faults.fault_store import FaultStore
from tests.faults.world import CHANNEL, MODEL, World

__all__ = ["violations"]

_FINAL = {state.value for state in ReleaseState if state.final}


def violations(world: World) -> list[str]:
    """Every invariant that does not hold, in words; none when all do."""
    seen = world.auditor()
    # Both verify their hash chain from the first link on, by objects that have seen none of it.
    entries = seen.ledger.entries(MODEL)
    moves = [move for _, move in seen.channels.history(MODEL, CHANNEL)]
    return [
        *_unapproved(world, seen, moves, entries),
        *_twice(entries, moves),
        *_lost(world, entries, moves),
        *_unsettled(entries, moves),
        *_stored(world.faulty),
    ]


def _unapproved(world: World, seen: Services, moves: list[ChannelEntry], entries: list[LedgerEntry]) -> Iterator[str]:
    deployed = {move.model_sha256: move for move in moves if move.action == "deploy"}
    attested = {(entry.release_id, digest) for entry in entries for digest in entry.digests.values()}
    for digest in sorted({digest for digest in world.target.served if digest is not None}):
        move = deployed.get(digest)
        if move is None:
            yield f"{digest[:8]} served without ever being deployed"
            continue
        try:
            request = _proven(world, seen, move, digest)
        except Exception as error:  # noqa: BLE001 - whatever it is, the proof does not hold
            yield f"{digest[:8]} served unproven: {error}"
            continue
        if (move.release_id, request.digest) not in attested:
            yield f"{digest[:8]} served on a request that the ledger does not know"


def _proven(world: World, seen: Services, move: ChannelEntry, digest: str) -> Request:
    opening = seen.releases.opening(move.release_id)
    candidate = seen.evidence.read("candidate", move.release_id, Candidate)
    request = seen.evidence.read("request", move.release_id, Request)
    approvals = seen.releases.approvals(move.release_id)
    assert request.model_sha256 == digest == candidate.artifact.sha256, "another model was approved"
    assert seen.releases.root(opening, candidate).digest == request.evidence_root, "other evidence was approved"
    seen.blobs.get(candidate.artifact)
    assert len(quorum(approvals, request, [seen.releases.roster(opening)], world.signatures, at=move.at)) >= 2
    return request


def _twice(entries: list[LedgerEntry], moves: list[ChannelEntry]) -> Iterator[str]:
    events = Counter(_identity(entry) for entry in entries)
    yield from (f"{n} times in the ledger: {what}" for what, n in events.items() if n > 1)
    steps = Counter((move.operation, move.action) for move in moves)
    yield from (f"{n} times in the channel: {what}" for what, n in steps.items() if n > 1)


def _identity(entry: LedgerEntry) -> tuple[str, ...]:
    """A release opens, is decided and ends once; each approval and each rollback is an event of its own."""
    if entry.kind in _FINAL:
        return entry.release_id, "end"
    if entry.kind in ("opened", "decided", "waiting"):
        return entry.release_id, entry.kind
    return entry.release_id, entry.kind, entry.actor, *sorted(entry.digests.values())


def _lost(world: World, entries: list[LedgerEntry], moves: list[ChannelEntry]) -> Iterator[str]:
    known = {("confirmed", move.digest) for move in moves if move.action == "confirm"}
    known |= {("approved", entry.digests["approval"]) for entry in entries if entry.kind == "approved"}
    known |= {("closed", f"{entry.release_id} {entry.kind}") for entry in entries if entry.kind in _FINAL}
    yield from (f"lost: {what} {digest[:24]}" for what, digest in world.told if (what, digest) not in known)


def _unsettled(entries: list[LedgerEntry], moves: list[ChannelEntry]) -> Iterator[str]:
    """When nobody runs any more: no move is half done, and the ledger says of a release what the channel says."""
    if moves and moves[-1].action in ("deploy", "rollback"):
        yield f"the move of {moves[-1].operation} was neither confirmed nor put back"
    confirmed = {move.operation for move in moves if move.action == "confirm"}
    for entry in entries:
        was = entry.release_id in confirmed
        if entry.kind in _FINAL and was != (entry.kind == "deployed"):
            yield f"{entry.release_id} ended as {entry.kind}, though its move was {'' if was else 'not '}confirmed"


def _stored(store: FaultStore) -> Iterator[str]:
    """What the store said it had, byte for byte."""
    yield from (f"changed: {key}" for key, body in store.acknowledged.items() if store.raw(key) != body)
