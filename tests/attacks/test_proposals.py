"""Attacks on signatures that are being collected: planted, stale and racing ones put nothing in force."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from gatewright.core.errors import ConflictError, GatewrightError, SpecError
from gatewright.core.policy import Policy
from gatewright.services.governance import Signing
from tests.attacks.house import HOUR, MALLORY, WEAK, House, people
from tests.core.owners import OWNERS, REASON, owned_policy, signer


@pytest.fixture
def house() -> House:
    return House()


def test_planted_proposals_prove_nothing(house: House) -> None:
    """Junk, another's signature and a forged one neither count nor keep the real ones out."""
    weak = owned_policy(2, rules=WEAK)
    forged = house.forged(weak, {OWNERS[0]: signer(MALLORY), MALLORY: signer(MALLORY)})
    folder = f"proposals/policy/example/{weak.digest}"
    planted = [json.dumps({"token": token}).encode() for token in forged.signatures]
    for number, body in enumerate([*planted, b"junk", b'{"token":"x.y"}', b"\xff"]):
        house.store.create(f"{folder}/{OWNERS[0]}/{number}.json", body, "application/json")
    assert house.fresh().progress("policy", "example", weak).signers == ()
    assert house.sign(weak, OWNERS[0]).missing == 1
    assert house.sign(weak, OWNERS[1]).in_force is not None


def test_signatures_collected_before_a_key_was_revoked(house: House) -> None:
    """A quorum is of people who may sign when the version comes into force, not when they signed."""
    weak = owned_policy(2, rules=WEAK)
    assert house.sign(weak, OWNERS[0]).missing == 1
    house.now += HOUR
    house.sign(people(revoked=house.now), *OWNERS[1:])
    done = house.sign(weak, OWNERS[1])
    assert (done.signers, done.missing, done.in_force) == ((OWNERS[1],), 1, None)


def test_signatures_for_a_change_that_another_one_overtook(house: House) -> None:
    """Both were signed as version 2; the one that lost must be written, and signed, as version 3."""
    weak = owned_policy(2, rules=WEAK)
    house.sign(weak, OWNERS[0])
    house.change(owned_policy(2, alpha=0.01))
    with pytest.raises(SpecError, match="version 2 with other content is in force"):
        house.sign(weak, OWNERS[1])
    assert house.fresh().progress("policy", "example", owned_policy(3, rules=WEAK)).signers == ()


def race(house: House, *documents: Policy) -> list[Signing | GatewrightError]:
    """The last owner signs each document at the same moment, in processes of their own."""
    start = Barrier(len(documents))

    def sign(document: Policy) -> Signing | GatewrightError:
        governance = house.fresh()
        governance.history("policy", "example")
        start.wait()
        try:
            return governance.sign("policy", "example", document, signer(OWNERS[1]), OWNERS[1], REASON)
        except GatewrightError as error:
            return error

    with ThreadPoolExecutor(len(documents)) as pool:
        return list(pool.map(sign, documents))


def test_two_proposals_that_race(house: House) -> None:
    """Exactly one comes into force; whoever signed the other is told, and the chain holds."""
    rivals = [owned_policy(2, alpha=alpha) for alpha in (0.01, 0.02, 0.03, 0.04)]
    for rival in rivals:
        house.fresh().sign("policy", "example", rival, signer(OWNERS[0]), OWNERS[0], REASON)
    results = race(house, *rivals)
    won = [one for one in results if isinstance(one, Signing)]
    assert all(isinstance(one, Signing | ConflictError | SpecError) for one in results)
    assert len(won) == 1
    assert won[0].in_force is not None
    assert house.policy() == won[0].in_force.entry
    assert len(house.fresh().history("policy", "example")) == 2


def test_owners_who_sign_the_same_change_at_once(house: House) -> None:
    """One append wins, the others see it."""
    change = owned_policy(2, alpha=0.01)
    house.fresh().sign("policy", "example", change, signer(OWNERS[0]), OWNERS[0], REASON)
    results = race(house, *[change] * 4)
    assert {one.in_force.n for one in results if isinstance(one, Signing) and one.in_force} == {2}
    assert all(isinstance(one, Signing) for one in results)
    assert len(house.fresh().history("policy", "example")) == 2
