"""People waive rules from a terminal, and everybody can list what was waived."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from gatewright.cli import main
from gatewright.core.policy import WaiverTerms
from tests.services.reports.example_view import NOON, POLICY, SPEC
from tests.services.waiting_release import WaitingRelease

ASK = "ask"
REASON = "The new sensors arrive in May."


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WaitingRelease:
    """Its model's spec and policy are on disk; compliance officers may waive for thirty days."""
    terms = WaiverTerms(roles=("compliance-officer",), maximum_days=30)
    policy = POLICY.model_copy(update={"waivers": terms})
    for file, record in (("examples/triage/model.yaml", SPEC), (SPEC.policy, policy)):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(yaml.safe_dump(record.model_dump(mode="json", exclude_none=True)))
    found = WaitingRelease(tmp_path)
    monkeypatch.setattr("gatewright.wiring.connect", found.services)
    return found


def waive(release: WaitingRelease, person: str = "sam.okafor", *more: str, **changes: str) -> int:
    """As a script does, unless somebody is at the terminal."""
    given = {"rule": "feature-drift", "days": "10", "reason": REASON, **changes}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    said = [] if ASK in more else ["--yes"]
    return main(["waive", "triage", "--key", str(release.people.keys[person]), *options, *said, *set(more) - {ASK}])


def answered(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """Somebody at the terminal says ``words``; returns what they were asked."""
    said, asked = iter(words), []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return next(said)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)
    return asked


def test_a_waiver_is_signed_and_listed(release: WaitingRelease, capsys):
    """Which rule, on what, by whom, why, until when."""
    assert waive(release, slice="speed") == 0
    capsys.readouterr()
    assert main(["waivers", "triage", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["rule"], row["slice"], row["principal"], row["reason"]) == (
        "feature-drift", "speed", "sam.okafor", REASON,
    )  # fmt: skip
    assert (row["role"], row["assurance"], row["holds"]) == ("compliance-officer", "signed", True)
    assert row["expires"].startswith("2026-03-12T12:00")


def test_a_waiver_that_is_over_stays_in_the_list(release: WaitingRelease, capsys):
    """Nobody can forget that there was one."""
    waive(release)
    release.book.now = NOON + timedelta(days=11)
    capsys.readouterr()
    assert main(["waivers"]) == 0
    out = capsys.readouterr().out
    assert "sam.okafor (signed)  2026-03-12 12:00 UTC  expired" in out


@pytest.mark.parametrize(
    ("person", "changes", "problem"),
    [
        ("dana.reyes", {}, "holds no role that may do this"),
        ("sam.okafor", {"days": "31"}, "does not expire within 30 days"),
        ("sam.okafor", {"days": "nan"}, "no number of days"),
        ("sam.okafor", {"rule": "drift"}, "has no rule `drift`"),
        ("sam.okafor", {"rule": "Drift!"}, "String should match"),
        ("sam.okafor", {"reason": "x" * 2001}, "the token"),
        ("sam.okafor", {"reason": "because"}, "too short"),
    ],
)
def test_what_may_not_be_waived_is_not_recorded(release: WaitingRelease, capsys, person, changes, problem):
    """Exit code 1, the reason, and an empty list."""
    assert waive(release, person, **changes) == 1
    assert problem in capsys.readouterr().err
    assert main(["waivers"]) == 0
    assert "Nothing was ever waived." in capsys.readouterr().out


def test_what_is_waived_is_shown_before_anybody_is_asked(release: WaitingRelease, capsys, monkeypatch):
    """The rule and why it is there, its value and limit and by how much, until when, who may; then the question."""
    asked = answered(monkeypatch, "yes")
    assert waive(release, "sam.okafor", ASK) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "Waive feature-drift of triage on every slice"
    assert "why Another population." in lines
    assert "limit at most 0.25; a result that does not respect it warns" in lines
    assert "until 2026-03-12 12:00 UTC: 10 days of the 30 that the policy allows" in lines
    assert "who may sam.okafor (role compliance-officer); nobody for a candidate of their own" in lines
    found = lines.index("What it found in r1, decided last")
    assert lines[found + 1] == (
        "FAIL on year_built: PSI 0.320, an exact count, 4,200 rows: the value is 0.070 beyond it"
    )
    assert asked == ["Sign as sam.okafor: waive feature-drift of triage until 2026-03-12 12:00 UTC? [yes/no] "]
    assert lines[-1] == (f"Recorded: feature-drift: waived by sam.okafor (signed) until 2026-03-12 12:00 UTC: {REASON}")


def test_the_reason_is_asked_for_where_none_was_given(release: WaitingRelease, capsys, monkeypatch):
    """As `approve` does."""
    asked = answered(monkeypatch, REASON, "y")
    key = str(release.people.keys["sam.okafor"])
    assert main(["waive", "triage", "--rule", "feature-drift", "--days", "10", "--key", key]) == 0
    assert asked[0].strip().startswith("Reason")
    assert REASON in capsys.readouterr().out


def test_a_slice_that_was_never_judged_is_told_with_those_that_were(release: WaitingRelease, capsys, monkeypatch):
    """A waiver of a misspelt slice would help nobody."""
    asked = answered(monkeypatch, "no")
    assert waive(release, "sam.okafor", ASK, slice="year_build") == 1
    assert "waive feature-drift of triage on year_build until" in asked[0]
    assert "not judged on year_build, but on belt, score, speed, year_built" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["no", "", "waive"])
def test_any_other_word_than_yes_signs_nothing(release: WaitingRelease, capsys, monkeypatch, word: str):
    """Having read the page people change their minds."""
    answered(monkeypatch, word)
    assert waive(release, "sam.okafor", ASK) == 1
    assert "nothing was signed" in capsys.readouterr().err
    assert release.services().waivers.of("triage") == []


def test_where_nobody_can_be_asked_nothing_is_waived(release: WaitingRelease, capsys, monkeypatch):
    """A script says --yes; a closed input is no yes, and no traceback."""
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert waive(release, "sam.okafor", ASK) == 1
    assert "nobody is here to be asked" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert waive(release, "sam.okafor", ASK) == 1
    assert "nothing was signed" in capsys.readouterr().err
    assert release.services().waivers.of("triage") == []


def test_machines_are_told_what_was_signed(release: WaitingRelease, capsys):
    """One object and no page."""
    assert waive(release, "sam.okafor", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["rule"], row["principal"], row["role"]) == ("feature-drift", "sam.okafor", "compliance-officer")
