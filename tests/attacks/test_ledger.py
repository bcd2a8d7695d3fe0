"""Attacks on a ledger by somebody who can write to the bucket: the chain finds some, a checkpoint the others."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatewright.core.checkpoints import Checkpoint, must_agree
from gatewright.core.errors import IntegrityError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.signatures import CHECKPOINT
from gatewright.services.checkpoints import CheckpointReader, CheckpointWriter
from gatewright.services.generations import GenerationLog
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.ssh_signatures import SshSignatures, SshSigner, armored, new_key
from tests.fakes import MemoryStore

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LOG = "ledger/tiny"
SIGNED = 4


class Case:
    """A ledger of six entries, a checkpoint outside the bucket when it had four."""

    def __init__(self, store: MemoryStore, folder: Path) -> None:
        self.store = store
        self.folder = folder
        for name in ("pipeline", "stranger"):
            new_key(folder / name, name)
        self.pipeline, self.stranger = SshSigner(folder / "pipeline"), SshSigner(folder / "stranger")
        self.reader = CheckpointReader(SshSignatures(), lambda at: (self.pipeline.public_key,))
        self.append(SIGNED)
        self.checkpoint()
        self.append(2)

    def append(self, count: int) -> None:
        ledger = LedgerStore(self.store)
        for _ in range(count):
            ledger.append("tiny", event(f"r{len(ledger.entries('tiny')) + 1}"))

    def checkpoint(self) -> Checkpoint | None:
        """What the pipeline does, as a process that remembers nothing."""
        writer = CheckpointWriter(self.folder, self.pipeline, self.reader, lambda: NOON)
        return writer.write(LOG, lambda: LedgerStore(self.store).digests("tiny"))

    def chain(self) -> list[str]:
        """The chain alone, read afresh."""
        return LedgerStore(self.store).digests("tiny")

    def audit(self) -> int:
        """The chain and its checkpoints."""
        return must_agree(self.reader.all(self.folder, LOG), self.chain())

    def rewrite(self, entries: list[LedgerEntry]) -> None:
        """Replace the ledger by one of these entries with a perfect chain."""
        self.store.objects.clear()
        log = GenerationLog(self.store, LOG)
        for n, entry in enumerate(entries):
            log.append(entry.model_dump(mode="json"), expected=n)

    def entries(self) -> list[LedgerEntry]:
        return LedgerStore(self.store).entries("tiny")


@pytest.fixture
def case(memory_store: MemoryStore, tmp_path: Path) -> Case:
    return Case(memory_store, tmp_path)


def event(release_id: str) -> LedgerEntry:
    return LedgerEntry(kind="opened", release_id=release_id, actor="ada", at=NOON)


def key(n: int) -> str:
    return f"{LOG}/{n:010}.json"


def edited(objects: dict[str, bytes]) -> None:
    objects[key(3)] = objects[key(3)].replace(b'"ada"', b'"eve"')


def removed(objects: dict[str, bytes]) -> None:
    del objects[key(3)]


def removed_and_renumbered(objects: dict[str, bytes]) -> None:
    for n in range(3, 6):
        objects[key(n)] = objects[key(n + 1)].replace(f'"n":{n + 1}'.encode(), f'"n":{n}'.encode())
    del objects[key(6)]


def reordered(objects: dict[str, bytes]) -> None:
    objects[key(3)], objects[key(4)] = objects[key(4)], objects[key(3)]


def reordered_and_renumbered(objects: dict[str, bytes]) -> None:
    third, fourth = objects[key(3)], objects[key(4)]
    objects[key(3)], objects[key(4)] = fourth.replace(b'"n":4', b'"n":3'), third.replace(b'"n":3', b'"n":4')


def first_removed(objects: dict[str, bytes]) -> None:
    del objects[key(1)]


def another_one_between(objects: dict[str, bytes]) -> None:
    objects[f"{LOG}/0000000003b.json"] = objects[key(3)]


def edited_before_the_end(objects: dict[str, bytes]) -> None:
    objects[key(5)] = objects[key(5)].replace(b'"ada"', b'"eve"')


@pytest.mark.parametrize(
    "tamper",
    [
        edited,
        edited_before_the_end,
        removed,
        removed_and_renumbered,
        first_removed,
        reordered,
        reordered_and_renumbered,
        another_one_between,
    ],
)
def test_the_chain_finds_what_does_not_link(case: Case, tamper: Callable[[dict[str, bytes]], None]) -> None:
    """Without any key: whoever reads the ledger stops, and so does whoever would append or sign for it."""
    tamper(case.store.objects)
    with pytest.raises(IntegrityError, match="chain is broken"):
        case.chain()
    with pytest.raises(IntegrityError):
        LedgerStore(case.store).append("tiny", event("r7"))
    with pytest.raises(IntegrityError):
        case.checkpoint()


def test_an_honest_ledger_passes(case: Case) -> None:
    """The same audit without an attack: covered up to the checkpoint."""
    assert case.audit() == SIGNED
    case.checkpoint()
    assert case.audit() == 6


def test_a_tail_cut_off_is_seen_by_the_checkpoint_only(case: Case) -> None:
    """The shorter chain is perfect; what was signed for says that there was more."""
    for n in (4, 5, 6):
        del case.store.objects[key(n)]
    assert len(case.chain()) == 3
    with pytest.raises(IntegrityError, match="tail was cut: it had 4 entries"):
        case.audit()


def test_what_follows_the_last_checkpoint_can_be_cut_unseen(case: Case) -> None:
    """So a checkpoint follows each event that matters: this is the limit, and it is written down."""
    for n in (5, 6):
        del case.store.objects[key(n)]
    assert case.audit() == SIGNED


def test_a_ledger_that_is_gone_is_seen_by_the_checkpoint(case: Case) -> None:
    """An empty ledger is a perfect chain too."""
    case.store.objects.clear()
    assert case.chain() == []
    with pytest.raises(IntegrityError, match="now 0"):
        case.audit()


@pytest.mark.parametrize("changed", [0, 2, 3])
def test_a_ledger_written_anew_is_seen_by_the_checkpoint(case: Case, changed: int) -> None:
    """One entry edited and all links after it made again."""
    entries = case.entries()
    entries[changed] = entries[changed].model_copy(update={"actor": "eve"})
    case.rewrite(entries)
    assert len(case.chain()) == 6
    with pytest.raises(IntegrityError, match="rewritten: entry 4"):
        case.audit()


def test_the_same_entries_written_again_are_another_chain(case: Case) -> None:
    """Each link has a nonce: even a faithful copy is told from what was signed for."""
    case.rewrite(case.entries())
    with pytest.raises(IntegrityError, match="rewritten"):
        case.audit()


def test_a_fork_after_a_checkpoint_is_seen_by_the_next(case: Case) -> None:
    """Cut back to what one checkpoint covers, then continued differently."""
    case.checkpoint()
    for n in (5, 6):
        del case.store.objects[key(n)]
    case.append(3)
    assert len(case.chain()) == 7
    with pytest.raises(IntegrityError, match="forked: up to entry 4"):
        case.audit()


def test_a_checkpoint_for_the_forged_ledger_needs_the_pipelines_key(case: Case) -> None:
    """Somebody who can write to the directory as well replaces the checkpoint, with a key of their own."""
    case.rewrite([event("forged")] * SIGNED)
    forged = Checkpoint(log=LOG, size=SIGNED, head=case.chain()[-1], at=NOON)
    path = case.folder / LOG / f"{SIGNED:010}" / "checkpoint.json"
    path.write_bytes(forged.to_bytes())
    path.with_name("checkpoint.json.sig").write_text(
        armored(case.stranger.sign(forged.to_bytes(), namespace=CHECKPOINT))
    )
    with pytest.raises(IntegrityError, match="not signed by a key"):
        case.audit()


def test_the_old_signature_does_not_sign_the_forged_checkpoint(case: Case) -> None:
    """The body changed and the pipeline's signature kept."""
    path = case.folder / LOG / f"{SIGNED:010}" / "checkpoint.json"
    path.write_bytes(path.read_bytes().replace(case.chain()[3].encode(), b"0" * 64))
    with pytest.raises(IntegrityError, match="not signed by a key"):
        case.audit()


def test_the_pipeline_does_not_sign_for_a_forged_ledger(case: Case) -> None:
    """Asked for the next checkpoint, it compares with the one before and stops."""
    case.rewrite(case.entries())
    with pytest.raises(IntegrityError, match="rewritten"):
        case.checkpoint()
    assert [one.size for one in case.reader.all(case.folder, LOG)] == [SIGNED]
