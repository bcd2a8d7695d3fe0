"""Keeps the documents of a release: made from the stored evidence alone, when people are asked and when it ends."""

from typing import Literal

from gatewright import __version__
from gatewright.core.errors import NotFoundError
from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import Opening
from gatewright.services.blobs import BlobStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.releases import Releases
from gatewright.services.reports.documents import DOCUMENTS, DocumentKind

__all__ = ["Documents", "Moment", "WrittenDocuments"]

Moment = Literal["asked", "ended"]
# The latest first.
MOMENTS: tuple[Moment, ...] = ("ended", "asked")
# So many earlier releases are drawn in trends.
EARLIER = 12


class WrittenDocuments(Record):
    """Documents by name, and the version and code revision that made them: another one may word them differently."""

    version: str
    revision: str
    documents: dict[str, ArtifactRef]

    @property
    def made_by(self) -> str:
        """For people."""
        return f"Gatewright {self.version}, code {self.revision[:12]}"


class Documents:
    """Writes the documents of a release once for each moment, reads them, and makes them again."""

    def __init__(self, releases: Releases, evidence: EvidenceStore, blobs: BlobStore) -> None:
        self._releases = releases
        self._evidence = evidence
        self._blobs = blobs

    def write(self, opening: Opening, moment: Moment) -> WrittenDocuments:
        """Make and keep all documents; those that were written before stay. Raises StoreError."""
        known = self.written(opening.release_id, moment)
        if known is not None:
            return known
        view = self.view(opening.release_id, moment)
        refs = {kind.name: self._blobs.put(_bytes(kind, view), kind.media_type) for kind in DOCUMENTS}
        written = WrittenDocuments(version=__version__, revision=opening.code_revision, documents=refs)
        return self._releases.record(_record(moment), opening, written)

    def written(self, release_id: str, moment: Moment) -> WrittenDocuments | None:
        return self._evidence.find(_record(moment), release_id, WrittenDocuments)

    def latest(self, release_id: str) -> tuple[Moment, WrittenDocuments]:
        """Those of its end, else those that people were asked with. Raises NotFoundError before there are any."""
        for moment in MOMENTS:
            found = self.written(release_id, moment)
            if found is not None:
                return moment, found
        raise NotFoundError(
            "no documents were written of this release.",
            where=f"release {release_id}",
            remedy="they are written when its gates have run; `gatewright show` says how far it is.",
        )

    def read(self, release_id: str, name: str) -> bytes:
        """The stored bytes of one document, their digest checked. Raises NotFoundError, IntegrityError, StoreError."""
        ref = self.latest(release_id)[1].documents.get(name)
        if ref is None:
            raise NotFoundError(
                f"it has no document `{name[:80]}`.", where=f"release {release_id}", remedy="list what it has."
            )
        return self._blobs.get(ref)

    def again(self, release_id: str, moment: Moment) -> dict[str, bytes]:
        """All documents, made again from the evidence."""
        view = self.view(release_id, moment)
        return {kind.name: _bytes(kind, view) for kind in DOCUMENTS}

    def view(self, release_id: str, moment: Moment) -> ReleaseView:
        """What the documents of ``moment`` are made from."""
        view = self._releases.view(release_id, earlier=EARLIER)
        return view.as_asked() if moment == "asked" else view.as_ended()


def _record(moment: Moment) -> str:
    return f"documents-{moment}"


def _bytes(kind: DocumentKind, view: ReleaseView) -> bytes:
    return kind.make(view).encode()
