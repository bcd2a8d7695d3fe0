"""The port to signatures. All are SSH signatures (``ssh-keygen -Y``), which an auditor can verify with what they have.

Specification: OpenSSH's PROTOCOL.sshsig. A namespace keeps a signature for one purpose from being used for another.
"""

from collections.abc import Sequence
from typing import Protocol

__all__ = [
    "APPROVAL",
    "BREAK_GLASS",
    "CHANGE",
    "CHECKPOINT",
    "GATEWAY_STAMP",
    "ROLLBACK",
    "ROLLBACK_STAMP",
    "SEAL",
    "WAIVER",
    "SignatureVerifier",
    "Signer",
]

APPROVAL = "release-approval@gatewright"
BREAK_GLASS = "break-glass@gatewright"
CHANGE = "governed-change@gatewright"
CHECKPOINT = "checkpoint@gatewright"
GATEWAY_STAMP = "gateway-stamp@gatewright"
ROLLBACK = "rollback@gatewright"
ROLLBACK_STAMP = "rollback-stamp@gatewright"
SEAL = "channel-seal@gatewright"
WAIVER = "waiver@gatewright"


class SignatureVerifier(Protocol):
    """Says which key made a signature."""

    def signer(self, message: bytes, signature: bytes, *, namespace: str, keys: Sequence[str]) -> str | None:
        """The one of ``keys`` (OpenSSH public keys) that signed ``message`` in ``namespace``; None when none did.

        ``signature`` is the binary SSHSIG blob. Whatever the bytes are, nothing is raised for a bad signature.
        """
        ...


class Signer(Protocol):
    """Holds one private key."""

    @property
    def public_key(self) -> str:
        """Type and base64, as in the roster."""
        ...

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        """The binary SSHSIG blob."""
        ...
