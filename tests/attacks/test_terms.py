"""Attacks on the terms of a release: an old policy, one weakened meanwhile, one that never was."""

from datetime import timedelta

import pytest

from gatewright.core.errors import IntegrityError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import Opening
from gatewright.services.governance import Governance
from gatewright.services.terms import require_terms_in_force
from tests.core.examples import NOW, policy, roster
from tests.fakes import FakeSignatures, MemoryStore
from tests.services.reports.example_view import OPENING

STRICT = policy()
WEAK = policy(version=2, alpha=0.2)


@pytest.fixture
def governance(memory_store: MemoryStore) -> Governance:
    """The strict policy in force since noon, the weak one since an hour later, and one roster."""
    clock = [NOW]
    governed = Governance(memory_store, FakeSignatures(), lambda: clock[0])
    governed.adopt("roster", ROSTER_NAME, roster(), "file")
    governed.adopt("policy", STRICT.model, STRICT, "file")
    clock[0] += timedelta(hours=1)
    governed.adopt("policy", STRICT.model, WEAK, "file")
    return governed


def opened(minutes: float, terms=STRICT, people=None) -> Opening:
    pinned = {"policy": terms, "roster": people or roster()}
    refs = {
        name: ArtifactRef(sha256=one.digest, size=len(one.to_bytes()), media_type="application/json")
        for name, one in pinned.items()
    }
    update = {"model": STRICT.model, "opened_at": NOW + timedelta(minutes=minutes), **refs}
    return OPENING.model_copy(update=update)


def test_a_release_runs_under_the_policy_that_was_in_force_when_it_opened(governance: Governance):
    """Also after that policy was changed, and to both sides of the moment of the change."""
    for minutes, terms in ((30, STRICT), (61, STRICT), (59, WEAK), (90, WEAK)):
        require_terms_in_force(governance, opened(minutes, terms))


@pytest.mark.parametrize(
    ("minutes", "terms"),
    [
        pytest.param(30, WEAK, id="a policy weakened while the release ran"),
        pytest.param(90, STRICT, id="an old policy replayed"),
        pytest.param(30, policy(alpha=0.25), id="a policy that never was in force"),
        pytest.param(-90, STRICT, id="opened before there was any"),
    ],
)
def test_any_other_policy_is_refused(governance: Governance, minutes: float, terms):
    """Neither an older nor a later version can be used."""
    with pytest.raises(IntegrityError, match="was not in force then"):
        require_terms_in_force(governance, opened(minutes, terms))


def test_a_roster_that_never_was_in_force_is_refused(governance: Governance):
    """Somebody pinned people of their own."""
    with pytest.raises(IntegrityError, match="the roster"):
        require_terms_in_force(governance, opened(30, people=roster().model_copy(update={"version": 7})))
