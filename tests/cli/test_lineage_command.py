"""``lineage`` leads from a model to the exact bytes it was made from."""

import json

from gatewright.core.releases import Opening
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.reports.example_view import CANDIDATE, CHAMPION, DATA, MODEL, OPENING


def test_the_tree_leads_to_every_file_the_code_and_the_environment(run: Run) -> None:
    """Each with the digest that names exactly its bytes."""
    code, out, _ = run("lineage", MODEL[:10])
    assert code == 0
    assert out.splitlines()[0] == f"model triage, 812,345 bytes  sha256:{MODEL}"
    for dataset in (DATA.training, DATA.evaluation):
        assert dataset.digest in out
        for file in dataset.files:
            assert f"{file.uri}, period {file.period}, {file.rows:,} rows  sha256:{file.artifact.sha256}" in out
    for expected in (CANDIDATE.code_revision, CANDIDATE.environment_sha256, CHAMPION, "scikit-learn 1.9.1"):
        assert expected in out


def test_the_tree_is_drawn_with_plain_signs(run: Run) -> None:
    """Any terminal and any log shows it."""
    _, out, _ = run("lineage", "triage-2000-1")
    lines = out.splitlines()
    assert lines[1].startswith("|-- trained 2026-03-02 12:00 UTC by kim.larsen, seed 0")
    assert lines[2].startswith("|   |-- trained on training, 8,000 rows  sha256:")
    assert lines[3].startswith("|   |   |-- data/1998.parquet")
    assert lines[-1].startswith("    `-- roster  sha256:")
    assert out.isascii()


def test_the_tree_on_a_terminal_breaks_no_digest(terminal: Run) -> None:
    """Each on a line of its own, at 80 columns."""
    code, out, _ = terminal("lineage", "triage-2000-1")
    assert code == 0
    assert any(line.strip("│├└─ ") == CANDIDATE.environment_sha256 for line in out.splitlines())
    assert all(len(line) <= 80 for line in out.splitlines())


def test_the_tree_as_json_has_the_same_branches(run: Run) -> None:
    """Nested, for a program that walks it."""
    _, out, _ = run("lineage", "triage-2000-1", "--json")
    tree = json.loads(out)
    assert tree["sha256"] == MODEL
    trained_on = tree["sources"][0]["sources"][0]
    assert [source["sha256"] for source in trained_on["sources"]] == [f.artifact.sha256 for f in DATA.training.files]


def test_a_release_without_a_model_says_so(run: Run, services: Services) -> None:
    """It opened and was never trained."""
    stored = services.evidence.read("opening", "triage-2000-3", Opening)
    pinned = {name: getattr(stored, name) for name in ("spec", "policy", "roster")}
    fresh = OPENING.model_copy(update={"release_id": "early-1", "model": "early", **pinned})
    services.releases.open(fresh)
    code, out, err = run("lineage", "early-1")
    assert (code, out) == (1, "")
    assert "the release has no model yet." in err
