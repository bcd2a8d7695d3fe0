"""Show what serves now as a Prefect artifact, after every move of the channel."""

from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import GatewrightError
from gatewright.services.reports.production_page import production_page
from gatewright.wiring import Services
from tasks.links import links_from_elsewhere
from tasks.stage import artifact_key

__all__ = ["show_production"]


def show_production(services: Services, model: str) -> None:
    """One page a model; its versions are the history that people see in the Prefect UI."""
    channel = services.settings.channel
    history = [entry for _, entry in services.channels.history(model, channel)]
    create_markdown_artifact(
        key=artifact_key(model, channel),
        markdown=production_page(
            model, services.spec(model).title, channel, history, links=_links(services, history[-1:])
        ),
        description=f"What serves {model} in {channel}",
    )


def _links(services: Services, head: list[ChannelEntry]) -> dict[str, str]:
    """Of the release that serves. The move is made: a record that cannot be read costs its links, nothing else."""
    serving = [entry.release_id for entry in head if entry.model_sha256 is not None]
    try:
        return links_from_elsewhere(services.releases.opening(serving[0]), services.settings) if serving else {}
    except GatewrightError as error:
        get_run_logger().warning("the page has no links: %s", error)
        return {}
