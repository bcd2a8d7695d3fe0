"""The documents of a release, each a pure function of a ``ReleaseView``: made again, they are the same bytes."""

from collections.abc import Callable
from dataclasses import dataclass

from gatewright.core.errors import NotFoundError
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.cards import annex_iv, croissant, data_card, mlbom, model_card
from gatewright.services.reports.escape import plain
from gatewright.services.reports.release_report import release_report
from gatewright.services.reports.runbook import runbook

__all__ = ["DOCUMENTS", "DocumentKind", "document_kind"]

MARKDOWN, HTML, JSON = "text/markdown", "text/html", "application/json"


@dataclass(frozen=True)
class DocumentKind:
    """What it is called, the file it is kept as, and how it is made; no clock, no store, no links to servers."""

    name: str
    title: str
    filename: str
    media_type: str
    make: Callable[[ReleaseView], str]


# In the order in which people want to read them.
DOCUMENTS: tuple[DocumentKind, ...] = (
    DocumentKind("report", "Release report", "report.html", HTML, release_report),
    DocumentKind("model-card", "Model card", "model-card.md", MARKDOWN, model_card),
    DocumentKind("data-card", "Data card", "data-card.md", MARKDOWN, data_card),
    DocumentKind("runbook", "Runbook", "runbook.md", MARKDOWN, runbook),
    DocumentKind("annex-iv", "Technical documentation, EU AI Act Annex IV", "annex-iv.md", MARKDOWN, annex_iv),
    DocumentKind("croissant", "Data card, Croissant 1.0 with RAI", "croissant.json", JSON, croissant),
    DocumentKind("mlbom", "Bill of materials, CycloneDX 1.6", "mlbom.cdx.json", JSON, mlbom),
)


def document_kind(name: str) -> DocumentKind:
    """The kind called ``name``, or kept as a file of this name. Raises NotFoundError."""
    found = next((kind for kind in DOCUMENTS if name in (kind.name, kind.filename)), None)
    if found is None:
        raise NotFoundError(
            f"there is no document `{plain(name)[:80]}`.",
            where="documents of a release",
            remedy=f"name one of: {', '.join(kind.name for kind in DOCUMENTS)}.",
        )
    return found
