"""SSH signatures by the real ssh-keygen: OpenSSH's published vectors, and what must never count."""

import base64
import os
import pty
import shutil
import stat
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.errors import IntegrityError, SigningError
from gatewright.services.ssh_signatures import SshSignatures, SshSigner, armored, dearmored, new_key, public_key_of

MESSAGE = b'{"reason":"looks right"}'
NAMESPACE = "release-approval@gatewright"
VERIFIER = SshSignatures()


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> SshSigner:
    return _new_signer(tmp_path_factory.mktemp("keys") / "ana")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> SshSigner:
    return _new_signer(tmp_path_factory.mktemp("keys") / "ben")


def test_the_key_that_signed_is_found_among_others(signer: SshSigner, other: SshSigner) -> None:
    """Of several keys the one that signed is named."""
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    keys = (other.public_key, signer.public_key)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=keys) == signer.public_key


def test_a_signature_by_a_key_that_is_not_asked_for_counts_for_nothing(signer: SshSigner, other: SshSigner) -> None:
    """A good signature by somebody else proves nothing."""
    blob = other.sign(MESSAGE, namespace=NAMESPACE)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(signer.public_key,)) is None
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=()) is None


def test_a_signature_for_another_purpose_or_text_counts_for_nothing(signer: SshSigner) -> None:
    """The namespace and every byte of the message are bound."""
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    keys = (signer.public_key,)
    assert VERIFIER.signer(MESSAGE, blob, namespace="waiver@gatewright", keys=keys) is None
    assert VERIFIER.signer(MESSAGE, blob, namespace="", keys=keys) is None
    assert VERIFIER.signer(MESSAGE + b" ", blob, namespace=NAMESPACE, keys=keys) is None
    assert VERIFIER.signer(b"", blob, namespace=NAMESPACE, keys=keys) is None


@pytest.mark.parametrize(
    "written",
    [
        "cert-authority {key}",
        'namespaces="*" {key}',
        "{key} comment",
        "{key}\n* {key}",
        " {key}",
        "{key}\n",
        "# {key}",
    ],
)
def test_a_key_with_anything_beside_it_does_not_count(signer: SshSigner, written: str) -> None:
    """Options, comments and second lines could widen who is allowed: such a key is none."""
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    keys = (written.format(key=signer.public_key),)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=keys) is None


def test_a_broken_key_does_not_hide_the_others(signer: SshSigner) -> None:
    """One unreadable key in the roster keeps nobody else from signing."""
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    keys = ("ssh-ed25519 AAAA", "ssh-ed25519 A", "nonsense QUJD", signer.public_key)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=keys) == signer.public_key


def test_another_spelling_of_a_key_is_not_taken_for_it(tmp_path: Path) -> None:
    """Base64 with padding has spare bits: whoever lists a colleague's key a second time so signs for nobody."""
    command = ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "k")]
    subprocess.run(command, check=True, capture_output=True)
    signer = SshSigner(tmp_path / "k")
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    bare = signer.public_key.rstrip("=")
    again = bare[:-1] + alphabet[alphabet.index(bare[-1]) ^ 1] + "=" * (len(signer.public_key) - len(bare))
    assert base64.b64decode(again.split()[1]) == base64.b64decode(signer.public_key.split()[1])
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(again,)) is None
    keys = (again, signer.public_key)
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=keys) == signer.public_key


@settings(max_examples=60)
@given(garbage=st.binary(max_size=400))
def test_garbage_is_no_signature(signer: SshSigner, garbage: bytes) -> None:
    """Whatever the bytes are, nothing is raised and nobody signed."""
    assert VERIFIER.signer(MESSAGE, garbage, namespace=NAMESPACE, keys=(signer.public_key,)) is None


@settings(max_examples=60)
@given(data=st.data())
def test_a_signature_with_one_bit_changed_is_none(signer: SshSigner, data: st.DataObject) -> None:
    """Each bit of the blob counts."""
    blob = bytearray(signer.sign(MESSAGE, namespace=NAMESPACE))
    bit = data.draw(st.integers(0, 8 * len(blob) - 1))
    blob[bit // 8] ^= 1 << bit % 8
    assert VERIFIER.signer(MESSAGE, bytes(blob), namespace=NAMESPACE, keys=(signer.public_key,)) is None


@pytest.mark.parametrize("version", [0, 2, 2**32 - 1])
def test_a_signature_of_another_version_is_none(signer: SshSigner, version: int) -> None:
    """ssh-keygen takes version 0 for 1, and the version is not signed: two texts would be one signature."""
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    other = blob[:6] + version.to_bytes(4, "big") + blob[10:]
    assert VERIFIER.signer(MESSAGE, other, namespace=NAMESPACE, keys=(signer.public_key,)) is None


def test_the_armour_is_the_one_of_ssh_keygen(signer: SshSigner, tmp_path: Path) -> None:
    """Ed25519 signatures are deterministic: our text form is byte for byte what ssh-keygen writes, and goes back."""
    message = tmp_path / "message"
    message.write_bytes(MESSAGE)
    command = ["ssh-keygen", "-Y", "sign", "-f", str(signer.key_file), "-n", NAMESPACE, str(message)]
    subprocess.run(command, check=True, capture_output=True)
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    assert armored(blob) == (tmp_path / "message.sig").read_text()
    assert dearmored(armored(blob)) == blob


@pytest.mark.parametrize(
    "text",
    ["", "QUJD", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", armored(b"x" * 90).replace("e", "é")],
)
def test_text_that_is_no_armour_is_refused(text: str) -> None:
    """Only the armour with base64 in it is read."""
    with pytest.raises(IntegrityError, match="armored"):
        dearmored(text)


def test_a_new_key_is_private_and_never_overwritten(tmp_path: Path) -> None:
    """Mode 600, the comment in the .pub file only, and a second call keeps the first key."""
    path = tmp_path / "pipeline"
    key = new_key(path, "pipeline@test")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (tmp_path / "pipeline.pub").read_text() == f"{key} pipeline@test\n"
    with pytest.raises(SigningError, match="already"):
        new_key(path, "again")
    assert public_key_of(path) == key


def test_the_public_key_is_told_without_its_file(tmp_path: Path) -> None:
    """Without the .pub file it is derived from the private key."""
    key = new_key(tmp_path / "k", "k")
    (tmp_path / "k.pub").unlink()
    assert SshSigner(tmp_path / "k").public_key == key


def test_a_missing_key_says_so(tmp_path: Path) -> None:
    """The path and the way to make one are named."""
    with pytest.raises(SigningError, match="no such key file"):
        SshSigner(tmp_path / "nowhere")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """With the command that corrects it."""
    new_key(tmp_path / "k", "k")
    (tmp_path / "k").chmod(0o640)
    with pytest.raises(SigningError, match="chmod 600"):
        SshSigner(tmp_path / "k")


def test_a_passphrase_without_a_terminal_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    """Nobody is there to type it."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "correct horse", "-f", str(tmp_path / "k")]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(SigningError, match="passphrase"):
        SshSigner(tmp_path / "k").sign(MESSAGE, namespace=NAMESPACE)


def test_at_a_terminal_the_passphrase_is_asked_for(tmp_path: Path) -> None:
    """By ssh-keygen itself, on the terminal: the passphrase never comes through this program."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "correct horse", "-f", str(tmp_path / "k")]
    subprocess.run(command, check=True, capture_output=True)
    code = (
        "import sys; from pathlib import Path; from gatewright.services.ssh_signatures import SshSigner; "
        f"Path(sys.argv[2]).write_bytes(SshSigner(Path(sys.argv[1])).sign({MESSAGE!r}, namespace={NAMESPACE!r}))"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code, str(tmp_path / "k"), str(tmp_path / "blob")])
    assert b"Enter passphrase" in os.read(terminal, 1000)
    os.write(terminal, b"correct horse\n")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)
    key, blob = public_key_of(tmp_path / "k"), (tmp_path / "blob").read_bytes()
    assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(key,)) == key


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    """A private key that cannot be read, and a .pub file with other text in it."""
    (tmp_path / "k").write_text("no key")
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(SigningError, match="public key cannot be told"):
        SshSigner(tmp_path / "k")
    (tmp_path / "k.pub").write_text("no key either")
    with pytest.raises(SigningError, match="not an OpenSSH public key"):
        SshSigner(tmp_path / "k")


def test_a_public_key_of_another_pair_is_noticed(tmp_path: Path) -> None:
    """Otherwise signatures would be made that nobody accepts."""
    new_key(tmp_path / "k", "k")
    new_key(tmp_path / "other", "other")
    shutil.copy(tmp_path / "other.pub", tmp_path / "k.pub")
    with pytest.raises(SigningError, match="another key"):
        SshSigner(tmp_path / "k").sign(MESSAGE, namespace=NAMESPACE)


def test_a_missing_ssh_keygen_is_an_error_with_a_remedy(signer: SshSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never taken for a bad signature."""
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SigningError, match="install OpenSSH"):
        VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(signer.public_key,))


def test_what_a_failing_ssh_keygen_prints_is_not_believed(
    signer: SshSigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exit status decides: this one prints a good answer and fails."""
    command = ["ssh-keygen", "-l", "-f", f"{signer.key_file}.pub"]
    fingerprint = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]
    blob = signer.sign(MESSAGE, namespace=NAMESPACE)
    for status, found in ((0, signer.public_key), (1, None)):
        liar = tmp_path / str(status) / "ssh-keygen"
        liar.parent.mkdir()
        liar.write_text(f"#!/bin/sh\necho Good signature with ED25519 key {fingerprint}\nexit {status}\n")
        liar.chmod(0o755)
        monkeypatch.setenv("PATH", f"{liar.parent}:{os.defpath}")
        assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(signer.public_key,)) == found


def test_the_agent_is_asked_only_for_a_public_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the agent signs when its .pub file is named; the locked private key beside it does not."""
    key = new_key(tmp_path / "k", "k")
    started = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    socket, pid = (started.split(f"{name}=")[1].split(";")[0] for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID"))
    monkeypatch.setenv("SSH_AUTH_SOCK", socket)
    try:
        subprocess.run(["ssh-add", "-q", str(tmp_path / "k")], check=True, capture_output=True)
        lock = ["ssh-keygen", "-q", "-p", "-N", "correct horse", "-f", str(tmp_path / "k")]
        subprocess.run(lock, check=True, capture_output=True)
        blob = SshSigner(tmp_path / "k.pub").sign(MESSAGE, namespace=NAMESPACE)
        assert VERIFIER.signer(MESSAGE, blob, namespace=NAMESPACE, keys=(key,)) == key
        with pytest.raises(SigningError, match="passphrase"):
            SshSigner(tmp_path / "k").sign(MESSAGE, namespace=NAMESPACE)
    finally:
        os.kill(int(pid), 15)


def _new_signer(path: Path) -> SshSigner:
    new_key(path, "test")
    return SshSigner(path)
