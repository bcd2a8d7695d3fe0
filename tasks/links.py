"""Where a reader of a page goes next: the documents of the release, the run in the Prefect UI, the evidence page."""

from prefect.settings import PREFECT_UI_URL

from gatewright.core.releases import Opening
from gatewright.services.reports.documents import DOCUMENTS, MARKDOWN
from gatewright.settings import Settings
from tasks.stage import artifact_key

__all__ = ["links_from_elsewhere", "links_of"]

# Of what the expectations said, a part for each data set.
DATA_DOCS = {"Data Docs (training)": "training", "Data Docs (evaluation)": "evaluation"}
HERE = "This run"


def links_of(opening: Opening, settings: Settings) -> dict[str, str]:
    """Names and addresses for the evidence page; without a UI and a ``documents_url`` there are none."""
    ui = PREFECT_UI_URL.value()
    base = str(ui).rstrip("/") if ui else None
    return (_documents(opening, settings) or _artifacts(opening, base)) | _here(opening, base)


def links_from_elsewhere(opening: Opening, settings: Settings) -> dict[str, str]:
    """The same for a page that another run shows."""
    return {("Run of the release" if name == HERE else name): url for name, url in links_of(opening, settings).items()}


def _documents(opening: Opening, settings: Settings) -> dict[str, str]:
    """All documents and what the expectations said, as the gateway serves them."""
    if not settings.documents_url:
        return {}
    base = f"{settings.documents_url.rstrip('/')}/gatewright/releases/{opening.release_id}"
    docs = {title: f"{base}/data-docs/{part}/index.html" for title, part in DATA_DOCS.items()}
    return {kind.title: f"{base}/{kind.filename}" for kind in DOCUMENTS} | docs


def _artifacts(opening: Opening, base: str | None) -> dict[str, str]:
    """The documents that Prefect shows itself."""
    shown = [kind for kind in DOCUMENTS if base and kind.media_type == MARKDOWN]
    return {kind.title: f"{base}/artifacts/key/{artifact_key(opening.model, kind.name)}" for kind in shown}


def _here(opening: Opening, base: str | None) -> dict[str, str]:
    if base is None:
        return {}
    return {
        "Evidence page": f"{base}/artifacts/key/{artifact_key(opening.model, 'evidence')}",
        HERE: f"{base}/runs/flow-run/{opening.flow_run}",
    }
