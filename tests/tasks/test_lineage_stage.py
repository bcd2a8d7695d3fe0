"""The lineage stage keeps what the cards need: the types of the columns, and what nobody has written."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from tasks import lineage
from tasks.stage import Findings
from tests.fakes import MemoryStore
from tests.services.reports.example_view import CANDIDATE, DATA, NOON, OPENING, SPEC

FRAME = pd.DataFrame({"speed": [50.0, None], "belt": ["none", "belted"], "age": [16, 97]})


def found(tmp_path: Path, spec: ModelSpec = SPEC) -> Findings:
    blobs = BlobStore(MemoryStore(), tmp_path)
    services = SimpleNamespace(
        releases=SimpleNamespace(spec=lambda opening: spec),
        datasets=lambda model: SimpleNamespace(load=lambda dataset, columns: FRAME),
        blobs=blobs,
        now=lambda: NOON,
    )
    return lineage._find(services, OPENING, DATA, CANDIDATE)  # type: ignore[arg-type]


def test_the_types_of_the_columns_are_kept_without_their_bounds(tmp_path: Path) -> None:
    """The oldest person of the data is somebody; the documents are for everybody."""
    assert found(tmp_path).details == {
        "columns": {
            "speed": {"type": "float64", "missing": 1},
            "belt": {"type": "str", "missing": 0},
            "age": {"type": "int64", "missing": 0},
        }
    }


@pytest.mark.parametrize(("contact", "missing"), [(None, 12), ("triage@example.org", 11)])
def test_what_the_card_leaves_unsaid_is_measured(tmp_path: Path, contact: str | None, missing: int) -> None:
    """The note names each field, as it is to be written."""
    spec = SPEC.model_copy(update={"card": SPEC.card.model_copy(update={"contact": contact})})
    measured = {m.metric: m for m in found(tmp_path, spec).measurements}
    assert measured["missing_card_fields"].value == missing
    assert ("card.contact" in measured["missing_card_fields"].note) == (contact is None)
    assert measured["missing_annex_iv_fields"].value == 16
