"""Signed checkpoints in a directory: written once, all or nothing, and believed only with the pipeline's signature."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gatewright.core.checkpoints import Checkpoint
from gatewright.core.errors import IntegrityError, SpecError, StoreError
from gatewright.core.signatures import APPROVAL, CHECKPOINT
from gatewright.services import checkpoints
from gatewright.services.checkpoints import CheckpointReader, CheckpointWriter
from gatewright.services.ssh_signatures import SshSignatures, SshSigner, armored, new_key

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LOG = "ledger/triage"
A, B, C, OTHER = "a" * 64, "b" * 64, "c" * 64, "f" * 64


class Desk:
    """A directory, the pipeline's key and its writer and reader."""

    def __init__(self, root: Path, keys: Path) -> None:
        self.directory = root / "checkpoints"
        self.directory.mkdir()
        self.pipeline = SshSigner(keys / "pipeline")
        self.stranger = SshSigner(keys / "stranger")
        self.reader = CheckpointReader(SshSignatures(), self._keys)

    def write(self, *digests: str, log: str = LOG) -> Checkpoint | None:
        return self.writer().write(log, lambda: digests)

    def writer(self, signer: SshSigner | None = None) -> CheckpointWriter:
        return CheckpointWriter(self.directory, signer or self.pipeline, self.reader, lambda: NOON)

    def place(self, size: int, log: str = LOG) -> Path:
        return self.directory / log / f"{size:010}" / "checkpoint.json"

    def forge(self, checkpoint: Checkpoint, size: int, *, by: SshSigner, namespace: str = CHECKPOINT) -> None:
        """Put a checkpoint where one of ``size`` is looked for."""
        path = self.place(size)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(checkpoint.to_bytes())
        path.with_name("checkpoint.json.sig").write_text(armored(by.sign(checkpoint.to_bytes(), namespace=namespace)))

    def _keys(self, at: datetime) -> tuple[str, ...]:
        return (self.pipeline.public_key,) if at.date() >= date(2026, 1, 1) else ()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    new_key(folder / "pipeline", "pipeline")
    new_key(folder / "stranger", "stranger")
    return folder


@pytest.fixture
def desk(tmp_path: Path, keys: Path) -> Desk:
    return Desk(tmp_path, keys)


def checkpoint(size: int = 2, head: str = B, log: str = LOG, at: datetime = NOON) -> Checkpoint:
    return Checkpoint(log=log, size=size, head=head, at=at)


def test_what_was_written_is_read_back(desk: Desk) -> None:
    """The newest and all, in order of size; a second call with nothing new writes nothing."""
    first, second = desk.write(A), desk.write(A, B)
    assert (first, second) == (checkpoint(1, A), checkpoint(2, B))
    assert desk.write(A, B) == second
    assert desk.reader.newest(desk.directory, LOG) == second
    assert desk.reader.all(desk.directory, LOG) == [first, second]
    assert desk.reader.all(desk.directory, "ledger/other") == []
    assert sorted(os.listdir(desk.directory / LOG)) == ["0000000001", "0000000002"]


def test_an_auditor_verifies_it_with_ssh_keygen_alone(desk: Desk, tmp_path: Path) -> None:
    """The files as they lie there, an allowed-signers line and one command."""
    desk.write(A, B)
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"pipeline {desk.pipeline.public_key}\n")
    path = desk.place(2)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "pipeline", "-n", CHECKPOINT]
    done = subprocess.run([*command, "-s", f"{path}.sig"], input=path.read_bytes(), capture_output=True, check=False)
    assert done.stdout.startswith(b'Good "checkpoint@gatewright" signature for pipeline')


def test_an_empty_chain_has_no_checkpoint(desk: Desk) -> None:
    """There is nothing to sign for."""
    assert desk.write() is None
    assert desk.reader.newest(desk.directory, LOG) is None


@pytest.mark.parametrize(
    ("digests", "told"), [((A,), "tail was cut"), ((A, OTHER), "rewritten"), ((A, OTHER, C), "rewritten"), ((), "cut")]
)
def test_a_chain_that_does_not_go_on_is_not_signed_for(desk: Desk, digests: tuple[str, ...], told: str) -> None:
    """The pipeline itself stops: its signature would make the fork look true."""
    desk.write(A, B)
    with pytest.raises(IntegrityError, match=told):
        desk.write(*digests)
    assert len(desk.reader.all(desk.directory, LOG)) == 1


def test_the_chain_is_read_after_the_checkpoint(desk: Desk) -> None:
    """A longer one that another process signed for meanwhile is no cut tail."""
    desk.write(A)

    def chain() -> tuple[str, ...]:
        desk.write(A, B)
        return (A, B)

    assert desk.writer().write(LOG, chain) == checkpoint(2, B)


def test_of_two_who_sign_for_the_same_length_one_places_it(desk: Desk) -> None:
    """Both get the one that is there, with its own signature, and nothing is left beside it."""
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda _: desk.write(A, B), range(16)))
    assert set(written) == {checkpoint(2, B)}
    assert os.listdir(desk.directory / LOG) == ["0000000002"]


def test_a_fork_that_another_process_signed_for_meanwhile_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was placed first must agree with the chain of whoever came second."""
    create = checkpoints._create

    def late(place: Path, files: dict[str, bytes]) -> bool:
        desk.forge(checkpoint(2, OTHER), 2, by=desk.pipeline)
        return create(place, files)

    monkeypatch.setattr(checkpoints, "_create", late)
    with pytest.raises(IntegrityError, match="rewritten"):
        desk.write(A, B)


def test_a_process_that_dies_while_it_writes_leaves_no_half(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint appears with its signature or not at all; the next writer is not disturbed."""
    monkeypatch.setattr("gatewright.services.checkpoints.os.rename", _die)
    monkeypatch.setattr("gatewright.services.checkpoints.shutil.rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        desk.write(A, B)
    monkeypatch.undo()
    assert desk.reader.newest(desk.directory, LOG) is None
    assert desk.write(A, B) == checkpoint(2, B)


@pytest.mark.parametrize("damage", ["missing signature", "missing body", "other body", "no signature text"])
def test_a_damaged_checkpoint_is_an_error(desk: Desk, damage: str) -> None:
    """It is never skipped in favour of an older one."""
    desk.write(A)
    desk.write(A, B)
    path = desk.place(2)
    signature = path.with_name("checkpoint.json.sig")
    if damage == "missing signature":
        signature.unlink()
    elif damage == "missing body":
        path.unlink()
    elif damage == "other body":
        path.write_bytes(checkpoint(2, OTHER).to_bytes())
    else:
        signature.write_bytes(b"\xff\x00")
    with pytest.raises(IntegrityError):
        desk.reader.newest(desk.directory, LOG)
    with pytest.raises(IntegrityError):
        desk.write(A, B, C)


def test_a_checkpoint_by_another_key_or_for_another_purpose_does_not_count(desk: Desk) -> None:
    """Nor one with a date before the pipeline had its key."""
    desk.forge(checkpoint(), 2, by=desk.stranger)
    with pytest.raises(IntegrityError, match="not signed by a key"):
        desk.reader.newest(desk.directory, LOG)
    desk.forge(checkpoint(), 2, by=desk.pipeline, namespace=APPROVAL)
    with pytest.raises(IntegrityError, match="not signed by a key"):
        desk.reader.newest(desk.directory, LOG)
    desk.forge(checkpoint(at=datetime(2025, 12, 31, tzinfo=UTC)), 2, by=desk.pipeline)
    with pytest.raises(IntegrityError, match="not signed by a key"):
        desk.reader.newest(desk.directory, LOG)


@pytest.mark.parametrize("other", [checkpoint(log="ledger/other"), checkpoint(size=3)])
def test_a_checkpoint_of_another_log_or_length_does_not_count(desk: Desk, other: Checkpoint) -> None:
    """Though its signature is good: it was copied from elsewhere."""
    desk.forge(other, 2, by=desk.pipeline)
    with pytest.raises(IntegrityError, match="it is one of"):
        desk.reader.newest(desk.directory, LOG)


def test_a_writer_whose_key_is_not_in_the_roster_writes_nothing(desk: Desk) -> None:
    """Otherwise it would block the log with what nobody believes."""
    with pytest.raises(IntegrityError, match="not signed by a key"):
        desk.writer(desk.stranger).write(LOG, lambda: (A,))
    assert desk.write(A) == checkpoint(1, A)


def test_a_directory_that_is_not_there_is_an_error(desk: Desk) -> None:
    """It is not made: a volume that is not mounted must not be missed."""
    desk.directory.rmdir()
    with pytest.raises(StoreError, match="is not there"):
        desk.write(A)
    with pytest.raises(StoreError, match="is not there"):
        desk.reader.newest(desk.directory, LOG)


def test_a_directory_that_cannot_be_written_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a file where a directory should be: never a silent pass."""
    (desk.directory / "ledger").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be read"):
        desk.write(A)
    (desk.directory / "ledger").unlink()
    monkeypatch.setattr("gatewright.services.checkpoints.os.fsync", _full)
    with pytest.raises(StoreError, match="cannot be written: No space left"):
        desk.write(A)
    assert os.listdir(desk.directory / LOG) == []


@pytest.mark.parametrize("log", ["../outside", "/etc", "ledger/../../x", "ledger/\x00"])
def test_a_log_cannot_name_a_place_elsewhere(desk: Desk, log: str) -> None:
    """Names come from command lines too."""
    with pytest.raises(SpecError):
        desk.reader.newest(desk.directory, log)


def test_in_a_git_work_tree_each_checkpoint_is_committed(desk: Desk) -> None:
    """Both files, nothing else, under a name that is no person's; what lies beside stays as it is."""
    _git(desk, "init", "-q")
    (desk.directory / "note.txt").write_text("mine")
    desk.write(A)
    desk.write(A, B)
    desk.write(A, B)
    said = _git(desk, "log", "--format=%an: %s", "--name-only").split("\n")
    assert said == [
        "gatewright: Checkpoint of ledger/triage: 2 entries, bbbbbbbbbbbb",
        "",
        "ledger/triage/0000000002/checkpoint.json",
        "ledger/triage/0000000002/checkpoint.json.sig",
        "gatewright: Checkpoint of ledger/triage: 1 entries, aaaaaaaaaaaa",
        "",
        "ledger/triage/0000000001/checkpoint.json",
        "ledger/triage/0000000001/checkpoint.json.sig",
    ]
    assert _git(desk, "status", "--porcelain") == "?? note.txt"


def test_what_was_placed_but_not_committed_is_committed_later(desk: Desk) -> None:
    """A process may die in between; concurrent ones wait for each other."""
    desk.write(A)
    _git(desk, "init", "-q")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: desk.write(A, log=f"ledger/m{n}"), range(4)))
    desk.write(A)
    assert _git(desk, "status", "--porcelain") == ""
    assert len(_git(desk, "log", "--oneline").split("\n")) == 5


def test_a_hook_of_another_repository_does_not_lead_git_astray(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git tells its hooks, and all that they start, which repository is meant."""
    _git(desk, "init", "-q")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    desk.write(A)
    assert len(_git(desk, "log", "--oneline").split("\n")) == 1


def test_a_commit_that_fails_is_an_error(desk: Desk) -> None:
    """The hook of the repository refuses it: the checkpoint is not where it should be."""
    _git(desk, "init", "-q")
    hook = desk.directory / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(StoreError, match="git commit failed: no room"):
        desk.write(A)


def _git(desk: Desk, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(desk.directory), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")
