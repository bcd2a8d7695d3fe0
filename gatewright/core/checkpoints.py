"""Checkpoints of hash chains: how long a chain was and where it stood, signed, and kept away from the chain.

A chain alone cannot show that its end was cut off, nor that all of it was written anew. A checkpoint can.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gatewright.core.errors import IntegrityError
from gatewright.core.records import Record, Sha256, Timestamp

__all__ = ["CHECKPOINT_KIND", "Checkpoint", "LogName", "Outcome", "must_agree", "verify_against"]

CHECKPOINT_KIND: Literal["ledger-checkpoint"] = "ledger-checkpoint"
_NAME = r"[a-z0-9][a-z0-9_.-]{0,62}"
# Each part becomes a directory; this alphabet cannot leave it.
LogName = Annotated[str, StringConstraints(pattern=rf"^{_NAME}(/{_NAME}){{1,3}}$")]
Outcome = Literal["holds", "tail cut", "rewritten"]


class Checkpoint(Record):
    """At ``at`` the chain ``log`` had ``size`` entries, and ``head`` was the SHA-256 of the last one's bytes.

    ``log`` is the chain's place in the store, such as ``ledger/triage`` or ``channels/triage/production``.
    """

    kind: Literal["ledger-checkpoint"] = CHECKPOINT_KIND
    log: LogName
    size: Annotated[int, Field(ge=1, lt=10**10)]
    head: Sha256
    at: Timestamp


def verify_against(checkpoint: Checkpoint, digests: Sequence[str]) -> Outcome:
    """What became of a chain since: ``digests`` are those of all its entries' bytes, the links verified."""
    if len(digests) < checkpoint.size:
        return "tail cut"
    return "holds" if digests[checkpoint.size - 1] == checkpoint.head else "rewritten"


def must_agree(checkpoints: Sequence[Checkpoint], digests: Sequence[str]) -> int:
    """The size up to which checkpoints cover the chain, 0 without any.

    Raises IntegrityError when one does not hold: the tail was cut, the chain was rewritten, or, where an earlier one
    still holds, it was forked after that.
    """
    ordered = sorted(checkpoints, key=lambda checkpoint: checkpoint.size)
    held = 0
    for checkpoint in ordered:
        outcome = verify_against(checkpoint, digests)
        if outcome != "holds":
            raise _broken(checkpoint, _told(outcome, checkpoint, len(digests), held))
        held = checkpoint.size
    return held


def _told(outcome: Outcome, checkpoint: Checkpoint, length: int, held: int) -> str:
    if outcome == "tail cut":
        return f"its tail was cut: it had {checkpoint.size} entries on {checkpoint.at:%Y-%m-%d}, now {length}"
    if held:
        return f"it was forked: up to entry {held} it is what it was, entry {checkpoint.size} is another one"
    return f"it was rewritten: entry {checkpoint.size} is not the one of {checkpoint.at:%Y-%m-%d}"


def _broken(checkpoint: Checkpoint, problem: str) -> IntegrityError:
    return IntegrityError(
        f"the chain is not the one that was signed for: {problem}.",
        where=checkpoint.log,
        remedy="stop and investigate who can write to the record bucket; restore its objects from a backup.",
    )
