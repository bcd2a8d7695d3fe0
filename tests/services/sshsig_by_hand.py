"""SSH signatures put together from OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f, without ssh-keygen."""

import base64
import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["by_hand", "ed25519_key", "hardware_key"]

_APPLICATION = b"ssh:"
_ED25519 = b"ssh-ed25519"
_HARDWARE = b"sk-ssh-ed25519@openssh.com"

Sign = Callable[[bytes], bytes]


def ed25519_key(key: Ed25519PrivateKey) -> tuple[bytes, Sign]:
    """The public key blob, and what makes the inner signature."""
    blob = _string(_ED25519) + _string(key.public_key().public_bytes_raw())
    return blob, lambda body: _string(_ED25519) + _string(key.sign(body))


def hardware_key(key: Ed25519PrivateKey, *, counter: int = 7, flags: int = 1) -> tuple[bytes, Sign]:
    """What a security key with this private key gives. Flag 1: it was touched."""
    blob = _string(_HARDWARE) + _string(key.public_key().public_bytes_raw()) + _string(_APPLICATION)
    said = bytes([flags]) + counter.to_bytes(4, "big")

    def sign(body: bytes) -> bytes:
        signed = hashlib.sha256(_APPLICATION).digest() + said + hashlib.sha256(body).digest()
        return _string(_HARDWARE) + _string(key.sign(signed)) + said

    return blob, sign


def by_hand(key: tuple[bytes, Sign], message: bytes, namespace: str) -> tuple[str, bytes]:
    """The public key as in a .pub file, and the binary SSHSIG blob."""
    public, sign = key
    terms = _string(namespace.encode()) + _string(b"") + _string(b"sha512")
    signature = sign(b"SSHSIG" + terms + _string(hashlib.sha512(message).digest()))
    kind = public[4 : 4 + int.from_bytes(public[:4], "big")].decode()
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + _string(public) + terms + _string(signature)
    return f"{kind} {base64.b64encode(public).decode()}", blob


def _string(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body
