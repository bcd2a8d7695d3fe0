"""A release: one candidate's way through the gates."""

from enum import StrEnum
from typing import Literal, get_args

from gatewright.core.records import Name, Record, Sha256, Timestamp
from gatewright.core.refs import ArtifactRef, DatasetRef

__all__ = ["STAGES", "Champion", "EvidenceRoot", "Opening", "ReleaseData", "ReleaseState", "Stage"]

Stage = Literal[
    "ingest", "train", "validate", "lineage", "leakage", "evaluate", "slices", "uncertainty", "robustness", "fairness",
    "drift",
]  # fmt: skip
STAGES: tuple[Stage, ...] = get_args(Stage)


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
    """The model that serves, and the release that put it there."""

    release_id: str
    model_sha256: Sha256


class Opening(Record):
    """What is pinned when a release opens, so that it runs to its end under the same terms.

    ``channel_generation`` is the channel's head: promotion goes ahead only if it has not moved since.
    """

    release_id: Name
    model: Name
    period: str
    features: tuple[str, ...]
    spec: ArtifactRef
    policy: ArtifactRef
    roster: ArtifactRef
    channel_generation: int
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
    """One digest over everything a release produced: name of each record -> digest of its bytes."""

    release_id: str
    records: dict[str, Sha256]
    model_sha256: Sha256
