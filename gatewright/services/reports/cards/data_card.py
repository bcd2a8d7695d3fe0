"""The data card for readers; its headings follow Gebru et al., Datasheets for Datasets (2021)."""

from collections.abc import Iterator, Mapping

from gatewright.core.refs import DatasetFile, DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports import measured
from gatewright.services.reports.cards.columns import Column, columns
from gatewright.services.reports.cards.front_matter import HUB_TASKS, front_matter
from gatewright.services.reports.cards.said import said_or_gap
from gatewright.services.reports.escape import code, md, words
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import NOTHING

__all__ = ["data_card", "file_table", "files"]


def data_card(view: ReleaseView) -> str:
    """Where the data come from, exactly which bytes they are, what is in them and what was found wrong."""
    source, card = view.spec.data, view.spec.card
    return page(
        front_matter(
            {
                "pretty_name": f"Data of {words(view.spec.title)}",
                "license_name": words(source.license),
                "task_categories": [HUB_TASKS[view.spec.task]],
                "tags": ["gatewright", view.spec.name],
            }
        ),
        f"# Data card: {md(view.spec.title)} · {md(view.opening.period)}",
        page("## Source", f"{md(source.attribution)}", f"License: {md(source.license)}").rstrip(),
        page("## Files", file_table(view)).rstrip(),
        page("## Columns", _columns(view)).rstrip(),
        page("## Sensitive columns", _sensitive(view)).rstrip(),
        *(
            page(f"## {title}", said_or_gap(card, field)).rstrip()
            for title, field in {
                "Collection": "data_collection",
                "Labels": "data_labelling",
                "Preparation": "data_preparation",
                "Biases": "data_biases",
                "Personal and sensitive information": "data_personal",
                "Uses": "data_uses",
                "Maintenance": "data_maintenance",
            }.items()
        ),
        measured.data_summary(view).replace("## Data", "## Validation", 1).rstrip(),
        page("## Known limits", md(card.limits)).rstrip(),
    )


def files(view: ReleaseView) -> Iterator[tuple[str, int, DatasetFile]]:
    """Each pinned file: what it is used for, its number among those, itself; none before they are pinned."""
    sets: dict[str, DatasetRef] = {}
    if view.data is not None:
        sets = {"training": view.data.training, "evaluation": view.data.evaluation}
    for use, ref in sets.items():
        for number, file in enumerate(ref.files, start=1):
            yield use, number, file


def file_table(view: ReleaseView) -> str:
    """Every file with its rows, bytes and digest."""
    if view.data is None:
        return "*The data were not pinned.*"
    rows = (
        (use, md(f.period), md(f.uri), f"{f.rows:,}", f"{f.artifact.size:,}", code(f.artifact.sha256))
        for use, _, f in files(view)
    )
    return table(("Used for", "Period", "Read from", "Rows", "Bytes", "SHA-256"), rows, numbers=(3, 4))


def _columns(view: ReleaseView) -> str:
    return table(("Column", "Role", "Type", "Missing"), (_cells(column) for column in columns(view)), numbers=(3,))


def _cells(column: Column) -> tuple[str, ...]:
    missing = NOTHING if column.missing is None else f"{column.missing:,}"
    return code(column.name), md("; ".join(column.roles)), md(column.type or NOTHING), missing


def _sensitive(view: ReleaseView) -> str:
    return bullets(
        f"{code(feature.column)} as {md(feature.name)}: {_bands(feature.bands)}" for feature in view.spec.sensitive
    )


def _bands(bands: Mapping[str, tuple[float, float]] | None) -> str:
    if bands is None:
        return "its values are the groups"
    return ", ".join(f"{md(name)} from {low:g} to below {high:g}" for name, (low, high) in bands.items())
