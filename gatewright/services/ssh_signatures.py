"""SSH signatures made and verified by OpenSSH's own ``ssh-keygen -Y``: no cryptography of ours to trust.

Formats: OpenSSH's PROTOCOL.sshsig (the signature) and RFC 4253 section 6.6 (the public key).
"""

import base64
import binascii
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gatewright.core.errors import IntegrityError, SigningError

__all__ = ["SshSignatures", "SshSigner", "armored", "dearmored", "new_key", "public_key_of"]

# Who signed is told by the key. The principal of an allowed-signers line is a pattern, and `*` takes anybody.
_PRINCIPAL = "signer"
_KEY = re.compile(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}", re.ASCII)
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70
# PROTOCOL.sshsig, version 1. ssh-keygen takes version 0 too, and the version is not in what is signed.
_MAGIC = b"SSHSIG\x00\x00\x00\x01"
_VERIFY_SECONDS = 30
# A person may have to type a passphrase or touch a hardware key.
_SIGN_SECONDS = 120
_INSTALL = "install OpenSSH 8.1 or later, so that `ssh-keygen` is on the PATH."


class SshSignatures:
    """Verifies SSH signatures; a `gatewright.core.signatures.SignatureVerifier`."""

    def signer(self, message: bytes, signature: bytes, *, namespace: str, keys: Sequence[str]) -> str | None:
        """The one of ``keys`` that signed ``message`` in ``namespace``; None when none did.

        A key that has more than type and base64 (options, a comment, a second line) never counts, nor a security
        key that nobody touched. Raises SigningError when ssh-keygen is missing or hangs, never for what the
        signature's bytes are.
        """
        plain = [key for key in keys if _KEY.fullmatch(key)]
        if not plain or not namespace or not signature.startswith(_MAGIC):
            return None
        with tempfile.TemporaryDirectory(prefix="gatewright-verify-") as private:
            allowed, blob = Path(private, "allowed_signers"), Path(private, "signature")
            allowed.write_text("".join(f"{_PRINCIPAL} {key}\n" for key in plain), encoding="ascii")
            blob.write_text(armored(signature), encoding="ascii")
            command = ["-Y", "verify", "-f", str(allowed), "-I", _PRINCIPAL, "-n", namespace, "-s", str(blob)]
            done = _ssh_keygen(command, message=message, seconds=_VERIFY_SECONDS)
        if done.returncode != 0:
            return None
        said = done.stdout.decode("ascii", "replace").split()
        key = next((key for key in plain if said and _fingerprint(key) == said[-1]), None)
        return None if key and key.startswith("sk-") and not _touched(signature) else key


class SshSigner:
    """Signs with one key file; a `gatewright.core.signatures.Signer`.

    The ssh-agent is asked only when ``key_file`` is a ``.pub`` file, which says that the private key is there.
    Raises SigningError when the key cannot be used.
    """

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file
        self._agent = key_file.suffix == ".pub"
        if not self._agent:
            _require_private(key_file)
        self._public_key = public_key_of(key_file)

    @property
    def public_key(self) -> str:
        """Type and base64, without the comment."""
        return self._public_key

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        """The binary SSHSIG blob. May ask for a passphrase or a touch. Raises SigningError."""
        with tempfile.TemporaryDirectory(prefix="gatewright-sign-") as private:
            path = Path(private, "message")
            path.write_bytes(message)
            command = ["-Y", "sign", "-f", str(self.key_file), "-n", namespace, str(path)]
            done = _ssh_keygen(command, seconds=_SIGN_SECONDS, agent=self._agent, person=True)
            if done.returncode != 0:
                raise self._unusable(_said(done))
            return dearmored(Path(private, "message.sig").read_text(encoding="ascii"))

    def _unusable(self, text: str) -> SigningError:
        if "passphrase" in text:
            return self._error(
                "the key has a passphrase, and it was not typed.",
                "sign at a terminal, or name the .pub file of a key that the ssh-agent holds.",
            )
        if "match private" in text:
            return self._error(
                "the .pub file beside it belongs to another key.",
                "make it again with `ssh-keygen -y -f KEY > KEY.pub`.",
            )
        return self._error(f"ssh-keygen did not sign: {text}.", "try `ssh-keygen -Y sign` with the key by hand.")

    def _error(self, problem: str, remedy: str) -> SigningError:
        return SigningError(problem, where=str(self.key_file), remedy=remedy)


def public_key_of(key_file: Path) -> str:
    """Type and base64 of a key, read from the .pub file (beside it) or else from the key. Raises SigningError."""
    beside = key_file if key_file.suffix == ".pub" else key_file.with_name(f"{key_file.name}.pub")
    try:
        line = beside.read_text(encoding="utf-8") if beside.exists() else _derived(key_file)
    except (OSError, UnicodeDecodeError) as error:
        raise SigningError(f"cannot be read: {error}.", where=str(beside), remedy="name a readable key file.") from None
    key = " ".join(line.split()[:2])
    if not _KEY.fullmatch(key) or not _decoded(key).startswith(_ssh_string(key.split()[0].encode())):
        raise SigningError("is not an OpenSSH public key.", where=str(beside), remedy="make it with `ssh-keygen -y`.")
    return key


def new_key(path: Path, comment: str) -> str:
    """Make an Ed25519 key without a passphrase at ``path`` (mode 600) and ``path``.pub; the public key.

    Raises SigningError when there is one already or the directory cannot be written.
    """
    if path.exists():
        raise SigningError("there is a key already.", where=str(path), remedy="use it, or choose another name.")
    done = _ssh_keygen(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], seconds=_VERIFY_SECONDS)
    if done.returncode != 0:
        raise SigningError(f"no key was made: {_said(done)}.", where=str(path), remedy="name a writable directory.")
    return public_key_of(path)


def armored(blob: bytes) -> str:
    """The text form of a signature, as ``ssh-keygen -Y sign`` writes it."""
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def dearmored(text: str, *, where: str = "signature") -> bytes:
    """The binary blob of an armored signature. Raises IntegrityError for anything else."""
    lines = text.strip().splitlines()
    try:
        if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
            raise ValueError("no armour")
        return base64.b64decode("".join(lines[1:-1]).encode("ascii"), validate=True)
    except ValueError:  # binascii.Error and UnicodeEncodeError are ones
        raise IntegrityError(
            "is not an armored SSH signature.", where=where, remedy="restore the file, or sign again."
        ) from None


def _derived(key_file: Path) -> str:
    done = _ssh_keygen(["-y", "-f", str(key_file)], seconds=_SIGN_SECONDS, person=True)
    if done.returncode != 0:
        raise SigningError(
            f"its public key cannot be told: {_said(done)}.",
            where=str(key_file),
            remedy="name an OpenSSH private key, with its .pub file beside it when it has a passphrase.",
        )
    return done.stdout.decode("utf-8", "replace")


def _require_private(key_file: Path) -> None:
    if not key_file.is_file():
        raise SigningError(
            "there is no such key file.",
            where=str(key_file),
            remedy="name your own with --key, or make one with `ssh-keygen -t ed25519`.",
        )
    if key_file.stat().st_mode & 0o077:
        raise SigningError(
            "others may read or write the key file.", where=str(key_file), remedy=f"`chmod 600 {key_file}`."
        )


def _ssh_keygen(
    arguments: Sequence[str], *, seconds: int, message: bytes | None = None, agent: bool = False, person: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run ssh-keygen. ``person``: it may talk to the one at the terminal, if there is one."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SigningError("ssh-keygen is not installed.", where="ssh-keygen", remedy=_INSTALL)
    talks = person and sys.__stdin__ is not None and sys.__stdin__.isatty()
    try:
        return subprocess.run(
            [program, *arguments],
            input=message,
            stdin=None if talks or message is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # "Touch your key" is said there, and only to a terminal.
            stderr=None if talks else subprocess.PIPE,
            env=_environment(agent),
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SigningError(f"ssh-keygen did not answer: {error}.", where=program, remedy=_INSTALL) from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.stderr is None:
        return "see above"
    return " ".join(done.stderr.decode("utf-8", "replace").split())[-200:].removesuffix(".")


def _environment(agent: bool) -> Mapping[str, str]:
    """Without the agent and without programs that would ask for a passphrase in a window."""
    kept = {"HOME", "PATH", "TERM", "SSH_SK_PROVIDER", *(["SSH_AUTH_SOCK"] if agent else [])}
    return {"LC_ALL": "C", **{name: value for name, value in os.environ.items() if name in kept}}


def _touched(blob: bytes) -> bool:
    """Whether the security key was touched, which ssh-keygen does not ask for. ``blob`` has been verified.

    PROTOCOL.u2f: the flags follow the type and the signature in the last of the five strings of PROTOCOL.sshsig.
    """
    rest = blob[len(_MAGIC) :]
    for _ in range(4):
        rest = _after_string(rest)
    flags = _after_string(_after_string(rest[4:]))[:1]
    return flags != b"" and bool(flags[0] & 1)


def _after_string(body: bytes) -> bytes:
    return body[4 + int.from_bytes(body[:4], "big") :]


def _fingerprint(key: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_decoded(key)).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def _decoded(key: str) -> bytes:
    """The key's blob; empty unless its base64 is spelled in the one canonical way, as ssh-keygen demands too."""
    text = key.split()[1]
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return blob if base64.b64encode(blob).decode() == text else b""


def _ssh_string(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body
