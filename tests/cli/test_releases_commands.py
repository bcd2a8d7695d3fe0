"""``releases``, ``show`` and ``history`` tell where each release stands, in words and in exit codes."""

import json
from datetime import timedelta

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.core.releases import EvidenceRoot
from gatewright.core.results import Status
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.reports.example_view import CANDIDATE, MODEL, NOON, example_view


def test_releases_are_listed_with_state_decision_and_approver(run: Run) -> None:
    """One line each, the oldest first."""
    code, out, _ = run("releases")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [line[:4] for line in lines[1:]] == [
        ["triage-2000-1", "2000", "deployed", "PASS"],
        ["triage-2000-2", "2000", "blocked", "BLOCK"],
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
    ("release", "code", "begins", "next_command"),
    [
        (
            "triage-2000-1",
            0,
            "PASS triage-2000-1: it was deployed",
            "gatewright rollback triage --to triage-1999-1 --reason ",
        ),
        (
            "triage-2000-2",
            2,
            "BLOCK triage-2000-2: it was blocked; the champion stays",
            "gatewright explain triage-2000-2",
        ),
        ("triage-2000-3", 3, "NOT DECIDED triage-2000-3: its gates are running", "gatewright watch triage-2000-3"),
    ],
)
def test_show_begins_with_the_verdict_and_ends_with_the_next_command(
    run: Run, release: str, code: int, begins: str, next_command: str
) -> None:
    """By its exit code too: 0 deployed, 2 stopped, 3 still open."""
    found, out, _ = run("show", release)
    assert found == code
    assert out.startswith(f"{begins}\n")
    assert out.splitlines()[-1].strip().startswith(next_command)


def test_show_says_whether_what_went_live_still_serves(services: Services, run: Run) -> None:
    """Its end said that it serves; somebody may have taken it back since."""
    assert run("show", "triage-2000-1")[1].splitlines()[2] == "  production serves it since 2026-03-02 12:01 UTC"
    for n, action in enumerate(("rollback", "confirm"), start=2):
        entry = ChannelEntry(
            action=action,  # type: ignore[arg-type]
            release_id="triage-1999-1",
            model_sha256="c3" * 32,
            actor="dana.reyes",
            reason="It misses too many.",
            at=NOON + timedelta(hours=n),
            operation="rollback-1",
        )
        services.channels.move("triage", "production", entry, expected=n)
    assert run("show", "triage-2000-1")[1].splitlines()[2] == (
        "  it serves no more: production serves triage-1999-1 since 2026-03-02 15:00 UTC"
    )


def test_show_says_what_speaks_against_a_release_with_its_numbers(run: Run) -> None:
    """The drift alarm with its value and limit; what passed is only counted."""
    _, out, _ = run("show", "triage-2000-1")
    against = out[out.index("What speaks against it") :].splitlines()[1]
    assert against == "  FAIL         warns: feature-drift on year_built: PSI 0.320 (exact), at most 0.25"
    assert "9 of 10 checks pass" in out
    assert "auc-floor" not in out


def test_show_counts_the_absence_of_a_champion_as_speaking_against_a_release(services: Services, run: Run) -> None:
    """Where all rules passed, `nothing` is not said below that reason."""
    decision = example_view().decision
    assert decision is not None
    passed = tuple(one for one in decision.results if one.status is Status.PASSED)
    alone = decision.model_copy(update={"results": passed, "reasons": ("no champion serves",)})
    services.releases.record("decision", services.releases.opening("triage-2000-3"), alone)
    _, out, _ = run("show", "triage-2000-3")
    assert "\n  - no champion serves\n  9 of 9 checks pass\n" in out


def test_show_draws_each_change_against_the_champion_with_a_word(run: Run) -> None:
    """The interval of the AUC leaves zero out; that of the recall does not."""
    _, out, _ = run("show", "triage-2000-1")
    auc, recall = (
        next(line for line in out.splitlines() if line.startswith(f"  {name} ")) for name in ("AUC", "recall")
    )
    assert auc.split()[1:5] == ["0.858", "+0.030", "[0.014,", "0.044]"]
    assert ("├" in auc, auc.split()[-1]) == (True, "better")
    assert recall.endswith("  not shown")


def test_show_all_lists_every_rule_with_its_numbers(run: Run) -> None:
    """Also those that passed, drift and groups with their support."""
    _, out, _ = run("show", "triage-2000-1", "--all")
    row = next(line for line in out.splitlines() if line.startswith("FAIL"))
    assert row.split() == ["FAIL", "warn", "feature-drift", "year_built", "0.320", "–", "at", "most", "0.25"]
    assert sum(line.startswith("PASS  ") for line in out.splitlines()) == 9
    assert any(line.startswith("  age_band=65+") and line.endswith("too few") for line in out.splitlines())
    assert any(line.startswith("  year_built") and line.endswith("0.320 over the limit") for line in out.splitlines())


def test_show_names_who_must_still_approve_and_until_when(services: Services, run: Run) -> None:
    """A release that waits: how many, with which role, how the name must be proven, and how long."""
    opening = services.releases.opening("triage-2000-3")
    decision = example_view().decision
    assert decision is not None
    root = EvidenceRoot(release_id="triage-2000-3", records={}, model_sha256="b8" * 32)
    services.releases.record("decision", opening, decision)
    services.releases.record("root", opening, root)
    services.releases.ask(opening, CANDIDATE, decision, environment="production")
    code, out, _ = run("show", "triage-2000-3")
    assert code == 3
    assert out.startswith("PASS triage-2000-3: it waits for approval\n")
    assert "Approvals: 0 of 1" in out
    assert "needed: 1 person with the role release-manager or compliance-officer, assurance declared (tier" in out
    assert "until 2026-03-05 12:00 UTC, 72 h 0 min left" in out
    assert out.endswith(
        "  dana.reyes can answer it, after reading the evidence:\n    gatewright approve triage-2000-3\n"
    )
    found = json.loads(run("show", "triage-2000-3", "--json")[1])
    assert (found["approvals_missing"], found["expires_at"]) == (1, "2026-03-05T12:00:00+00:00")


def test_show_does_not_pass_control_characters_to_the_terminal(run: Run) -> None:
    """A reason cannot clear the screen."""
    _, out, _ = run("show", "triage-2000-2")
    assert "\x1b" not in out
    assert "- auc-floor: [2Jfailed" in out


@pytest.mark.parametrize("name", [MODEL, MODEL[:8], MODEL[:8].upper()])
def test_a_release_is_found_by_the_beginning_of_its_models_digest(run: Run, name: str) -> None:
    """That is what a serving process reports."""
    code, out, _ = run("show", name, "--json")
    assert code == 0
    assert json.loads(out)["release"] == "triage-2000-1"


def test_too_few_digits_of_a_digest_are_refused_with_how_many_are_needed(run: Run) -> None:
    """The model does begin with them, so the message must not leave it at no."""
    code, _, err = run("show", MODEL[:5])
    assert code == 1
    assert "of a digest write 6 digits or more" in err


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
    assert [row[:4] for row in rows[:2]] == [
        ["1", "deploy", "triage-2000-1", MODEL[:12]],
        ["2", "confirm", "triage-2000-1", MODEL[:12]],
    ]
    assert "Better for every group." in out
    assert out.endswith(f"\n\nproduction serves triage-2000-1, model {MODEL[:12]}, since 2026-03-02 12:01 UTC\n")


def test_history_says_that_a_move_is_under_way(run: Run, services: Services) -> None:
    """Until it is confirmed nobody knows that it serves."""
    move = ChannelEntry(
        action="deploy", release_id="triage-2000-3", model_sha256="b8" * 32, actor="dana.reyes", reason="Better.",
        at=NOON + timedelta(hours=1), operation="triage-2000-3",
    )  # fmt: skip
    services.channels.move("triage", "production", move, expected=2)
    _, out, _ = run("history", "triage")
    assert "production serves triage-2000-1" in out
    assert out.endswith("a deploy to triage-2000-3 is under way since 2026-03-02 13:00 UTC\n")


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
