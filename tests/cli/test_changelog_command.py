"""``changelog`` tells what went live: for people, as Markdown for the notes of a release, and as JSON."""

import json
from datetime import timedelta

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.reports.example_view import CANDIDATE, NOON


def test_people_read_what_went_live_why_and_by_whose_word(run: Run) -> None:
    """The release of the example, two minutes after it was decided."""
    code, out, _ = run("changelog", "triage")
    assert code == 0
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    assert lines[:5] == [
        "2026-03-02 12:01 UTC triage-2000-1 released",
        "model a1a1a1a1a1a1, by dana.reyes, 60 s until the service followed",
        "why: Better for every group.",
        "gates: PASS, policy version 3",
        "dana.reyes approved (signed): Better for every group.",
    ]
    assert lines[5].startswith("AUC 0.858 (+0.030); log loss 0.136 (-0.012)")


def test_the_notes_of_a_release_are_markdown(run: Run) -> None:
    """Ready to be pasted."""
    code, out, _ = run("changelog", "triage", "--markdown")
    assert code == 0
    assert out.startswith("# Changelog of triage, production\n\n## 2026-03-02: triage-2000-1 released\n")


def test_machines_get_full_digests_and_intervals(run: Run) -> None:
    """One object a move."""
    _, out, _ = run("changelog", "triage", "--json")
    (change,) = json.loads(out)
    assert (change["what"], change["model_sha256"], change["seconds"]) == ("released", "a1" * 32, 60.0)
    assert change["metrics"][0] == {"metric": "auc", "value": 0.858, "change": 0.03, "low": 0.014, "high": 0.044}


def test_a_channel_that_never_served_says_so(run: Run) -> None:
    """In each form."""
    assert run("changelog", "triage", "--channel", "staging")[1] == "Nothing was ever deployed on staging of triage.\n"
    assert json.loads(run("changelog", "triage", "--channel", "staging", "--json")[1]) == []


def test_an_unknown_model_is_an_error(run: Run) -> None:
    """With the nearest name."""
    code, out, err = run("changelog", "triaeg")
    assert (code, out) == (1, "")
    assert "did you mean `triage`?" in err


def test_rollbacks_alone_are_told_with_how_long_each_took(run: Run, services: Services) -> None:
    """What the runbook sends people to: how long it will take tonight."""
    empty = "Nothing was ever taken back on production of triage.\n"
    assert run("changelog", "triage", "--rollbacks")[1] == empty
    for n, (action, second) in enumerate((("rollback", 0), ("confirm", 7)), start=2):
        entry = ChannelEntry(
            action=action,  # type: ignore[arg-type]
            release_id="triage-2000-1",
            model_sha256=CANDIDATE.artifact.sha256,
            actor="dana.reyes",
            reason="A rehearsal of the way back.",
            at=NOON + timedelta(hours=1, seconds=second),
            operation="rollback-1",
        )
        services.channels.move("triage", "production", entry, expected=n)
    code, out, _ = run("changelog", "triage", "--rollbacks")
    assert (code, out.strip().splitlines()) == (
        0,
        [
            "2026-03-02 13:00 UTC triage-2000-1 rolled back",
            "  model a1a1a1a1a1a1, by dana.reyes, 7 s until the service followed",
            "  why: A rehearsal of the way back.",
        ],
    )
    (change,) = json.loads(run("changelog", "triage", "--rollbacks", "--json")[1])
    assert change["seconds"] == 7


@pytest.mark.parametrize("command", ["changelog", "history"])
def test_a_misspelt_channel_is_an_error(run: Run, command: str) -> None:
    """`Nothing was ever deployed` would look like an answer."""
    code, out, err = run(command, "triage", "--channel", "stagging")
    assert (code, out) == (1, "")
    assert "there is no channel `stagging`" in err
    assert "did you mean `staging`?" in err
