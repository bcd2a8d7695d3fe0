"""``releases``, ``show`` and ``history`` tell where each release stands, in words and in exit codes."""

import json
from datetime import timedelta

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.reports.example_view import MODEL, NOON


def test_releases_are_listed_with_state_decision_and_approver(run: Run) -> None:
    """One line each, the oldest first."""
    code, out, _ = run("releases")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [line[:4] for line in lines[1:]] == [
        ["triage-2000-1", "2000", "deployed", "promote"],
        ["triage-2000-2", "2000", "blocked", "block"],
        ["triage-2000-3", "2000", "open", "-"],
    ]
    assert lines[1][4] == MODEL[:12]
    assert lines[1][-1] == "dana.reyes"


def test_releases_as_json_carry_full_digests(run: Run) -> None:
    """Machines need all digits."""
    _, out, _ = run("releases", "--model", "triage", "--json")
    assert [row["state"] for row in json.loads(out)] == ["deployed", "blocked", "open"]
    assert json.loads(out)[0]["model"] == MODEL


def test_an_unknown_model_is_an_error_with_the_nearest_name(run: Run) -> None:
    """An empty list would look like an answer."""
    code, out, err = run("releases", "--model", "triaeg")
    assert (code, out) == (1, "")
    assert "did you mean `triage`?" in err


@pytest.mark.parametrize(
    ("release", "code", "state", "verdict"),
    [
        ("triage-2000-1", 0, "DEPLOYED", "PASS"),
        ("triage-2000-2", 2, "BLOCKED", "BLOCK"),
        ("triage-2000-3", 3, "OPEN", "NOT DECIDED"),
    ],
)
def test_show_answers_by_its_exit_code(run: Run, release: str, code: int, state: str, verdict: str) -> None:
    """0 deployed, 2 stopped, 3 still open."""
    found, out, _ = run("show", release)
    assert found == code
    assert out.startswith(f"{state}  {release}  gates: {verdict}  ")


def test_show_lists_reasons_and_rules_with_their_numbers(run: Run) -> None:
    """The drift alarm with its value and limit."""
    _, out, _ = run("show", "triage-2000-1")
    assert "  - feature-drift: psi on year_built failed: 0.32 is not at most 0.25" in out
    row = next(line for line in out.splitlines() if line.startswith("FAIL"))
    assert row.split() == ["FAIL", "warn", "feature-drift", "year_built", "0.320", "–", "at", "most", "0.25"]


def test_show_does_not_pass_control_characters_to_the_terminal(run: Run) -> None:
    """A reason cannot clear the screen."""
    _, out, _ = run("show", "triage-2000-2")
    assert "\x1b" not in out
    assert "auc-floor: [2Jfailed" in out


@pytest.mark.parametrize("name", [MODEL, MODEL[:8], MODEL[:8].upper()])
def test_a_release_is_found_by_the_beginning_of_its_models_digest(run: Run, name: str) -> None:
    """That is what a serving process reports."""
    code, out, _ = run("show", name, "--json")
    assert code == 0
    assert json.loads(out)["release"] == "triage-2000-1"


@pytest.mark.parametrize("name", ["triage-2000", "nothing", "", "a1", "../../etc", "\x1b[2J"])
def test_a_name_that_fits_no_or_many_releases_is_refused(run: Run, name: str) -> None:
    """Guessing would show the wrong evidence."""
    code, out, err = run("show", name)
    assert (code, out) == (1, "")
    assert "remedy:" in err
    assert "\x1b" not in err


def test_history_lists_every_move_of_the_channel(run: Run) -> None:
    """Intent, then confirmation, with who and why."""
    code, out, _ = run("history", "triage")
    rows = [line.split() for line in out.splitlines()[1:]]
    assert code == 0
    assert [row[:4] for row in rows] == [
        ["1", "deploy", "triage-2000-1", MODEL[:12]],
        ["2", "confirm", "triage-2000-1", MODEL[:12]],
    ]
    assert "Better for every group." in out


def test_history_says_how_surely_each_name_is_known(run: Run, services: Services) -> None:
    """A signed approval, a rollback by a typed name, and a way back that nobody asked for."""
    for n, (actor, operation) in enumerate((("sam.okafor", "rollback-1"), ("gatewright", "triage-2000-9")), start=2):
        move = ChannelEntry(
            action="rollback", release_id="triage-2000-1", model_sha256=MODEL, actor=actor, reason="It fails.",
            at=NOON + timedelta(hours=n), operation=operation,
        )  # fmt: skip
        services.channels.move("triage", "production", move, expected=n)
    _, out, _ = run("history", "triage", "--json")
    assert [row["assurance"] for row in json.loads(out)] == ["signed", "signed", "declared", None]
    assert "signed" in run("history", "triage")[1]


def test_history_as_json_numbers_the_generations(run: Run) -> None:
    """With the full digest of each move."""
    _, out, _ = run("history", "triage", "--json")
    assert [(row["generation"], row["model_sha256"]) for row in json.loads(out)] == [(1, MODEL), (2, MODEL)]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-03-02T11:59", "nothing served"),
        ("2026-03-02T12:00:30", "nothing served"),
        ("2026-03-02T12:01", f"{MODEL} of triage-2000-1, confirmed"),
        ("2026-03-02T14:01+02:00", f"{MODEL} of triage-2000-1, confirmed"),
        ("2027-01-01", f"{MODEL} of triage-2000-1, confirmed"),
    ],
)
def test_history_at_a_time_says_what_served_then(run: Run, at: str, words: str) -> None:
    """Before it, while it was on its way, at the second of its confirmation, and long after it."""
    code, out, _ = run("history", "triage", "--at", at)
    assert code == 0
    assert words in out
    assert ("was under way" in out) == (at == "2026-03-02T12:00:30")


def test_history_at_a_time_answers_machines(run: Run) -> None:
    """The whole move, and the one that was under way."""
    _, out, _ = run("history", "triage", "--at", "2026-03-02T12:00:30", "--json")
    found = json.loads(out)
    assert (found["settled"], found["under_way"]["action"]) == (None, "deploy")


def test_history_of_a_channel_never_used_says_so(run: Run) -> None:
    """Nothing is a fact too."""
    code, out, _ = run("history", "triage", "--channel", "staging")
    assert code == 0
    assert out == "Nothing was ever deployed on staging of triage.\n"


def test_a_tampered_ledger_stops_every_listing(run: Run, services: Services) -> None:
    """A listing made from a broken chain would be a lie."""
    objects = services.records.objects  # type: ignore[attr-defined]
    first = sorted(key for key in objects if key.startswith("ledger/triage/"))[0]
    objects[first] = objects[first].replace(b"kim.larsen", b"sam.okafor")
    code, out, err = run("releases")
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
