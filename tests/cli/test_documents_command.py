"""``gatewright documents`` lists, writes, prints and makes again what was written of a release."""

import json
import re
from pathlib import Path

import pytest

from gatewright.core.releases import Opening
from gatewright.services.reports.documents import DOCUMENTS
from gatewright.wiring import Services
from tests.cli.conftest import Run

RELEASE = "triage-2000-1"


@pytest.fixture(autouse=True)
def written(services: Services) -> None:
    """The release has ended, so its documents are there."""
    services.documents.write(services.evidence.read("opening", RELEASE, Opening), "ended")


def test_the_list_names_each_document_with_its_digest(run: Run) -> None:
    """And says of which moment they are, and which version made them."""
    code, out, _ = run("documents", RELEASE)
    assert code == 0
    assert re.fullmatch(rf"{RELEASE}, as ended, made by Gatewright [0-9.]+, code 0123456789ab", out.splitlines()[0])
    assert [line.split()[0] for line in out.splitlines()[2:]] == [kind.name for kind in DOCUMENTS]
    _, listed, _ = run("documents", RELEASE, "--json")
    assert [len(row["sha256"]) for row in json.loads(listed)["documents"]] == [64] * len(DOCUMENTS)


def test_a_named_document_is_printed_as_it_is(run: Run, services: Services) -> None:
    """For a pipe, or to read at once."""
    code, out, _ = run("documents", RELEASE, "model-card")
    assert code == 0
    assert out == services.documents.read(RELEASE, "model-card").decode() + "\n"


def test_documents_are_written_under_their_own_names(run: Run, tmp_path: Path, services: Services) -> None:
    """Into a directory that is made where it is missing."""
    code, out, _ = run("documents", RELEASE, "--out", str(tmp_path / "a" / "b"))
    assert code == 0
    assert [Path(line).name for line in out.splitlines()] == [kind.filename for kind in DOCUMENTS]
    assert (tmp_path / "a" / "b" / "model-card.md").read_bytes() == services.documents.read(RELEASE, "model-card")


def test_documents_made_again_are_compared_byte_for_byte(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 and the name of the one that differs."""
    code, out, _ = run("documents", RELEASE, "--check")
    assert (code, out.count("the same"), "DIFFERS" in out) == (0, len(DOCUMENTS), False)
    monkeypatch.setattr("gatewright.services.documents._bytes", lambda kind, view: kind.name.encode())
    code, out, _ = run("documents", RELEASE, "--check")
    assert code == 2
    assert out.count("DIFFERS") == len(DOCUMENTS)
    assert "They were made by Gatewright" in out
    code, out, _ = run("documents", RELEASE, "--check", "--json")
    assert (code, json.loads(out)["same"]) == (2, False)


def test_a_release_without_documents_is_an_error_that_says_what_to_do(run: Run) -> None:
    """Its gates have not run."""
    code, out, err = run("documents", "triage-2000-3")
    assert (code, out) == (1, "")
    assert "no documents were written" in err
    assert "gatewright show" in err
