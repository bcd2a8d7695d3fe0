"""Somebody breaks the glass for a release of the audited year."""

from gatewright.core.break_glass import accept_break_glass, break_glass_statement
from gatewright.core.policy import BreakGlass, Policy
from gatewright.core.releases import Opening
from gatewright.core.signatures import BREAK_GLASS
from gatewright.core.statements import Request
from gatewright.core.tokens import token_of
from gatewright.services.release_records import AnswerRecord
from tests.services.audit_world import OWNER, AuditWorld

__all__ = ["break_glass", "with_break_glass"]


def with_break_glass(policy: Policy) -> Policy:
    """The owner may, for four hours."""
    return policy.model_copy(update={"break_glass": BreakGlass(roles=("compliance-officer",), hours=4)})


def break_glass(world: AuditWorld, opening: Opening, request: Request) -> None:
    """The owner lets the release go on alone, and its run receives that."""
    services = world.process()
    policy = services.releases.policy(opening)
    said = break_glass_statement(
        request, policy, principal=OWNER, reason="Lives depend on it.", issued=world.now()
    ).to_bytes()
    token = token_of(said, world.signer(OWNER).sign(said, namespace=BREAK_GLASS))
    emergency = accept_break_glass(token, request, policy, [world.roster], services.signatures, at=world.now())
    services.releases.record("answer-1", opening, AnswerRecord(approval=None, refusal=None, emergency=emergency))
    services.releases.note_emergency(opening, emergency)
