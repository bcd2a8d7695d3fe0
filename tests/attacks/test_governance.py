"""Attacks on policies and the roster: whoever writes to the store, or owned them once, puts nothing in force."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from gatewright.core.change_control import ChangeControl
from gatewright.core.errors import ApprovalError, IntegrityError, SpecError
from gatewright.core.governed import GovernedVersion
from gatewright.core.policy import Policy
from gatewright.core.records import canonical_json, sha256_hex
from gatewright.core.roster import Roster
from gatewright.core.signatures import APPROVAL
from tests.attacks.house import BOTH, HOUR, MALLORY, WEAK, House, people
from tests.core.examples import NOW, rule
from tests.core.owners import OWNERS, owned_policy, owned_roster, person, signed_by, signer, version_of


@pytest.fixture
def house() -> House:
    return House()


def refused(house: House, forged: GovernedVersion, match: str) -> None:
    """Nobody who reads the store takes it for in force."""
    house.plant(forged)
    for read in (house.fresh().in_force, house.fresh().history):
        with pytest.raises(IntegrityError, match=match):
            read("policy", "example")
    with pytest.raises(IntegrityError, match=match):
        house.fresh().adopt("policy", "example", owned_policy(), "file")


def test_a_policy_weakened_in_the_same_change_as_its_owners(house: House) -> None:
    """Whoever names themselves owner of the new version had no say in the old one."""
    mine = owned_policy(2, rules=WEAK, changed_by=ChangeControl(owners=(MALLORY,)))
    with pytest.raises(ApprovalError, match="not an owner"):
        house.sign(mine, MALLORY)
    refused(house, house.forged(mine, signed_by(MALLORY)), "eve.outside is not an owner")


def test_signatures_by_owners_of_the_new_version_only(house: House) -> None:
    """One owner of the old version and one of the new are one owner."""
    mixed = owned_policy(2, rules=WEAK, changed_by=ChangeControl(owners=(OWNERS[0], MALLORY), quorum=2))
    refused(house, house.forged(mixed, signed_by(OWNERS[0], MALLORY)), "eve.outside is not an owner")


@pytest.mark.parametrize("owners", [None, ChangeControl(owners=(MALLORY,))])
def test_a_policy_that_drops_its_owners(house: House, owners: ChangeControl | None) -> None:
    """On disk it changes nothing; in the store it is unsigned."""
    free = owned_policy(2, rules=WEAK, changed_by=owners)
    assert house.fresh().adopt("policy", "example", free, "file").version == 1
    refused(house, version_of(free, at=house.now), "not signed")


def test_an_old_policy_replayed_as_a_new_version(house: House) -> None:
    """Neither signed again under its old number, nor written again with the signatures it once had."""
    old = house.policy()
    house.change(owned_policy(2, rules=(rule(minimum=0.9),)))
    with pytest.raises(SpecError, match="the file says version 1"):
        house.sign(owned_policy(), *BOTH)
    house.plant(old)
    with pytest.raises(IntegrityError, match="follows version 2"):
        house.fresh().in_force("policy", "example")


def test_an_old_policy_under_a_new_number_with_its_old_signatures(house: House) -> None:
    """Signatures hold for one digest, one number and one version before."""
    old = house.policy()
    house.change(owned_policy(2, rules=(rule(minimum=0.9),)))
    again = version_of(owned_policy(3), at=house.now)
    worn = {"signatures": old.signatures, "roster_sha256": old.roster_sha256}
    forged = again.model_copy(update={**worn, "assurance": "signed", "actor": BOTH[0]})
    refused(house, forged, "signed for another change")


def test_a_version_signed_by_a_former_owner(house: House) -> None:
    """What counts is the version in force, not the one before it."""
    house.change(owned_policy(2, changed_by=ChangeControl(owners=OWNERS[1:], quorum=2)))
    third = owned_policy(3, rules=WEAK)
    with pytest.raises(ApprovalError, match="is not an owner"):
        house.sign(third, OWNERS[0])
    refused(house, house.forged(third, signed_by(*BOTH)), "ada.owner is not an owner")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"left": NOW.date() - timedelta(days=1)}, "not active"),
        ({"revoked": NOW}, "not signed by a key"),
    ],
    ids=["one who left", "a revoked key"],
)
def test_a_version_signed_by_one_who_may_no_longer_sign(house: House, change: dict[str, object], match: str) -> None:
    """They are still named as owners of the policy: the roster in force decides."""
    house.change(people(**change))
    with pytest.raises(ApprovalError, match=match):
        house.sign(owned_policy(2, rules=WEAK), OWNERS[0])
    refused(house, house.forged(owned_policy(2, rules=WEAK), signed_by(*BOTH)), match)


def test_a_revoked_key_with_the_roster_of_the_time_before(house: House) -> None:
    """A roster counts only for the time in which it was in force."""
    before = house.roster()
    house.change(people(revoked=NOW))
    late = house.forged(owned_policy(2, rules=WEAK), signed_by(*BOTH), roster=before)
    refused(house, late, "was not in force")


def test_a_new_key_and_a_time_at_which_nobody_had_it(house: House) -> None:
    """A roster does not count before it came into force, either."""
    house.now += 2 * HOUR
    house.change(people(keys=2))
    keys = {OWNERS[0]: signer(OWNERS[0], 2), OWNERS[1]: signer(OWNERS[1])}
    refused(house, house.forged(owned_policy(2, rules=WEAK), keys, at=house.now - 2 * HOUR), "was not in force")


def test_a_revoked_key_and_a_time_before_the_policy_in_force(house: House) -> None:
    """Going back in time ends where the version before came into force."""
    before, back = house.roster(), house.now - HOUR
    house.change(people(revoked=NOW))
    house.sign(owned_policy(2), *OWNERS[1:])
    early = house.forged(owned_policy(3, rules=WEAK), signed_by(*BOTH), roster=before, at=back)
    refused(house, early, "older than the version before it")


def test_a_roster_that_was_never_in_force(house: House) -> None:
    """One that nobody signed, in which an owner has a key of somebody else."""
    mine = person(OWNERS[0]).model_copy(update={"keys": person(MALLORY).keys})
    house_of_cards = Roster(version=1, people=(mine, person(OWNERS[1])))
    keys = {OWNERS[0]: signer(MALLORY), OWNERS[1]: signer(OWNERS[1])}
    refused(house, house.forged(owned_policy(2, rules=WEAK), keys, roster=house_of_cards), "was not in force")


def test_one_owner_with_two_keys_is_one_owner(house: House) -> None:
    """Two keys that both count, two signatures that both hold, one person."""
    house.change(people(keys=2))
    weak = owned_policy(2, rules=WEAK)
    for number in (1, 2):
        done = house.sign(weak, OWNERS[0], key=signer(OWNERS[0], number))
        assert (done.missing, done.in_force) == (1, None)
    twice = [house.forged(weak, {OWNERS[0]: signer(OWNERS[0], number)}) for number in (1, 2)]
    both = {"signatures": (*twice[0].signatures, *twice[1].signatures)}
    refused(house, twice[0].model_copy(update=both), "one owner has signed twice")


@pytest.mark.parametrize("source", ["another model", "another version", "the roster"])
def test_a_signature_moved_from_another_document(house: House, source: str) -> None:
    """What the owners signed elsewhere says nothing here."""
    other: Policy | Roster = {
        "another model": owned_policy(2, model="elsewhere", rules=WEAK),
        "another version": owned_policy(3, rules=WEAK),
        "the roster": owned_roster(2),
    }[source]
    moved = version_of(other, self_signed := house.policy(), signed_by(*BOTH), roster=house.roster(), at=house.now)
    weak = house.forged(owned_policy(2, rules=WEAK), signed_by(*BOTH), signatures=moved.signatures)
    assert self_signed.version == 1
    refused(house, weak, "signed for another change")


def test_a_signature_made_for_another_purpose(house: House) -> None:
    """Owners approve releases too; such a signature must not change a policy."""
    weak = house.forged(owned_policy(2, rules=WEAK), signed_by(*BOTH), namespace=APPROVAL)
    refused(house, weak, "not signed by a key")


def test_a_whole_version_moved_to_another_model(house: House) -> None:
    """A policy that is weak enough for one model does not come into force for another."""
    house.plant(house.policy(), name="victim")
    with pytest.raises(IntegrityError, match="this is policy example version 1"):
        house.fresh().in_force("policy", "victim")


def rewrite(house: House, n: int, edit: Callable[[dict[str, object]], None]) -> None:
    """Change one link in the store, and every digest after it so that the chain of bytes holds again."""
    keys = sorted(key for key in house.store.objects if key.startswith("governance/policy/example/"))
    edit(payload := json.loads(house.store.objects[keys[n]]))
    previous = payload["previous_sha256"]
    for number, key in enumerate(keys[n:]):
        body = {**(json.loads(house.store.objects[key]) if number else payload), "previous_sha256": previous}
        house.store.objects[key] = canonical_json(body)
        previous = sha256_hex(house.store.objects[key])


def weaken(payload: dict[str, object]) -> None:
    """With the right digest of the weakened document."""
    version = payload["payload"]
    assert isinstance(version, dict)
    version["document"]["alpha"] = 0.25
    version["document_sha256"] = sha256_hex(canonical_json(version["document"]))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_an_edited_link(house: House, n: int) -> None:
    """At the beginning, in the middle and at the end, with every digest made to fit."""
    house.change(owned_policy(2, alpha=0.01))
    house.change(owned_policy(3, alpha=0.02))
    assert house.policy().version == 3
    rewrite(house, n, weaken)
    with pytest.raises(IntegrityError, match="signed for another change") as caught:
        house.fresh().in_force("policy", "example")
    assert caught.value.where == f"policy example version {n + 1}"


def test_a_removed_beginning(house: House) -> None:
    """The second version does not stand as a first one."""
    house.change(owned_policy(2, alpha=0.01))
    second = house.policy()
    del house.store.objects["governance/policy/example/0000000001.json"]
    del house.store.objects["governance/policy/example/0000000002.json"]
    house.plant(second)
    with pytest.raises(IntegrityError, match="signed for another change"):
        house.fresh().in_force("policy", "example")


@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_skipped_or_repeated_version_number(house: House, number: int) -> None:
    """Two is next, whoever signs what."""
    skipped = owned_policy(number, rules=WEAK)
    with pytest.raises(SpecError, match="version 1 with other content is in force"):
        house.sign(skipped, *BOTH)
    refused(house, house.forged(skipped, signed_by(*BOTH)), "follows version 1")


def test_a_signature_from_the_future(house: House) -> None:
    """Clocks may differ by two minutes, not by three."""
    ahead = house.forged(owned_policy(2), signed_by(*BOTH), issued=house.now + timedelta(minutes=3))
    refused(house, ahead, "in the future")
