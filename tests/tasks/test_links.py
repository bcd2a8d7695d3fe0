"""Where a reader of the evidence page can go next."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

from gatewright.services.reports.documents import DOCUMENTS
from gatewright.settings import Settings
from tasks.links import links_of
from tests.services.reports.example_view import OPENING

UI = "http://127.0.0.1:4200/v2"


@pytest.fixture
def ui() -> Iterator[None]:
    with temporary_settings({PREFECT_UI_URL: UI}):
        yield


def settings(documents_url: str | None) -> Settings:
    return Settings(documents_url=documents_url, _env_file=None)  # type: ignore[call-arg]


def test_every_document_and_both_data_docs_are_linked_where_they_are_served(ui: None) -> None:
    """By the file names that the gateway serves them under."""
    links = links_of(OPENING, settings("https://prefect.example.com/"))
    base = "https://prefect.example.com/gatewright/releases/triage-2000-1"
    assert [links[kind.title] for kind in DOCUMENTS] == [f"{base}/{kind.filename}" for kind in DOCUMENTS]
    assert links["Data Docs (training)"] == f"{base}/data-docs/training/index.html"
    assert links["This run"] == f"{UI}/runs/flow-run/clever-otter"


def test_without_the_gateway_the_cards_are_linked_as_prefect_shows_them(ui: None) -> None:
    """Prefect has no other documents."""
    links = links_of(OPENING, settings(None))
    assert links["Model card"] == f"{UI}/artifacts/key/triage-model-card"
    assert not any("/gatewright/" in address or "Data Docs" in name for name, address in links.items())


def test_without_any_address_nothing_is_linked() -> None:
    """The page then names the commands alone. Prefect tells the UI's address from the one of its API, too."""
    with temporary_settings({PREFECT_UI_URL: None, PREFECT_API_URL: None}):
        assert links_of(OPENING, settings(None)) == {}
