"""A chain of versions holds only when every step was signed by those who had the say."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.approval import CLOCK_SKEW
from gatewright.core.change_control import ChangeControl
from gatewright.core.errors import IntegrityError
from gatewright.core.governed import GovernedVersion, authority, verify_chain
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from tests.core.examples import NOW, policy, rule
from tests.core.owners import OWNERS, owned_policy, owned_roster, signed_by, version_of
from tests.fakes import FakeSignatures

ROSTER = owned_roster()
HOUR = timedelta(hours=1)
BOTH = signed_by(*OWNERS[:2])


def roster_of(sha256: str, at: datetime) -> Roster:
    """The only roster there is was always in force."""
    if sha256 != ROSTER.digest:
        raise IntegrityError("no such roster.", where=sha256, remedy="none.")
    return ROSTER


def verify(*versions: GovernedVersion) -> None:
    verify_chain(versions, roster_of, FakeSignatures())


def chain(*documents: Policy) -> list[GovernedVersion]:
    """An hour apart; signed by the first two owners wherever somebody must."""
    made: list[GovernedVersion] = []
    for n, document in enumerate(documents):
        previous, at = made[-1] if made else None, NOW + n * HOUR
        unsigned = version_of(document, previous, at=at)
        needed = authority(previous, unsigned)
        made.append(version_of(document, previous, BOTH, roster=ROSTER, at=at) if needed else unsigned)
    return made


def test_a_chain_signed_by_its_owners_holds() -> None:
    """From any first number on."""
    verify(*chain(owned_policy(4), owned_policy(5, alpha=0.01), owned_policy(6)))
    verify()


def test_without_owners_nobody_needs_to_sign() -> None:
    """Until a version names some: that one they sign themselves, to show that they can."""
    verify(*chain(policy(), policy(version=2), owned_policy(3), owned_policy(4)))
    unsigned = version_of(owned_policy(2), at=NOW + HOUR)
    with pytest.raises(IntegrityError, match="not signed"):
        verify(*chain(policy()), unsigned)


def test_owners_sign_also_the_version_that_names_none() -> None:
    """Afterwards nobody needs to."""
    verify(*chain(owned_policy(), policy(version=2), policy(version=3)))
    with pytest.raises(IntegrityError, match="not signed"):
        verify(*chain(owned_policy()), version_of(policy(version=2), at=NOW + HOUR))


def test_a_roster_is_its_own_witness() -> None:
    """The keys are those of the version that names the owners: of the first, its own; of the next, the one before."""
    first = version_of(ROSTER, None, BOTH)
    second = version_of(owned_roster(2), first, signed_by(*OWNERS[1:]), at=NOW + HOUR)
    verify(first, second)
    with pytest.raises(IntegrityError, match="another roster"):
        verify(first, second.model_copy(update={"roster_sha256": second.document_sha256}))


@pytest.mark.parametrize("signers", [(), OWNERS[:1], OWNERS[2:]])
def test_fewer_than_the_quorum_are_not_enough(signers: tuple[str, ...]) -> None:
    """Two of the three must sign."""
    first = chain(owned_policy())[0]
    with pytest.raises(IntegrityError, match="signed"):
        verify(first, version_of(owned_policy(2), first, signed_by(*signers), roster=ROSTER, at=NOW + HOUR))


@pytest.mark.parametrize("number", [1, 3, 0, 7])
def test_versions_go_up_by_one(number: int) -> None:
    """Neither repeated nor skipped nor going back."""
    first = chain(owned_policy(2))[0]
    following = version_of(owned_policy(max(number, 1)), first, BOTH, roster=ROSTER, at=NOW + HOUR)
    if number == 3:
        verify(first, following)
        return
    with pytest.raises(IntegrityError, match="follows version 2"):
        verify(first, following)


@pytest.mark.parametrize(
    ("issued", "holds"),
    [
        (NOW - CLOCK_SKEW, True),
        (NOW - CLOCK_SKEW - timedelta(seconds=1), False),
        (NOW + HOUR, True),
        (NOW + HOUR + CLOCK_SKEW, True),
        (NOW + HOUR + CLOCK_SKEW + timedelta(seconds=1), False),
    ],
)
def test_a_change_is_signed_after_the_version_before_it_and_not_in_the_future(issued: datetime, holds: bool) -> None:
    """Give or take the two minutes by which clocks may differ."""
    first = chain(owned_policy())[0]
    second = version_of(owned_policy(2), first, BOTH, roster=ROSTER, at=NOW + HOUR, issued=issued)
    if holds:
        verify(first, second)
        return
    with pytest.raises(IntegrityError, match="before the version in force, or in the future"):
        verify(first, second)


def test_a_version_is_not_older_than_the_one_before_it() -> None:
    """Or owners could go back to a time at which a lost key still counted."""
    first = chain(owned_policy())[0]
    second = version_of(owned_policy(2), first, BOTH, roster=ROSTER, at=NOW - CLOCK_SKEW - timedelta(seconds=1))
    with pytest.raises(IntegrityError, match="older than the version before it"):
        verify(first, second)


def test_a_change_needs_a_reason() -> None:
    """At least ten characters of one."""
    first = chain(owned_policy())[0]
    with pytest.raises(IntegrityError, match="reason"):
        verify(first, version_of(owned_policy(2), first, BOTH, roster=ROSTER, at=NOW + HOUR, reason="ok        "))


def test_signatures_where_nobody_must_sign_are_a_claim_that_cannot_be_proven() -> None:
    """A declared version does not look like a signed one."""
    with pytest.raises(IntegrityError, match="no owners are named"):
        verify(version_of(policy(), assurance="signed"))


@pytest.mark.parametrize("claim", [{"version": 2}, {"name": "other"}])
def test_a_document_says_itself_which_version_of_what_it_is(claim: dict[str, object]) -> None:
    """Or an old policy that nobody had to sign could come back under a new number or another name."""
    first = version_of(policy())
    with pytest.raises(IntegrityError, match="the document says another version or name"):
        verify(first, version_of(policy(), at=NOW + HOUR, **claim))  # type: ignore[arg-type]


def test_a_chain_is_of_one_document() -> None:
    """The policy of one model does not follow that of another."""
    with pytest.raises(IntegrityError, match="it follows policy example version 1"):
        verify(version_of(policy()), version_of(policy(version=2, model="other"), at=NOW + HOUR))


FORGERIES = {
    "document": lambda v: {"document": {**v.document, "alpha": 0.2}},
    "document without owners": lambda v: {"document": {**v.document, "changed_by": None}},
    "unreadable owners": lambda v: {"document": {**v.document, "changed_by": {"owners": []}}},
    "digest": lambda v: {"document_sha256": "ab" * 32},
    "number": lambda v: {"version": v.version + 1},
    "name": lambda v: {"name": "other"},
    "kind": lambda v: {"kind": "roster"},
    "no signatures": lambda v: {"signatures": ()},
    "one signature": lambda v: {"signatures": v.signatures[:1]},
    "one signature twice": lambda v: {"signatures": (v.signatures[0],) * 2},
    "junk signature": lambda v: {"signatures": (*v.signatures, "e30=.e30=")},
    "no roster": lambda v: {"roster_sha256": None},
    "another roster": lambda v: {"roster_sha256": "ab" * 32},
    "assurance": lambda v: {"assurance": "declared"},
    "actor": lambda v: {"actor": "eve.outside"},
    "long ago": lambda v: {"at": v.at - 10 * HOUR},
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_link_that_was_changed_anywhere_breaks_the_chain(forgery: str, place: int) -> None:
    """The first, one in the middle, or the last: every step is proven."""
    links = chain(owned_policy(), owned_policy(2, alpha=0.01), owned_policy(3))
    links[place] = links[place].model_copy(update=FORGERIES[forgery](links[place]))
    with pytest.raises(IntegrityError):
        verify(*links)


@given(gone=st.sets(st.integers(0, 3), min_size=1, max_size=3), order=st.permutations(range(4)))
def test_what_is_left_of_a_chain_holds_only_when_it_is_its_beginning(gone: set[int], order: list[int]) -> None:
    """Links that were removed or put in another order are noticed, all but those cut off the end."""
    links = chain(owned_policy(), owned_policy(2), policy(rule(minimum=0.8), version=3), owned_policy(4))
    left = [n for n in order if n not in gone]
    if left == list(range(len(left))):
        verify(*(links[n] for n in left))
        return
    # Version 3 names nobody and version 4 was signed by its own owners: neither stands without what came before.
    with pytest.raises(IntegrityError):
        verify(*(links[n] for n in left))


def test_the_quorum_that_counts_is_the_one_of_the_version_before() -> None:
    """A change that lowers it needs as many as before."""
    first = chain(owned_policy())[0]
    alone = owned_policy(2, changed_by=ChangeControl(owners=OWNERS, quorum=1))
    with pytest.raises(IntegrityError, match="1 of 2 owners"):
        verify(first, version_of(alone, first, signed_by(OWNERS[0]), roster=ROSTER, at=NOW + HOUR))
    second = version_of(alone, first, BOTH, roster=ROSTER, at=NOW + HOUR)
    third = version_of(owned_policy(3), second, signed_by(OWNERS[2]), roster=ROSTER, at=NOW + 2 * HOUR)
    verify(first, second, third)
