"""People waive rules from a terminal, and everybody can list what was waived."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from gatewright.cli import main
from gatewright.core.policy import WaiverTerms
from tests.services.reports.example_view import NOON, POLICY, SPEC
from tests.services.waiting_release import WaitingRelease

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


def waive(release: WaitingRelease, person: str = "sam.okafor", **changes: str) -> int:
    given = {"rule": "feature-drift", "days": "10", "reason": REASON, **changes}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    return main(["waive", "triage", "--key", str(release.people.keys[person]), *options])


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
        ("sam.okafor", {"reason": "because"}, "too short"),
    ],
)
def test_what_may_not_be_waived_is_not_recorded(release: WaitingRelease, capsys, person, changes, problem):
    """Exit code 1, the reason, and an empty list."""
    assert waive(release, person, **changes) == 1
    assert problem in capsys.readouterr().err
    assert main(["waivers"]) == 0
    assert "Nothing was ever waived." in capsys.readouterr().out
