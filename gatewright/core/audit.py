"""What an audit finds, and the parts of it that need nothing but records: what the ledger attests, which moves of a
channel were legal, and whether the pinned policy still gives the stored decision.

Whatever could not be done is ``unproven``, and that is not ``ok``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from gatewright.core.channels import ChannelEntry, standing
from gatewright.core.decision import Decision
from gatewright.core.errors import GatewrightError, IntegrityError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.records import Record

__all__ = [
    "Finding",
    "FindingStatus",
    "UnprovenError",
    "must_be_attested",
    "must_be_legal",
    "overall",
    "same_decision",
]

FindingStatus = Literal["ok", "broken", "unproven"]
_REMEDY = "stop and investigate who wrote this; compare with a checkpoint and with a backup."


class UnprovenError(GatewrightError):
    """The auditor must supply what is missing: then this step can be done."""


class Finding(Record):
    """One step of an audit. ``subject`` is what was looked at; ``detail`` what was found, in a sentence."""

    check: str
    subject: str
    status: FindingStatus
    detail: str
    remedy: str = ""


def overall(findings: Sequence[Finding]) -> FindingStatus:
    """``broken`` if any step is, else ``unproven`` if any is or there is none, else ``ok``."""
    found = {finding.status for finding in findings} or {"unproven"}
    return "broken" if "broken" in found else "unproven" if "unproven" in found else "ok"


def must_be_attested(release_id: str, entries: Iterable[LedgerEntry], wanted: Mapping[str, tuple[str, str]]) -> None:
    """Raises IntegrityError unless the ledger has, of this release, an event of each kind with this named digest.

    ``wanted``: kind -> name and digest. The first event of a kind is the one that counts.
    """
    first: dict[str, LedgerEntry] = {}
    for entry in entries:
        if entry.release_id == release_id:
            first.setdefault(entry.kind, entry)
    for kind, (name, digest) in wanted.items():
        said = first[kind].digests.get(name) if kind in first else None
        if said != digest:
            was = f"says {said[:12]}" if said else "does not say"
            raise _broken(f"the ledger {was} what was {kind}, in the store is {digest[:12]}", f"release {release_id}")


def must_be_legal(moves: Sequence[ChannelEntry], entries: Sequence[LedgerEntry], *, where: str) -> None:
    """Raises IntegrityError at the first move that neither a release nor a rollback can have made.

    A release deploys once, under its own name; a rollback leads to what was confirmed before, and the ledger has it;
    a confirmation follows its own intent; a revert puts back what stood. Raises UnprovenError for a rollback that is
    confirmed and not in the ledger.
    """
    opened = {entry.release_id for entry in entries if entry.kind == "opened"}
    noted = {digest for entry in entries if entry.kind == "rolled_back" for digest in entry.digests.values()}
    for index, move in enumerate(moves):
        problem = _problem(move, moves[:index], opened)
        if problem:
            raise _broken(problem, f"{where} generation {index + 1}")
        if move.action == "confirm" and moves[index - 1].action == "rollback" and move.digest not in noted:
            raise UnprovenError(
                f"the rollback {move.operation} is confirmed, and the ledger does not have it.",
                where=f"{where} generation {index + 1}",
                remedy="start the rollback again under the same name: it goes on where it died.",
            )


def same_decision(stored: Decision, again: Decision) -> bool:
    """Whether both decide the same for the same reasons; sentences may be worded differently by other versions."""
    return _core_of(stored) == _core_of(again)


def _problem(move: ChannelEntry, before: Sequence[ChannelEntry], opened: set[str]) -> str | None:
    if move.action == "deploy":
        return _deploy_problem(move, before, opened)
    if move.action == "rollback":
        known = any(one.action == "confirm" and _same_model(one, move) for one in before)
        return None if known else "it goes back to a model that was never confirmed"
    if move.action == "confirm":
        ours = before and before[-1].action in ("deploy", "rollback") and before[-1].operation == move.operation
        return None if ours and _same_model(before[-1], move) else "it confirms what was not about to be served"
    stood = standing(before)
    same = move.model_sha256 == (stood.model_sha256 if stood else None)
    return None if same else "it does not put back what stood before"


def _deploy_problem(move: ChannelEntry, before: Sequence[ChannelEntry], opened: set[str]) -> str | None:
    if move.operation != move.release_id or move.release_id not in opened:
        return f"no release {move.release_id} was opened that could have made it"
    if any(one.operation == move.operation for one in before):
        return f"the release {move.release_id} has moved the channel before"
    return None


def _same_model(one: ChannelEntry, other: ChannelEntry) -> bool:
    return (one.release_id, one.model_sha256) == (other.release_id, other.model_sha256)


def _core_of(decision: Decision) -> tuple[object, ...]:
    results = [
        (r.rule, r.stage, r.metric, r.slice, r.value, r.minimum, r.maximum, r.n, r.status, r.severity)
        for r in decision.results
    ]
    facts = (decision.outcome, decision.tier, decision.facts, decision.policy_version, decision.policy_sha256)
    return (*facts, results)


def _broken(problem: str, where: str) -> IntegrityError:
    return IntegrityError(f"{problem}.", where=where, remedy=_REMEDY)
