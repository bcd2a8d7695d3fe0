"""Where a reader of a page goes next: the run in the Prefect UI and the commands that show more."""

from prefect.settings import PREFECT_UI_URL

from gatewright.core.releases import Opening
from tasks.stage import artifact_key

__all__ = ["links_of"]


def links_of(opening: Opening) -> dict[str, str]:
    """Names and addresses for the evidence page; without a UI there are none."""
    ui = PREFECT_UI_URL.value()
    if not ui:
        return {}
    base = str(ui).rstrip("/")
    return {
        "Evidence page": f"{base}/artifacts/key/{artifact_key(opening.model, 'evidence')}",
        "Model card": f"{base}/artifacts/key/{artifact_key(opening.model, 'model-card')}",
        "This run": f"{base}/runs/flow-run/{opening.flow_run}",
    }
