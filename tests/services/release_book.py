"""Releases over a store in memory: just opened, or with everything up to the request for approval."""

from datetime import datetime, timedelta
from pathlib import Path

from gatewright.core.approval import accept
from gatewright.core.decision import Decision
from gatewright.core.ledger import LedgerEntry
from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef, Candidate, DatasetFile, DatasetRef
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.roster import Person, Roster
from gatewright.core.statements import Answer, Approval, Request
from gatewright.services.blobs import BlobStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.release_records import AnswerRecord
from gatewright.services.releases import Releases
from tests.fakes import FakeSignatures, MemoryStore
from tests.services.reports.example_view import CANDIDATE, NOON, OPENING, POLICY, SPEC, STAGES, example_view

ROSTER = Roster(
    version=1,
    people=tuple(
        Person(id=name, name=name, roles=("release-manager",), joined=NOON.date())
        for name in ("dana.reyes", "lee.wong")
    ),
)
ANSWER = Answer(decision="approve", approver="dana.reyes", reason="Better for every group.", token="none")


class Book:
    """Releases over a store in memory, with a clock that tests move."""

    def __init__(self, cache: Path) -> None:
        self.store = MemoryStore()
        self.now: datetime = NOON
        self.blobs = BlobStore(self.store, cache)
        self.evidence = EvidenceStore(self.store)
        self.releases = self.process()

    def process(self) -> Releases:
        """As another process would see them: nothing is remembered."""
        return Releases(self.evidence, LedgerStore(self.store), self.blobs, lambda: self.now)

    def entries(self, model: str = "triage") -> list[LedgerEntry]:
        return LedgerStore(self.store).entries(model)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries()]

    def put(self, body: bytes) -> ArtifactRef:
        return self.blobs.put(body, "application/octet-stream")

    def terms(self, release_id: str = "r1", **changes: object) -> Opening:
        pinned = {name: self.put(one.to_bytes()) for name, one in {"spec": SPEC, "policy": POLICY}.items()}
        pinned["roster"] = self.put(ROSTER.to_bytes())
        expires = self.now + timedelta(hours=12)
        given = {"release_id": release_id, "opened_at": self.now, "expires_at": expires, **pinned, **changes}
        return OPENING.model_copy(update=given)

    def open(self, release_id: str = "r1") -> Opening:
        return self.releases.open(self.terms(release_id))


class Asked:
    """A release with all its records, up to the request for approval."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.releases = book.releases
        self.opening = book.open()
        model, rows = book.put(b"model"), book.put(b"rows")
        files = (DatasetFile(uri="data/1999.parquet", period="1999", rows=3, artifact=rows),)
        dataset = DatasetRef(name="data", files=files)
        self.data = self.record("data", ReleaseData(training=dataset, evaluation=dataset))
        self.candidate: Candidate = self.record("candidate", CANDIDATE.model_copy(update={"artifact": model}))
        for name, stage in STAGES.items():
            artifacts = {"profile": book.put(f"profile of {name}".encode())}
            self.record(name, stage.model_copy(update={"release_id": "r1", "artifacts": artifacts}))
        self.decision: Decision = self.record("decision", example_view().decision)
        root = self.record("root", self.releases.root(self.opening, self.candidate))
        self.releases.note(self.opening, "decided", "gatewright", digests={"evidence": root.digest})
        self.request: Request = self.record("request", self._request(root.digest))
        self.releases.note(self.opening, "waiting", "gatewright", digests={"request": self.request.digest})

    def _request(self, root: str) -> Request:
        return Request(
            release_id="r1",
            environment="production",
            model=self.opening.model,
            evidence_root=root,
            model_sha256=self.candidate.artifact.sha256,
            champion_sha256=None,
            policy_sha256=self.opening.policy.sha256,
            policy_version=POLICY.version,
            roster_sha256=self.opening.roster.sha256,
            roster_version=ROSTER.version,
            ledger_entries=len(self.book.entries()),
            ledger_head=sha256_hex(b"head"),
            nonce=sha256_hex(b"nonce"),
            tier=POLICY.tiers[0],
            author="kim.larsen",
            asked_at=NOON,
            expires_at=NOON + timedelta(hours=72),
        )

    def record(self, name: str, record):
        return self.releases.record(name, self.opening, record)

    def answer(self, number: int, approver: str = "dana.reyes", decision: str = "approve") -> Approval:
        typed = ANSWER.model_copy(update={"approver": approver, "decision": decision})
        approval = accept(typed, self.request, [ROSTER], FakeSignatures(), pause=None, at=self.book.now)
        self.record(f"answer-{number}", AnswerRecord(approval=approval, refusal=None))
        if decision == "approve":
            self.releases.note(self.opening, "approved", approver, digests={"approval": approval.digest})
        return approval

    def verify(self, **changes) -> None:
        given = {name: getattr(self, name) for name in ("opening", "candidate", "data", "request")} | changes
        self.book.process().verify(**given)

    def edit(self, name: str, old: bytes, new: bytes) -> None:
        """Change a record in the store, as somebody with write access to the bucket could."""
        key = f"releases/r1/{name}.json"
        assert old in self.book.store.objects[key]
        self.book.store.objects[key] = self.book.store.objects[key].replace(old, new, 1)

    def swap(self, body: bytes) -> None:
        """Other bytes under the digest of ``body``."""
        digest = sha256_hex(body)
        self.book.store.objects[f"blobs/sha256/{digest[:2]}/{digest}"] = b"x" * len(body)
