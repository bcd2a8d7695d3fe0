"""Signed checkpoints in a directory outside the store, or in a git work tree, where each is committed.

``<directory>/<log>/<size, 10 digits>/checkpoint.json`` is canonical JSON, ``checkpoint.json.sig`` its armored SSH
signature, which plain ``ssh-keygen -Y verify -n checkpoint@gatewright`` verifies.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gatewright.core.checkpoints import Checkpoint, must_agree
from gatewright.core.errors import IntegrityError, StoreError
from gatewright.core.signatures import CHECKPOINT, SignatureVerifier, Signer
from gatewright.services.ssh_signatures import armored, dearmored
from gatewright.services.store import valid_key

__all__ = ["CheckpointReader", "CheckpointWriter"]

_FILE = "checkpoint.json"
_SIZE = re.compile(r"\d{10}", re.ASCII)
_GIT_SECONDS = 60
# A name and no e-mail that could be a person's; a signing key of the person would ask for a passphrase.
_GIT = ("-c", "user.name=gatewright", "-c", "user.email=gatewright@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class CheckpointReader:
    """Reads checkpoints and believes only those by the pipeline. ``keys``: its public keys at a moment."""

    verifier: SignatureVerifier
    keys: Callable[[datetime], Sequence[str]]

    def read(self, path: Path) -> Checkpoint:
        """The checkpoint in a file, with its signature in ``<path>.sig`` beside it.

        Raises IntegrityError unless both are there and a key signed it that the pipeline had at its time;
        SigningError when ssh-keygen is missing.
        """
        return self.parse(_bytes(path), _bytes(path.with_name(f"{path.name}.sig")), path)

    def parse(self, body: bytes, text: bytes, path: Path) -> Checkpoint:
        """The same from the bytes of both files; ``path`` is only named. Raises as ``read``."""
        checkpoint = Checkpoint.from_bytes(body, where=str(path))
        signature = dearmored(text.decode("ascii", "replace"), where=f"{path}.sig")
        # The bytes are verified as they lie there: an auditor does the same.
        if not self.verifier.signer(body, signature, namespace=CHECKPOINT, keys=self.keys(checkpoint.at)):
            raise _refused("it is not signed by a key that the pipeline had then", path)
        return checkpoint

    def all(self, directory: Path, log: str) -> list[Checkpoint]:
        """All checkpoints of a log, the smallest first; none for a log without any. Raises as ``read``."""
        return [self._at(directory, log, size) for size in _sizes(directory, log)]

    def newest(self, directory: Path, log: str) -> Checkpoint | None:
        """The one with the most entries. Raises as ``read``."""
        sizes = _sizes(directory, log)
        return self._at(directory, log, sizes[-1]) if sizes else None

    def _at(self, directory: Path, log: str, size: int) -> Checkpoint:
        path = _place(directory, log, size) / _FILE
        checkpoint = self.read(path)
        if (checkpoint.log, checkpoint.size) != (log, size):
            raise _refused(f"it is one of {checkpoint.log} with {checkpoint.size} entries", path)
        return checkpoint


class CheckpointWriter:
    """Signs what the chains are now; never for a chain that does not continue the one signed for before."""

    def __init__(self, directory: Path, signer: Signer, reader: CheckpointReader, now: Callable[[], datetime]) -> None:
        self._directory = directory
        self._signer = signer
        self._reader = reader
        self._now = now

    def write(self, log: str, chain: Callable[[], Sequence[str]]) -> Checkpoint | None:
        """Sign for the chain ``log``, of which ``chain`` reads the entries' digests; None for an empty one.

        Written once for each length, all or nothing, and committed where the directory is a git work tree. Raises
        IntegrityError when the chain does not continue the newest checkpoint, StoreError when the directory is not
        there, or cannot be written or committed.
        """
        newest = self._reader.newest(self._directory, log)
        # Read afterwards: then it is at least as long as what anybody has signed for.
        digests = chain()
        must_agree([newest] if newest else [], digests)
        if digests and (newest is None or newest.size < len(digests)):
            newest = Checkpoint(log=log, size=len(digests), head=digests[-1], at=self._now())
            newest = self._place(newest, digests)
        if newest and (self._directory / ".git").exists():
            _commit(self._directory, newest)
        return newest

    def _place(self, checkpoint: Checkpoint, digests: Sequence[str]) -> Checkpoint:
        """Both files or neither; or what another process has placed there meanwhile."""
        place = _place(self._directory, checkpoint.log, checkpoint.size)
        body = checkpoint.to_bytes()
        signature = armored(self._signer.sign(body, namespace=CHECKPOINT)).encode("ascii")
        # A key that is not in the roster must not leave behind what nobody believes.
        self._reader.parse(body, signature, place / _FILE)
        try:
            placed = _create(place, {_FILE: body, f"{_FILE}.sig": signature})
        except OSError as error:
            raise _unusable(self._directory, f"cannot be written: {error.strerror or error}") from None
        if not placed:
            checkpoint = self._reader.read(place / _FILE)
            must_agree([checkpoint], digests)
        return checkpoint


def _create(place: Path, files: dict[str, bytes]) -> bool:
    """Make the directory ``place`` with these files, flushed to disk; False when it is there already."""
    place.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    try:
        made.chmod(0o755)
        for name, body in files.items():
            with (made / name).open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        # Renaming a directory onto one that holds files fails: so of two writers one wins, with both its files.
        os.rename(made, place)
    except OSError:
        if not place.is_dir():
            raise
        return False
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _flush(place.parent)
    return True


def _flush(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sizes(directory: Path, log: str) -> list[int]:
    """The lengths of a log that were signed for, the smallest first. Raises StoreError without the directory."""
    if not directory.is_dir():
        raise _unusable(directory, "is not there")
    try:
        return sorted(int(name) for name in os.listdir(directory / valid_key(log)) if _SIZE.fullmatch(name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(directory, f"cannot be read: {error.strerror or error}") from None


def _place(directory: Path, log: str, size: int) -> Path:
    return directory / valid_key(log) / f"{size:010}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(f"it cannot be read: {error.strerror or error}", path) from None


def _commit(work_tree: Path, checkpoint: Checkpoint) -> None:
    """Commit the log's directory, with what a process that died has left uncommitted there."""
    placed = f":(glob){checkpoint.log}/[0-9]*/*"
    with _turn(work_tree):
        _git(work_tree, "add", "--", placed)
        if _git(work_tree, "status", "--porcelain", "--", placed):
            message = f"Checkpoint of {checkpoint.log}: {checkpoint.size} entries, {checkpoint.head[:12]}"
            _git(work_tree, "commit", "--quiet", "--message", message, "--", placed)


@contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """One process at a time: git gives up when another one holds its index."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _git(work_tree: Path, *arguments: str) -> str:
    command = ["git", "-C", str(work_tree), *_GIT, *arguments]
    # Within a hook of another repository these would lead there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS, env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join((getattr(error, "stderr", "") or str(error)).split())
        raise _unusable(work_tree, f"git {arguments[0]} failed: {said[-200:]}") from None
    return done.stdout.strip()


def _refused(problem: str, path: Path) -> IntegrityError:
    return IntegrityError(
        f"the checkpoint does not count: {problem}.",
        where=str(path),
        remedy="find out who wrote it; take the checkpoints from a copy that is kept elsewhere.",
    )


def _unusable(directory: Path, problem: str) -> StoreError:
    return StoreError(
        f"the directory of checkpoints {problem}.",
        where=str(directory),
        remedy="make or mount it, let this user write there, or correct GATEWRIGHT_CHECKPOINTS.",
    )
