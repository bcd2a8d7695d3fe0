"""References to immutable bytes. Only these pass between stages, never frames or models."""

from typing import Annotated

from pydantic import Field

from gatewright.core.records import Name, Record, Sha256, Timestamp

__all__ = ["ArtifactRef", "Candidate", "DatasetFile", "DatasetRef"]


class ArtifactRef(Record):
    """Bytes in the blob store, found and verified by their SHA-256. ``size`` is in bytes."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    media_type: str


class DatasetFile(Record):
    """One file of a dataset: where it was read (``uri``), which period it covers, and its pinned bytes."""

    uri: str
    period: str
    rows: Annotated[int, Field(ge=0)]
    artifact: ArtifactRef


class DatasetRef(Record):
    """A dataset as an ordered list of pinned files; ``digest`` names exactly these bytes."""

    name: str
    files: tuple[DatasetFile, ...]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def periods(self) -> tuple[str, ...]:
        return tuple(file.period for file in self.files)


class Candidate(Record):
    """A trained model asking for release, and all that made it.

    ``environment_sha256`` is the digest of the dependency lock file, ``code_revision`` the git commit
    (with ``+dirty`` when files differed from it).
    """

    model: Name
    artifact: ArtifactRef
    features: tuple[str, ...]
    training: DatasetRef
    trained_at: Timestamp
    seed: int
    author: str
    code_revision: str
    environment_sha256: Sha256
    versions: dict[str, str]
