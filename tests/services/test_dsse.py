"""DSSE envelopes: the published vector, and what must never be opened."""

import base64
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature, SSlibKey

from gatewright.core.errors import IntegrityError, SigningError
from gatewright.services.dsse import DsseSigner, opened_envelope
from gatewright.services.ssh_signatures import SshSigner, new_key

KIND = "application/vnd.in-toto+json"
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
# Test vector of the specification, protocol.md: ECDSA over NIST P-256 and SHA-256, of these two values.
VECTOR_TYPE, VECTOR_PAYLOAD = "http://example.com/HelloWorld", b"hello world"
VECTOR_X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
VECTOR_Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
VECTOR_SIGNATURE = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "pipeline"
    new_key(path, "pipeline")
    return path


@pytest.fixture(scope="module")
def key(key_file: Path) -> str:
    return SshSigner(key_file).public_key


@pytest.fixture(scope="module")
def body(key_file: Path) -> bytes:
    return DsseSigner(key_file).envelope(PAYLOAD, KIND)


def opened(body: bytes, *keys: str, kind: str = KIND) -> bytes:
    return opened_envelope(body, kind, keys, where="attestation")


def changed(body: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(body), **fields}).encode()


def test_what_is_signed_is_the_published_encoding() -> None:
    """PAE of the specification's example."""
    envelope = Envelope(VECTOR_PAYLOAD, VECTOR_TYPE, {})
    assert envelope.pae() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_the_published_signature_verifies() -> None:
    """The specification's key and signature over its example; over another payload they do not."""
    public = ec.EllipticCurvePublicNumbers(VECTOR_X, VECTOR_Y, ec.SECP256R1()).public_key()
    vector = SSlibKey.from_crypto(public, keyid="vector")
    raw = base64.b64decode(VECTOR_SIGNATURE)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    signatures = {"vector": Signature("vector", signature.hex())}
    assert Envelope(VECTOR_PAYLOAD, VECTOR_TYPE, signatures).verify([vector], 1) == {"vector": vector}
    with pytest.raises(UnverifiedSignatureError):
        Envelope(b"hello world!", VECTOR_TYPE, signatures).verify([vector], 1)


def test_an_envelope_gives_its_payload_back(body: bytes, key: str) -> None:
    """To whoever trusts the key, which the envelope names by its SSH fingerprint; made again it is the same."""
    assert opened(body, key) == PAYLOAD
    envelope = json.loads(body)
    assert base64.b64decode(envelope["payload"]) == PAYLOAD
    assert envelope["payloadType"] == KIND
    assert envelope["signatures"][0]["keyid"].startswith("SHA256:")


def test_the_same_payload_gives_the_same_envelope(key_file: Path, body: bytes) -> None:
    """Ed25519 leaves no choice, so a second writer after a crash writes the same bytes."""
    assert DsseSigner(key_file).envelope(PAYLOAD, KIND) == body


def test_the_signature_is_plain_ed25519_over_the_published_encoding(body: bytes, key: str) -> None:
    """Any tool can verify it: the raw signature, the key of the .pub file, the encoding written by hand."""
    public = load_ssh_public_key(key.encode())
    assert isinstance(public, Ed25519PublicKey)
    signed = b"DSSEv1 %d %b %d %b" % (len(KIND), KIND.encode(), len(PAYLOAD), PAYLOAD)
    public.verify(base64.b64decode(json.loads(body)["signatures"][0]["sig"]), signed)


def test_a_changed_payload_or_type_is_refused(body: bytes, key: str) -> None:
    """Both are signed."""
    other = base64.b64encode(PAYLOAD + b" ").decode()
    with pytest.raises(IntegrityError, match="no key that counts"):
        opened(changed(body, payload=other), key)
    with pytest.raises(IntegrityError, match="no key that counts"):
        opened(changed(body, payloadType="text/plain"), key, kind="text/plain")


def test_an_envelope_of_another_type_is_refused(key_file: Path, key: str) -> None:
    """Well signed, but for another purpose."""
    with pytest.raises(IntegrityError, match="'text/plain'"):
        opened(DsseSigner(key_file).envelope(PAYLOAD, "text/plain"), key)


def test_an_envelope_by_another_key_is_refused(body: bytes, key: str, tmp_path: Path) -> None:
    """Also under the name of the key that counts; and with no key nothing counts."""
    other = new_key(tmp_path / "other", "other")
    foreign = DsseSigner(tmp_path / "other").envelope(PAYLOAD, KIND)
    with pytest.raises(IntegrityError, match="no key that counts"):
        opened(foreign, key)
    signature = {**json.loads(foreign)["signatures"][0], "keyid": json.loads(body)["signatures"][0]["keyid"]}
    with pytest.raises(IntegrityError, match="no key that counts"):
        opened(changed(foreign, signatures=[signature]), key)
    with pytest.raises(IntegrityError):
        opened(body)
    assert opened(foreign, "not a key", key, other) == PAYLOAD


def test_an_ssh_signature_is_no_envelope_signature(body: bytes, key: str, key_file: Path) -> None:
    """The same key signs approvals of machines in another form; it does not fit here."""
    envelope = json.loads(body)
    message = Envelope(PAYLOAD, KIND, {}).pae()
    blob = SshSigner(key_file).sign(message, namespace="file")
    signature = {**envelope["signatures"][0], "sig": base64.b64encode(blob[-64:]).decode()}
    with pytest.raises(IntegrityError, match="no key that counts"):
        opened(changed(body, signatures=[signature]), key)


@pytest.mark.parametrize(
    "fields",
    [
        {"signatures": []},
        {"signatures": None},
        {"signatures": [{}]},
        {"signatures": ["x"]},
        {"payload": 1},
        {"payload": "é"},
        {"payloadType": 1},
    ],
)
def test_an_envelope_that_is_none_is_refused(body: bytes, key: str, fields: dict[str, object]) -> None:
    """Missing, empty and of the wrong type."""
    with pytest.raises(IntegrityError):
        opened(changed(body, **fields), key)


@given(garbage=st.binary(max_size=60) | st.just(b"[" * 100_000))
def test_garbage_is_no_envelope(key: str, garbage: bytes) -> None:
    """It is refused with the one error for it."""
    with pytest.raises(IntegrityError):
        opened(garbage, key)


def test_a_key_that_cannot_sign_envelopes_says_so(tmp_path: Path) -> None:
    """Missing, no key, and a key of another kind."""
    with pytest.raises(SigningError, match="No such file"):
        DsseSigner(tmp_path / "nowhere")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(SigningError, match="cannot be used"):
        DsseSigner(tmp_path / "text")
    for name, options in (("ecdsa", ["-t", "ecdsa", "-N", ""]), ("locked", ["-t", "ed25519", "-N", "correct horse"])):
        command = ["ssh-keygen", "-q", *options, "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(SigningError, match="not an Ed25519"):
        DsseSigner(tmp_path / "ecdsa")
    with pytest.raises(SigningError, match="cannot be used"):
        DsseSigner(tmp_path / "locked")
