"""Show the evidence page of a release, and write its cards into the store."""

from prefect.artifacts import create_markdown_artifact

from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import Opening
from gatewright.services.reports.cards import card_body, data_card, model_card
from gatewright.wiring import connect
from tasks.evidence import show_evidence
from tasks.stage import artifact_key, shown_before, stage_task

__all__ = ["Reports", "report"]


class Reports(Record):
    """Documents made from the evidence: name -> where its bytes are."""

    documents: dict[str, ArtifactRef]


@stage_task(name="report")
def report(opening: Opening) -> Reports:
    """Evidence page, model card and data card, made from the stored evidence alone, so they can be made again."""
    services = connect()
    reports = services.evidence.find("reports", opening.release_id, Reports)
    if reports is not None and shown_before(opening):
        return reports
    view = services.view(opening.release_id)
    show_evidence(services, opening)
    cards = {"model-card": model_card(view), "data-card": data_card(view)}
    for name, text in cards.items():
        create_markdown_artifact(
            key=artifact_key(opening.model, name),
            markdown=card_body(text),
            description=f"Of release {opening.release_id}",
        )
    documents = {name: services.blobs.put(text.encode(), "text/markdown") for name, text in cards.items()}
    return services.releases.record("reports", opening, Reports(documents=documents))
