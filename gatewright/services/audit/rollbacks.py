"""The step of an audit about who took a model back: each rollback is proven again from its own record."""

from collections import Counter
from typing import TYPE_CHECKING

from gatewright.core.assurance import Assurance
from gatewright.core.errors import IntegrityError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.rollback_proof import AcceptedRollback, prove_rollback
from gatewright.core.way_back import way_back

if TYPE_CHECKING:
    from gatewright.services.audit.model import ModelAudit

__all__ = ["rollbacks"]


def rollbacks(of: "ModelAudit") -> str:
    """Every rollback that moved the channel, held against policy and roster of its own moment, and the ledger.

    Raises ApprovalError for one that does not hold, IntegrityError for a record that the ledger does not know.
    """
    made = [n for n, move in enumerate(of.moves, start=1) if move.action == "rollback"]
    surely = Counter(_proven(of, n) for n in made)
    kinds: tuple[Assurance, ...] = ("signed", "gateway", "declared")
    return ", ".join(f"{surely[kind]} {kind}" for kind in kinds if surely[kind]) or "nothing was taken back"


def _proven(of: "ModelAudit", n: int) -> Assurance:
    move, before = of.moves[n - 1], of.moves[: n - 1]
    recorded = of.store.rollback_records.find(of.model, of.channel, move.operation)
    _require_noted(of, n, recorded)
    policy = of.store.in_force("policy", of.model, move.at)
    if recorded is None:
        # Made by software that kept no record: a typed name, and no more.
        asked = policy.policy.rollback_assurance
        if asked != "declared":
            raise _broken(of, n, f"nothing proves who took it back, and the policy asks for a {asked} name")
        return "declared"
    way = way_back(before, of.model, of.channel, recorded.to_release)
    roster = of.store.in_force("roster", ROSTER_NAME, move.at)
    prove_rollback(recorded, way, policy, roster, of.store.signatures, at=move.at)
    said = (recorded.principal, recorded.reason, recorded.to_release, recorded.to_model_sha256)
    if said != (move.actor, move.reason, move.release_id, move.model_sha256):
        raise _broken(of, n, "the channel says another who, why or where to than what was accepted")
    return recorded.assurance


def _require_noted(of: "ModelAudit", n: int, recorded: AcceptedRollback | None) -> None:
    """The ledger is hash-chained, so what it says cannot be edited as a single record can."""
    confirmed = {m.digest for m in of.moves if m.operation == of.moves[n - 1].operation and m.action == "confirm"}
    for entry in of.entries:
        if entry.kind != "rolled_back" or entry.digests.get("move") not in confirmed:
            continue
        wanted = (recorded.digest, recorded.assurance) if recorded else (None, None)
        if (entry.digests.get("rollback"), entry.assurance) != wanted:
            raise _broken(of, n, "the ledger names another record of who took it back")


def _broken(of: "ModelAudit", n: int, problem: str) -> IntegrityError:
    return IntegrityError(
        f"{problem}.",
        where=f"{of.where} generation {n}",
        remedy="stop and investigate who changed the store; compare with a checkpoint and with a backup.",
    )
