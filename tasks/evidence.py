"""Show the evidence page of a release as a Prefect artifact: made from the store, so it can be shown at any time."""

from prefect.artifacts import create_markdown_artifact

from gatewright.core.releases import Opening
from gatewright.services.reports.evidence_page import evidence_page
from gatewright.wiring import Services
from tasks.links import links_of
from tasks.stage import artifact_key

__all__ = ["show_evidence"]


def show_evidence(services: Services, opening: Opening) -> None:
    """A new version of the page, with the answers so far and how surely each name is known."""
    create_markdown_artifact(
        key=artifact_key(opening.model, "evidence"),
        markdown=evidence_page(services.view(opening.release_id), links=links_of(opening, services.settings)),
        description=f"Evidence of release {opening.release_id}",
    )
