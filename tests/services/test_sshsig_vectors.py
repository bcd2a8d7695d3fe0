"""The signature format against OpenSSH's published vectors, and against signatures made from its specification."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatewright.services.ssh_signatures import SshSignatures, SshSigner, dearmored, public_key_of
from tests.services.sshsig_by_hand import Sign, by_hand, ed25519_key, hardware_key

# Debian's package `openssh-tests` puts them there; in OpenSSH's source it is the path from `regress` on.
VECTORS = Path(os.environ.get("OPENSSH_TESTS", "/usr/lib/openssh")) / "regress/unittests/sshsig/testdata"
# RFC 8032, section 7.1, TEST 1.
RFC_SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
MESSAGE = b'{"reason":"looks right"}'
NAMESPACE = "release-approval@gatewright"
VERIFIER = SshSignatures()


# CI demands them; elsewhere their absence skips the test.
MISSING = not VECTORS.is_dir() and "GATEWRIGHT_REQUIRE_VECTORS" not in os.environ


@pytest.mark.skipif(MISSING, reason="apt-get install openssh-tests, or set OPENSSH_TESTS")
@pytest.mark.parametrize("name", ["ed25519", "ecdsa", "ed25519_sk", "ecdsa_sk", "ecdsa_sk_webauthn"])
def test_the_published_vectors_verify(name: str) -> None:
    """Each signs OpenSSH's text in its namespace, and nothing else."""
    message = (VECTORS / "signed-data").read_bytes()
    namespace = (VECTORS / "namespace").read_text()
    blob = dearmored((VECTORS / f"{name}.sig").read_text())
    key = public_key_of(VECTORS / f"{name}.pub")
    assert VERIFIER.signer(message, blob, namespace=namespace, keys=(key,)) == key
    assert VERIFIER.signer(message + b"\n", blob, namespace=namespace, keys=(key,)) is None
    assert VERIFIER.signer(message, blob, namespace=NAMESPACE, keys=(key,)) is None


@pytest.mark.parametrize("kind", [ed25519_key, hardware_key])
def test_a_signature_made_from_the_specification_verifies(
    kind: Callable[[Ed25519PrivateKey], tuple[bytes, Sign]],
) -> None:
    """An ordinary key and a touched security key, whose bytes are laid out by hand."""
    key, blob = by_hand(kind(Ed25519PrivateKey.generate()), MESSAGE, NAMESPACE)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(key,)) == key
    assert VERIFIER.signer(MESSAGE + b".", blob, namespace=NAMESPACE, keys=(key,)) is None


def test_a_security_key_signs_its_counter_and_its_touch() -> None:
    """Neither can be changed afterwards."""
    public, sign = hardware_key(Ed25519PrivateKey.generate(), flags=0)

    def touched(body: bytes) -> bytes:
        inner = bytearray(sign(body))
        inner[-5] = 1
        return bytes(inner)

    made: tuple[bytes, Sign] = (public, touched)
    key, blob = by_hand(made, MESSAGE, NAMESPACE)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(key,)) is None


def test_a_security_key_that_nobody_touched_counts_for_nothing() -> None:
    """OpenSSH's ssh-keygen takes it; a program on the person's computer could have made it alone."""
    key, blob = by_hand(hardware_key(Ed25519PrivateKey.generate(), flags=0), MESSAGE, NAMESPACE)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(key,)) is None


def test_a_known_key_makes_the_known_signature(tmp_path: Path) -> None:
    """With RFC 8032's first key, ssh-keygen and the hand-made bytes are equal: Ed25519 leaves no choice."""
    private = Ed25519PrivateKey.from_private_bytes(RFC_SECRET)
    assert private.public_key().public_bytes_raw() == RFC_PUBLIC
    path = tmp_path / "rfc8032"
    path.touch(mode=0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    signer = SshSigner(path)
    key, blob = by_hand(ed25519_key(private), MESSAGE, NAMESPACE)
    assert signer.public_key == key
    assert signer.sign(MESSAGE, namespace=NAMESPACE) == blob
