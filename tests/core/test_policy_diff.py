"""The diff of two policies or rosters: every change is named, and which way it goes."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core import policy_diff, roster_diff
from gatewright.core.change_control import ChangeControl
from gatewright.core.document_diff import Change
from gatewright.core.policy import (
    BreakGlass,
    HoldoutBudget,
    Monitoring,
    MonitoringRule,
    Policy,
    RollbackTerms,
    Rule,
    WaiverTerms,
)
from gatewright.core.records import Record
from gatewright.core.roster import Machine, Person, PublicKey, Roster
from gatewright.core.tiers import Conditions, Tier
from tests.core.examples import policy, rule
from tests.core.mutations import changed, mutations
from tests.core.owners import OWNERS, key_of, owned_roster, person

OPPOSITE = {"loosens": "tightens", "tightens": "loosens", "changes": "changes"}
RULES = (
    rule(id="floor", maximum=0.99, minimum_n=500, minimum_effect=0.01),
    rule(id="better", minimum=None, test="superiority", minimum_effect=0.01, better="higher"),
    rule(id="as-good", minimum=None, test="non_inferiority", margin=0.02),
    rule(id="groups", slices="each", multiplicity="holm", minimum_effect=0.05, severity="warn"),
    rule(id="watched", severity="shadow", needs_champion=True),
)
TIERS = (
    Tier(
        name="grave", risk="high", outcomes=("promote", "review"), when=Conditions(sensitive_domain=True, warnings=3),
        approvals=2, roles=("compliance", "manager"), assurance="signed", window_hours=48, notify=("manager",),
        escalate_after_hours=24, escalate_to=("board",),
    ),
    Tier(name="usual", outcomes=("promote", "review"), approvals=1, roles=("manager",), window_hours=24),
)  # fmt: skip
LIVE = MonitoringRule(id="live", metric="psi", maximum=0.2, minimum=0.0, response="alert", reason="drift")
FULL = policy(
    *RULES,
    changed_by=ChangeControl(owners=OWNERS, quorum=2),
    holdout=HoldoutBudget(budget=20),
    tiers=TIERS,
    waivers=WaiverTerms(roles=("compliance", "board"), maximum_days=30),
    break_glass=BreakGlass(roles=("on-call", "board"), hours=24),
    rollback=RollbackTerms(roles=("manager", "on-call"), assurance="gateway"),
    monitoring=Monitoring(minimum_rows=10, minimum_labels=10, rules=(LIVE, LIVE.model_copy(update={"id": "more"}))),
)
PEOPLE = (
    person("ada.owner", keys=2, revoked=datetime(2026, 1, 1, tzinfo=UTC), left=date(2027, 1, 1)),
    *(person(name) for name in OWNERS[1:]),
)
MACHINES = (Machine(id="pipeline", role="pipeline", keys=(PublicKey(key=key_of("machine"), added=date(2025, 1, 1)),)),)
STAFF = owned_roster(people=PEOPLE, machines=MACHINES)


def diff(old: Record, new: Record) -> tuple[Change, ...]:
    return (policy_diff if isinstance(old, Policy) else roster_diff).diff(old, new)  # type: ignore[arg-type]


def with_rule(name: str, **changes: object) -> Policy:
    rules = tuple(one.model_copy(update=changes) if one.id == name else one for one in FULL.rules)
    return FULL.model_copy(update={"rules": rules})


def with_tier(**changes: object) -> Policy:
    return FULL.model_copy(update={"tiers": (TIERS[0].model_copy(update=changes), TIERS[1])})


def with_part(part: str, **changes: object) -> Policy:
    return FULL.model_copy(update={part: getattr(FULL, part).model_copy(update=changes)})


def with_all(**changes: object) -> Policy:
    return FULL.model_copy(update=changes)


def with_live(**changes: object) -> Policy:
    return with_part("monitoring", rules=(LIVE.model_copy(update=changes), FULL.monitoring.rules[1]))


LOOSER = {
    "a lower floor": with_rule("floor", minimum=0.7),
    "no floor": with_rule("floor", minimum=None),
    "a higher ceiling": with_rule("floor", maximum=0.999),
    "fewer rows asked": with_rule("floor", minimum_n=100),
    "the support of all rules instead of more": with_rule("floor", minimum_n=None),
    "a warning instead of a stop": with_rule("floor", severity=RULES[3].severity),
    "never decides": with_rule("floor", severity=RULES[4].severity),
    "the value instead of the interval": with_rule("floor", decide_on="value"),
    "excused without a champion": with_rule("floor", needs_champion=True),
    "a wider margin": with_rule("as-good", margin=0.03),
    "better by less": with_rule("better", minimum_effect=0.001),
    "better by anything": with_rule("better", minimum_effect=None),
    "overlook more harm": with_rule("groups", minimum_effect=0.1),
    "a rule less": with_all(rules=FULL.rules[1:]),
    "narrower intervals": with_all(alpha=0.1),
    "less power": with_all(power=0.7),
    "more warnings": with_all(review_at_warnings=3),
    "more looks": with_part("holdout", budget=40),
    "looks without a budget": with_all(holdout=None),
    "nobody signs": with_all(changed_by=None),
    "another owner": with_part("changed_by", owners=(*OWNERS, "eve.outside")),
    "fewer owners sign": with_part("changed_by", quorum=1),
    "fewer approve": with_tier(approvals=1),
    "one more role approves": with_tier(roles=("compliance", "manager", "data-scientist")),
    "names less sure": with_tier(assurance="gateway"),
    "longer": with_tier(window_hours=72),
    "less risk": with_tier(risk="medium"),
    "nobody is told": with_tier(notify=()),
    "escalates later": with_tier(escalate_after_hours=36),
    "never escalates": with_tier(escalate_after_hours=None),
    "one more waives": with_part("waivers", roles=("compliance", "board", "manager")),
    "waives for longer": with_part("waivers", maximum_days=60),
    "longer in an emergency": with_part("break_glass", hours=48),
    "one more rolls back": with_part("rollback", roles=("manager", "on-call", "data-scientist")),
    "rolls back by a typed name": with_part("rollback", assurance="declared"),
    "one more breaks glass": with_part("break_glass", roles=("on-call", "board", "manager")),
    "more traffic before it counts": with_part("monitoring", minimum_rows=100),
    "more labels before it counts": with_part("monitoring", minimum_labels=100),
    "escalates to nobody": with_tier(escalate_to=()),
    "a monitoring rule less": with_part("monitoring", rules=(LIVE,)),
    "a milder response": with_live(response="record"),
    "a higher limit in production": with_live(maximum=0.3),
}
TIGHTER = {
    "no waivers": with_all(waivers=None),
    "no emergencies": with_all(break_glass=None),
    "every slice shown to be fine": with_rule("groups", multiplicity="intersection_union"),
    "blocked without a champion": with_all(first_release="block"),
    "a break counts at once": with_live(decide_on="value"),
}
IN_DOUBT = {
    "another metric": with_rule("floor", metric="recall"),
    "another slice": with_rule("floor", slices="each"),
    "another support": with_all(minimum_support=50),
    "tiers in another order": with_all(tiers=TIERS[::-1]),
    "a tier less": with_all(tiers=TIERS[1:]),
    "another condition": with_tier(when=Conditions(sensitive_domain=True, warnings=4)),
    "no condition": with_tier(when=None),
    "another test": with_rule("better", test="non_inferiority", margin=0.01, minimum_effect=None),
    "the other correction": with_rule("groups", multiplicity="benjamini_hochberg"),
}
HARMLESS = {
    "the version": with_all(version=2),
    "whom to ask": with_all(owner="somebody else"),
    "the reason": with_rule("floor", reason="another"),
    "a rule that decides nothing": with_rule("watched", minimum=0.1),
    "one watched rule less": with_all(rules=FULL.rules[:-1]),
    "the order of rules": with_all(rules=FULL.rules[::-1]),
    "as many rows, written down": with_rule("better", minimum_n=FULL.minimum_support),
    "why it is unsigned": with_tier(unsigned_because="no keys yet"),
    "how long the service may take": with_all(serving_timeout_seconds=90),
    "words for what did not pass": with_rule("floor", minimum_effect=0.02),
}


@pytest.mark.parametrize("name", LOOSER)
def test_what_lets_more_through_loosens(name: str) -> None:
    """And put back, it tightens."""
    assert "loosens" in {change.direction for change in diff(FULL, LOOSER[name])}
    assert {change.direction for change in diff(LOOSER[name], FULL)} <= {"tightens", "changes"}


@pytest.mark.parametrize("name", TIGHTER)
def test_what_lets_less_through_tightens(name: str) -> None:
    """And put back, it loosens."""
    assert [change.direction for change in diff(FULL, TIGHTER[name])] == ["tightens"]
    assert [change.direction for change in diff(TIGHTER[name], FULL)] == ["loosens"]


@pytest.mark.parametrize("name", IN_DOUBT)
def test_a_change_that_may_go_either_way_counts_as_loosened_and_says_so(name: str) -> None:
    """In both directions."""
    for change in (*diff(FULL, IN_DOUBT[name]), *diff(IN_DOUBT[name], FULL)):
        assert (change.direction, change.loosened) == ("changes", True)
        assert "counts as loosened" in str(change)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_no_decision_is_named_and_not_counted(name: str) -> None:
    """A new version number or reason must not hide a change that matters."""
    changes = diff(FULL, HARMLESS[name])
    assert [change.direction for change in changes] == ["changes"]
    assert not any(change.loosened for change in changes)


def test_who_may_roll_back_is_compared_whether_or_not_it_is_written_down() -> None:
    """What follows from the tiers, written down, changes nothing; fewer roles and a signature tighten."""
    unsaid = with_all(rollback=None)
    same = with_all(rollback=RollbackTerms(roles=("compliance", "manager"), assurance="declared"))
    assert [change.direction for change in diff(unsaid, same)] == ["changes"]
    signed = with_all(rollback=RollbackTerms(roles=("manager",), assurance="signed"))
    assert [change.direction for change in diff(unsaid, signed)] == ["changes", "tightens", "tightens"]
    assert [change.direction for change in diff(signed, unsaid)] == ["changes", "loosens", "loosens"]


@pytest.mark.parametrize("document", [FULL, STAFF], ids=["policy", "roster"])
def test_every_field_at_any_depth_is_reported_when_it_changes(document: Record) -> None:
    """Fields that are added later too: what has no comparison of its own is doubtful."""
    silent = [path for path, other in mutations(document) if not diff(document, other)]
    assert silent == []
    reached = {path.rpartition(".")[2] for path, _ in mutations(document)}
    kinds = (Policy, Rule, Tier, MonitoringRule) if isinstance(document, Policy) else (Roster, Person, PublicKey)
    wanted = {field for kind in kinds for field in kind.model_fields} - {"unsigned_because", "needs"}
    assert wanted - reached == set()


@given(data=st.data(), document=st.sampled_from([FULL, STAFF]))
def test_swapped_documents_swap_what_loosens_and_what_tightens(data: st.DataObject, document: Record) -> None:
    """Whatever changed, the way back goes the other way; a document does not differ from itself."""
    old, new = data.draw(changed(document)), data.draw(changed(document))
    there = sorted((one.where, one.field, OPPOSITE[one.direction], one.in_doubt) for one in diff(old, new))
    back = sorted((one.where, one.field, one.direction, one.in_doubt) for one in diff(new, old))
    assert there == back
    assert bool(there) == (old != new)


def staff(index: int, **changes: object) -> Roster:
    people = (*PEOPLE[:index], PEOPLE[index].model_copy(update=changes), *PEOPLE[index + 1 :])
    return STAFF.model_copy(update={"people": people})


MORE_POWER = {
    "one more person": STAFF.model_copy(update={"people": (*PEOPLE, person("eve.outside"))}),
    "one more role": staff(0, roles=("risk", "manager")),
    "one more key": staff(1, keys=person("ben.owner", keys=2).keys),
    "a key restored": staff(0, keys=person("ada.owner", keys=2).keys),
    "stays for ever": staff(0, left=None),
    "stays longer": staff(0, left=date(2028, 1, 1)),
    "began earlier": staff(0, joined=date(2020, 1, 1)),
    "another key of a machine": STAFF.model_copy(
        update={"machines": (MACHINES[0].model_copy(update={"keys": person("machine", keys=2).keys}),)}
    ),
    "fewer owners sign": STAFF.model_copy(update={"changed_by": ChangeControl(owners=OWNERS, quorum=1)}),
    "nobody signs": STAFF.model_copy(update={"changed_by": None}),
}


@pytest.mark.parametrize("name", MORE_POWER)
def test_whoever_may_sign_more_loosens_the_roster(name: str) -> None:
    """People, roles, keys and time; taken away again, it tightens."""
    assert "loosens" in {change.direction for change in diff(STAFF, MORE_POWER[name])}
    assert "tightens" in {change.direction for change in diff(MORE_POWER[name], STAFF)}


@pytest.mark.parametrize("other", [staff(0, name="Ada"), STAFF.model_copy(update={"version": 2})])
def test_names_and_numbers_give_nobody_a_say(other: Roster) -> None:
    """They are listed, and not counted."""
    assert [(change.direction, change.loosened) for change in diff(STAFF, other)] == [("changes", False)]


def test_a_sentence_names_the_part_the_field_and_both_values() -> None:
    """As the signer reads it."""
    [change] = diff(FULL, with_rule("floor", minimum=0.7))
    assert str(change) == "rule floor: `minimum` falls from 0.75 to 0.7"
    [added] = diff(STAFF, MORE_POWER["one more person"])
    assert str(added).startswith("person eve.outside: is added: id eve.outside")
    [key] = diff(STAFF, MORE_POWER["one more key"])
    assert str(key).startswith(f"person ben.owner key ...{key_of('ben.owner', 2)[-12:]}: is added")
