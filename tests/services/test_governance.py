"""Chains of versions in the store: what comes into force, by whom, and what every reader proves again."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from gatewright.core.errors import ApprovalError, SpecError
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.services.governance import Governance, Signing
from tests.core.examples import NOW, policy, rule
from tests.core.examples import roster as plain_roster
from tests.core.owners import OWNERS, owned_policy, owned_roster, signer
from tests.fakes import FakeSignatures, MemoryStore

REASON = "Agreed in the risk meeting."


class Clock:
    """Told what time it is."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fresh(memory_store: MemoryStore, clock: Clock) -> Callable[[], Governance]:
    """A new process over the same store."""
    return lambda: Governance(memory_store, FakeSignatures(), clock)


@pytest.fixture
def governance(fresh: Callable[[], Governance]) -> Governance:
    return fresh()


def sign(governance: Governance, document: Policy | Roster, *owners: str) -> Signing:
    kind, name = ("policy", document.model) if isinstance(document, Policy) else ("roster", "roster")
    done = Signing((), 0, None)
    for owner in owners:
        done = governance.sign(kind, name, document, signer(owner), owner, REASON)  # type: ignore[arg-type]
    return done


@pytest.fixture
def owned(governance: Governance, clock: Clock) -> Governance:
    """A roster and a policy, each in force by the signatures of its owners."""
    sign(governance, owned_roster(), *OWNERS[:2])
    clock.pass_time(hours=1)
    sign(governance, owned_policy(), *OWNERS[:2])
    clock.pass_time(hours=1)
    return governance


def test_nothing_is_in_force_before_the_first_version(governance: Governance) -> None:
    """And nothing has a history."""
    assert governance.in_force("policy", "example") is None
    assert governance.history("policy", "example") == ()
    assert governance.as_of("policy", "example", NOW) is None


def test_without_owners_the_file_is_the_next_version_by_itself(governance: Governance, clock: Clock) -> None:
    """Recorded in full, its assurance declared; to adopt it again writes nothing."""
    first = governance.adopt("policy", "example", policy(), "file")
    clock.pass_time(hours=1)
    second = governance.adopt("policy", "example", policy(rule(minimum=0.8), version=2), "file")
    again = governance.adopt("policy", "example", policy(rule(minimum=0.8), version=2), "file")
    assert (first.n, first.version, second.n, second.version) == (1, 1, 2, 2)
    assert again == second
    assert second.policy == policy(rule(minimum=0.8), version=2)
    assert (second.entry.assurance, second.entry.actor) == ("declared", "file")


def test_the_first_version_may_have_any_number(governance: Governance) -> None:
    """A policy may be older than its chain."""
    assert governance.adopt("policy", "example", policy(version=7), "file").version == 7


@pytest.mark.parametrize("version", [1, 2, 4])
def test_other_content_needs_the_next_version_number(governance: Governance, version: int) -> None:
    """The same number, an older one and a skipped one are refused."""
    governance.adopt("policy", "example", policy(version=2), "file")
    with pytest.raises(SpecError, match="version 2 with other content is in force"):
        governance.adopt("policy", "example", policy(rule(minimum=0.1), version=version), "file")


def test_where_owners_are_in_force_the_file_does_not_count(owned: Governance) -> None:
    """Whatever it says, as long as nobody signed it."""
    weaker = owned_policy(2, rules=(rule(minimum=0.1),))
    assert owned.adopt("policy", "example", weaker, "file").policy == owned_policy()


def test_the_first_version_that_names_owners_needs_their_signatures(governance: Governance) -> None:
    """Of the roster as of a policy, also after versions without owners."""
    with pytest.raises(ApprovalError, match="roster sign"):
        governance.adopt("roster", "roster", owned_roster(), "file")
    governance.adopt("roster", "roster", plain_roster(), "file")
    with pytest.raises(ApprovalError, match="roster sign"):
        governance.adopt("roster", "roster", owned_roster(2), "file")
    assert sign(governance, owned_roster(2), *OWNERS[:2]).in_force is not None


def test_a_version_comes_into_force_when_the_quorum_has_signed(
    owned: Governance, fresh: Callable[[], Governance]
) -> None:
    """Any two of the three owners; before that the former version stays in force."""
    change = owned_policy(2, rules=(rule(minimum=0.8),))
    assert sign(owned, change, "cem.owner") == (("cem.owner",), 1, None)
    assert owned.in_force("policy", "example").version == 1  # type: ignore[union-attr]
    assert fresh().progress("policy", "example", change) == (("cem.owner",), 1, None)
    done = sign(fresh(), change, "ada.owner")
    assert (done.signers, done.missing) == (("ada.owner", "cem.owner"), 0)
    found = fresh().in_force("policy", "example")
    assert found is not None
    assert (found.policy, found.entry.assurance, found.entry.actor) == (change, "signed", "ada.owner")
