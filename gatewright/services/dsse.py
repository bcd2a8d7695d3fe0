"""DSSE envelopes around statements, signed with the pipeline's SSH key as a raw Ed25519 key.

Specification: Dead Simple Signing Envelope 1.0 (protocol.md, envelope.md), by securesystemslib. What is signed begins
with ``DSSEv1``, an SSH signature's message with ``SSHSIG``: one key can make both, and neither passes for the other.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from gatewright.core.errors import IntegrityError, SigningError
from gatewright.core.records import canonical_json

__all__ = ["DsseSigner", "opened_envelope"]


class DsseSigner:
    """Puts payloads into envelopes. Raises SigningError unless the file is an Ed25519 key without a passphrase."""

    def __init__(self, key_file: Path) -> None:
        try:
            key = load_ssh_private_key(key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _unusable(key_file, f"the key cannot be used: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise _unusable(key_file, "the key is not an Ed25519 key")
        self._signer = CryptoSigner(key, _public(key.public_key()))

    def envelope(self, payload: bytes, payload_type: str) -> bytes:
        """Canonical JSON of the envelope; equal payloads give equal bytes."""
        envelope = Envelope(payload, payload_type, {})
        envelope.sign(self._signer)
        return canonical_json(envelope.to_dict())


def opened_envelope(body: bytes, payload_type: str, keys: Sequence[str], *, where: str) -> bytes:
    """The payload of an envelope that one of ``keys`` (OpenSSH public keys, of which Ed25519 ones count) has signed.

    Raises IntegrityError for anything else, also for another payload type.
    """
    try:
        envelope = Envelope.from_dict(json.loads(body))
        if envelope.payload_type != payload_type:
            raise _refused(f"it holds {str(envelope.payload_type)[:80]!r}, not {payload_type!r}", where)
        envelope.verify([_public(key) for key in map(_loaded, keys) if key], threshold=1)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FormatError) as error:
        raise _refused(f"it is no envelope, or nobody may sign it ({type(error).__name__})", where) from None
    except UnverifiedSignatureError:
        raise _refused("no key that counts has signed it", where) from None
    return envelope.payload


def _loaded(key: str) -> Ed25519PublicKey | None:
    try:
        loaded = load_ssh_public_key(key.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return loaded if isinstance(loaded, Ed25519PublicKey) else None


def _public(key: Ed25519PublicKey) -> SSlibKey:
    """Named by its SSH fingerprint, so that an auditor finds it in the roster."""
    raw = key.public_bytes_raw()
    blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + raw
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return SSlibKey.from_crypto(key, keyid=f"SHA256:{digest}")


def _unusable(key_file: Path, problem: str) -> SigningError:
    return SigningError(
        f"{problem.removesuffix('.')}.",
        where=str(key_file),
        remedy="name an OpenSSH Ed25519 key without a passphrase in GATEWRIGHT_PIPELINE_KEY.",
    )


def _refused(problem: str, where: str) -> IntegrityError:
    return IntegrityError(
        f"the envelope does not count: {problem}.", where=where, remedy="restore it, or attest the release again."
    )
