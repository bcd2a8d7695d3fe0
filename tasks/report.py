"""Show the evidence page of a release, and write its report and cards into the store."""

from prefect.artifacts import create_markdown_artifact

from gatewright.core.releases import Opening
from gatewright.services.documents import WrittenDocuments
from gatewright.services.reports.cards import card_body
from gatewright.services.reports.documents import DOCUMENTS, MARKDOWN
from gatewright.wiring import Services, connect
from tasks.evidence import show_evidence
from tasks.stage import artifact_key, shown_before, stage_task

__all__ = ["report"]


@stage_task(name="report")
def report(opening: Opening) -> WrittenDocuments:
    """Evidence page and documents, made from the stored evidence alone, so they can be made again."""
    services = connect()
    known = services.documents.written(opening.release_id, "asked")
    if known is not None and shown_before(opening):
        return known
    written = services.documents.write(opening, "asked")
    show_evidence(services, opening)
    _show_documents(services, opening, written)
    return written


def _show_documents(services: Services, opening: Opening, written: WrittenDocuments) -> None:
    for kind in DOCUMENTS:
        if kind.media_type == MARKDOWN and kind.name in written.documents:
            text = services.blobs.get(written.documents[kind.name]).decode()
            create_markdown_artifact(
                key=artifact_key(opening.model, kind.name),
                markdown=card_body(text),
                description=f"{kind.title} of release {opening.release_id}",
            )
