"""A release: one candidate's way through the gates."""

from enum import StrEnum
from typing import Literal

from gatewright.core.records import Name, Record, Sha256, Timestamp
from gatewright.core.refs import ArtifactRef, DatasetRef

__all__ = ["STAGES", "Champion", "EvidenceRoot", "Opening", "ReleaseData", "ReleaseState", "Stage"]

Stage = Literal[
    "ingest",
    "train",
    "validate",
    "lineage",
    "leakage",
    "evaluate",
    "robustness",
    "fairness",
    "drift",
    "decide",
]
STAGES: tuple[Stage, ...] = (
    "ingest", "train", "validate", "lineage", "leakage", "evaluate", "robustness", "fairness", "drift", "decide",
)  # fmt: skip


class ReleaseState(StrEnum):
    """Where a release stands; all but ``open`` and ``waiting`` are final."""

    OPEN = "open"
    WAITING = "waiting"
    DEPLOYED = "deployed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self not in (ReleaseState.OPEN, ReleaseState.WAITING)


class Champion(Record):
    """The model that serves: the channel's head at ``generation``, put there by ``release_id``."""

    release_id: str
    model_sha256: Sha256
    generation: int


class Opening(Record):
    """What is pinned when a release opens, so that it runs to its end under the same terms."""

    release_id: Name
    model: Name
    period: str
    features: tuple[str, ...]
    spec: ArtifactRef
    policy: ArtifactRef
    roster: ArtifactRef
    champion: Champion | None
    code_revision: str
    environment_sha256: Sha256
    requested_by: str
    flow_run: str
    opened_at: Timestamp
    expires_at: Timestamp


class ReleaseData(Record):
    """The pinned data of a release."""

    training: DatasetRef
    evaluation: DatasetRef


class EvidenceRoot(Record):
    """One digest over everything a release produced: stage -> digest of its evidence record."""

    release_id: str
    opening: Sha256
    stages: dict[str, Sha256]
    model_sha256: Sha256
