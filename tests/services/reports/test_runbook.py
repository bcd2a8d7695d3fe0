"""Whoever is on call at night has only the runbook: it must say what to do, and be right."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gatewright.cli import app
from gatewright.core.notices import Event
from gatewright.core.policy import BreakGlass, MonitoringRule, Policy
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.roster import Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.reports.alarm_words import MESSAGES, alarm_of
from gatewright.services.reports.runbook import runbook
from tests.services.release_book import ROSTER
from tests.services.reports.example_view import example_view
from tests.services.reports.pages import ELEMENTS
from tests.services.reports.rendering import rendered
from tests.services.reports.test_evidence_page import hostile_view

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden" / "runbook.md"


def at_home() -> ReleaseView:
    """The example release under the policy and the roster of the repository."""
    policy = parse_yaml((ROOT / "policies/crash_triage.yaml").read_text(), Policy, where="policy")
    roster = parse_yaml((ROOT / "policies/roster.yaml").read_text(), Roster, where="roster")
    return replace(example_view(), policy=policy, roster=roster, state=ReleaseState.DEPLOYED)


def section(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_the_runbook_is_built_as_agreed(tmp_path: Path) -> None:
    """It equals its golden file; the new text lies in the temporary directory."""
    glass = BreakGlass(roles=("release-manager",), hours=24)
    view = example_view()
    text = runbook(replace(view, policy=view.policy.model_copy(update={"break_glass": glass}), roster=ROSTER))
    (tmp_path / "runbook.md").write_text(text)
    assert text == GOLDEN.read_text(), f"look at {tmp_path / 'runbook.md'}"


def test_what_to_do_at_once_comes_first() -> None:
    """Taking it back is the first section, and its command the second thing that can be copied."""
    text = runbook(at_home())
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[:3] == ["Take it back", "See what serves",
                                                                "What to re-point after a rollback"]  # fmt: skip
    assert "--param model=triage --param to_release=triage-1999-1" in section(text, "Take it back")


def test_the_command_that_takes_it_back_is_a_deployment_with_these_parameters() -> None:
    """A runbook whose command is refused at night is worse than none."""
    deployments = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]
    assert any(one["name"] == "rollback" and one["entrypoint"] == "flows.rollback.rollback" for one in deployments)
    command = section(runbook(at_home()), "Take it back")
    names = set(re.findall(r"--param (\w+)=", command))
    given = set(re.search(r"def rollback\((.*?)\) ->", (ROOT / "flows/rollback.py").read_text(), re.DOTALL)[1].split())
    assert {f"{name}:" for name in names} <= given


def test_each_command_is_one_that_the_command_line_takes() -> None:
    """Every option exists, and nothing that is needed is left out."""
    blocks = re.findall(r"```\n(.*?)\n```", runbook(at_home()).replace("\\\n", ""), re.DOTALL)
    ours = [line for block in blocks for line in block.splitlines() if line.startswith("gatewright ")]
    assert {line.split()[1] for line in ours} == {"rollback", "history", "verify", "break-glass"}
    for line in ours:
        app.parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)


def test_a_first_release_has_nothing_to_go_back_to() -> None:
    """No command that would fail."""
    text = section(runbook(example_view(champion=False)), "Take it back")
    assert "prefect deployment run" not in text
    assert "Tell those who use it to do without it" in text


def test_people_are_named_by_what_they_may_do() -> None:
    """From the roster pinned for this release; keys and addresses are not in it."""
    view = at_home()
    people = section(runbook(view), "Whom to call")
    assert r"| breaking the glass | release-manager | Dana Reyes \(dana.reyes\)" in people
    assert r"| waiving a rule | compliance-officer | Sam Okafor \(sam.okafor\) |" in people
    assert "ssh-" not in runbook(view)


def test_somebody_who_has_left_is_not_called() -> None:
    """Nor is somebody who has not begun; who remains is said."""
    view = at_home()
    gone = [
        person.model_copy(update={"left": person.joined}) if "release-manager" in person.roles else person
        for person in view.roster.people
    ]
    text = section(
        runbook(replace(view, roster=view.roster.model_copy(update={"people": tuple(gone)}))), "Whom to call"
    )
    assert "Dana Reyes" not in text
    assert "| breaking the glass | release-manager | nobody in the roster |" in text


def test_each_rule_of_monitoring_has_its_limit_its_reason_and_three_things_to_look_at() -> None:
    """All of the policy, in its order."""
    view = at_home()
    alarms = section(runbook(view), "What each alarm means")
    assert re.findall(r"^### ([\w-]+):", alarms, re.MULTILINE) == [rule.id for rule in view.policy.monitoring.rules]
    for part in alarms.split("\n### ")[1:]:
        assert re.findall(r"^\d\.", part, re.MULTILINE) == ["1.", "2.", "3."]
    assert "recall of all predictions must be at least 0.5." in alarms
    assert "null rate change of each column or group must be at most 0.1." in alarms


@pytest.mark.parametrize(
    ("metric", "looks_at"),
    [
        ("psi", "column's source changed"),
        ("prevalence_change", "column's source changed"),
        ("null_rate_change", "delivers at all"),
        ("new_categories", "delivers at all"),
        ("recall", "labels are right"),
        ("expected_calibration_error", "labels are right"),
        ("labelled_share", "scoring service answers"),
        ("rows", "scoring service answers"),
        ("conflicting_labels", "sends some of them twice"),
        ("something_new", "monitoring page"),
    ],
)
def test_what_to_look_at_fits_what_is_measured(metric: str, looks_at: str) -> None:
    """A metric that nobody thought of has an answer too."""
    rule = MonitoringRule(id="rule", metric=metric, maximum=1, response="alert", reason="Because.")
    assert looks_at in " ".join(alarm_of(rule).first)


def test_each_message_that_people_get_is_explained() -> None:
    """By its name in the subject's family, all of them."""
    assert set(MESSAGES) == set(Event.__args__)  # type: ignore[attr-defined]
    told = section(runbook(at_home()), "What each message means")
    assert all(f"| {event.replace('_', ' ')} |" in told for event in MESSAGES)


def test_an_emergency_is_only_offered_where_the_policy_knows_it() -> None:
    """Who, for how long, and by which command."""
    view = at_home()
    text = section(runbook(view), "In an emergency")
    assert "within 24 hours" in text
    assert "gatewright break-glass triage-2000-1 --reason" in text
    without = replace(view, policy=view.policy.model_copy(update={"break_glass": None}))
    assert "gatewright break-glass" not in runbook(without)
    twelve = view.policy.model_copy(update={"break_glass": BreakGlass(roles=("on-call",), hours=12)})
    assert "role on-call, not the author of the candidate" in runbook(replace(view, policy=twelve))


@pytest.mark.parametrize("state", list(ReleaseState))
def test_whether_it_ever_served_is_the_first_line(state: ReleaseState) -> None:
    """Somebody who holds the runbook of a rejected candidate must learn that at once."""
    first = runbook(replace(at_home(), state=state)).splitlines()[2]
    assert first.startswith("- **It ")


def test_hostile_text_adds_no_element_and_no_address() -> None:
    """What data scientists and data wrote is shown, never obeyed."""
    page = rendered(runbook(hostile_view()))
    assert set(page.tags) <= ELEMENTS | {"strong", "em", "ol", "h3"}
    assert not [value for _, name, value in page.attributes if name in ("href", "src", "onerror", "onload")]
