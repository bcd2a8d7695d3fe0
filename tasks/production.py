"""Show what serves now as a Prefect artifact, after every move of the channel."""

from prefect.artifacts import create_markdown_artifact

from gatewright.services.reports.production_page import production_page
from gatewright.wiring import Services
from tasks.stage import artifact_key

__all__ = ["show_production"]


def show_production(services: Services, model: str) -> None:
    """One page a model; its versions are the history that people see in the Prefect UI."""
    channel = services.settings.channel
    history = [entry for _, entry in services.channels.history(model, channel)]
    create_markdown_artifact(
        key=artifact_key(model, channel),
        markdown=production_page(model, channel, history),
        description=f"What serves {model} in {channel}",
    )
