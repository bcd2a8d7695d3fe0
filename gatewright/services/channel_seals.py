"""Seals of channel moves: who can write to the bucket cannot make anything serve without the pipeline's key."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gatewright.core.channels import ChannelEntry, follows_in_time, seal_message
from gatewright.core.errors import IntegrityError
from gatewright.core.signatures import SEAL, SignatureVerifier, Signer

__all__ = ["TrustedSeals", "sealed"]

_REMEDY = (
    "find out who wrote this move; keep a copy of it, then remove it from the bucket. "
    "If the pipeline did, put its key into the roster first."
)


@dataclass(frozen=True)
class TrustedSeals:
    """Says whether the pipeline made a move. ``keys`` gives its public keys at a moment (of the roster in force).

    ``asked`` says whether that roster names a pipeline at all. Until one does, moves may have no seal; after the first
    sealed one every move has, whatever becomes of the roster.
    """

    verifier: SignatureVerifier
    keys: Callable[[datetime], Sequence[str]]
    asked: Callable[[datetime], bool] = lambda at: True

    def require(
        self, entry: ChannelEntry, before: ChannelEntry | None, *, model: str, channel: str, n: int, where: str
    ) -> None:
        """Raises IntegrityError unless generation ``n`` has a seal by a key that counted at its time.

        Nor may it be older than ``before``, the move before it. Raises SigningError when ssh-keygen is missing.
        """
        if not follows_in_time(entry, before):
            raise _refused("it is older than the move before it", where)
        never_sealed = before is None or before.seal is None
        if entry.seal is None and never_sealed and not self.asked(entry.at):
            return
        if entry.seal is None:
            raise _refused("it has no seal", where)
        message = seal_message(entry, model, channel, n)
        keys = self.keys(entry.at)
        if self.verifier.signer(message, _blob(entry.seal), namespace=SEAL, keys=keys) is None:
            raise _refused("its seal is not by a key that the pipeline had then", where)


def sealed(entry: ChannelEntry, signer: Signer | None, model: str, channel: str, n: int) -> ChannelEntry:
    """``entry`` as generation ``n`` with the signer's seal, and without any that it had before."""
    if signer is None:
        return entry.model_copy(update={"seal": None})
    blob = signer.sign(seal_message(entry, model, channel, n), namespace=SEAL)
    return entry.model_copy(update={"seal": base64.b64encode(blob).decode()})


def _blob(seal: str) -> bytes:
    try:
        return base64.b64decode(seal, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused(problem: str, where: str) -> IntegrityError:
    return IntegrityError(f"the pipeline did not make this move: {problem}.", where=where, remedy=_REMEDY)
