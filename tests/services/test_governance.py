"""Chains of versions in the store: what comes into force, by whom, and what every reader proves again."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from gatewright.core.errors import ApprovalError, IntegrityError, SpecError, StoreError
from gatewright.core.policy import Policy
from gatewright.core.records import canonical_json, sha256_hex
from gatewright.core.roster import Roster
from gatewright.services.generations import GenerationLog
from gatewright.services.governance import Governance, Signing
from gatewright.services.store import S3Location, S3Store
from tests.core.examples import NOW, policy, rule
from tests.core.examples import roster as plain_roster
from tests.core.owners import OWNERS, REASON, owned_policy, owned_roster, person, signer, version_of
from tests.fakes import FakeSignatures, MemoryStore


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


def test_to_sign_again_or_what_is_in_force_changes_nothing(owned: Governance, memory_store: MemoryStore) -> None:
    """One signature a person, one version a change."""
    change = owned_policy(2, alpha=0.01)
    sign(owned, change, "cem.owner", "cem.owner")
    assert sum(key.startswith("proposals/") and change.digest in key for key in memory_store.objects) == 1
    done = sign(owned, change, "ada.owner")
    before = dict(memory_store.objects)
    assert sign(owned, change, "ben.owner") == done
    assert memory_store.objects == before


def test_a_quorum_that_a_crash_left_without_its_version_is_completed_by_any_of_them(
    owned: Governance, fresh: Callable[[], Governance], memory_store: MemoryStore
) -> None:
    """The signatures are kept: whoever signs again brings the version into force."""
    change = owned_policy(2, alpha=0.01)
    sign(owned, change, "cem.owner")
    crash = StoreError("no answer.", where="store", remedy="wait.")
    memory_store.fail("create", crash, key_part="governance/policy")
    with pytest.raises(StoreError, match="no answer"):
        sign(owned, change, "ada.owner")
    assert fresh().in_force("policy", "example").version == 1  # type: ignore[union-attr]
    assert sign(fresh(), change, "cem.owner").in_force is not None


def test_a_version_whose_write_was_not_answered_is_found(
    owned: Governance, fresh: Callable[[], Governance], memory_store: MemoryStore
) -> None:
    """It is in force although its signer was told that nobody knows; once, not twice."""
    change = owned_policy(2, alpha=0.01)
    sign(owned, change, "cem.owner")
    lost = StoreError("no answer.", where="store", remedy="wait.")
    memory_store.fail("create", lost, key_part="governance/policy", applied=True)
    with pytest.raises(StoreError, match="no answer"):
        sign(owned, change, "ada.owner")
    assert sign(fresh(), change, "ada.owner").in_force is not None
    assert len(fresh().history("policy", "example")) == 2


def test_what_was_in_force_at_a_time_can_be_told(owned: Governance, clock: Clock) -> None:
    """From the moment a version came into force to the moment the next one did."""
    first = clock.now
    sign(owned, owned_policy(2, alpha=0.01), *OWNERS[:2])
    clock.pass_time(days=300)
    found = [owned.as_of("policy", "example", at) for at in (NOW, first - timedelta(seconds=1), first, clock.now)]
    assert [one and one.version for one in found] == [None, 1, 2, 2]


def test_a_version_keeps_what_signers_were_told_that_it_loosens(owned: Governance) -> None:
    """In words, with the values."""
    sign(owned, owned_policy(2, rules=(rule(minimum=0.7),)), *OWNERS[:2])
    first, second = (one.entry.loosens for one in owned.history("policy", "example"))
    assert first == ()
    assert second == ("rule auc-floor: `minimum` falls from 0.75 to 0.7",)


def test_the_version_in_force_is_pinned_by_the_digest_of_its_own_bytes(owned: Governance) -> None:
    """The bytes a release keeps are those the owners signed."""
    found = owned.in_force("policy", "example")
    assert found is not None
    assert found.body == owned_policy().to_bytes()
    assert found.sha256 == owned_policy().digest == found.entry.statements[0].document_sha256


def test_a_new_roster_counts_for_the_next_policy(owned: Governance, clock: Clock) -> None:
    """Owners are named by the policy, their keys by the roster in force."""
    moved = tuple(person(name, keys=2, revoked=NOW) for name in OWNERS)
    sign(owned, owned_roster(2, people=moved), *OWNERS[:2])
    clock.pass_time(hours=1)
    change = owned_policy(2, alpha=0.01)
    with pytest.raises(ApprovalError, match="not signed by a key"):
        sign(owned, change, "ada.owner")
    for name in OWNERS[:2]:
        done = owned.sign("policy", "example", change, signer(name, 2), name, REASON)
    assert done.in_force is not None


def test_whoever_gets_a_new_key_can_sign_again(owned: Governance, clock: Clock) -> None:
    """The signature with the old key counts no more, and does not stand in the way."""
    change = owned_policy(2, alpha=0.01)
    sign(owned, change, "ada.owner")
    clock.pass_time(hours=1)
    ada = person("ada.owner", keys=2, revoked=clock.now)
    sign(owned, owned_roster(2, people=(ada, *owned_roster().people[1:])), *OWNERS[1:])
    assert owned.progress("policy", "example", change).missing == 2
    owned.sign("policy", "example", change, signer("ada.owner", 2), "ada.owner", REASON)
    assert sign(owned, change, "ben.owner").in_force is not None


def test_a_clock_that_is_behind_puts_nothing_in_force(
    governance: Governance, clock: Clock, memory_store: MemoryStore
) -> None:
    """What could not be proven once it is written would end the chain for good."""
    governance.adopt("policy", "example", policy(), "file")
    clock.pass_time(minutes=-3)
    with pytest.raises(IntegrityError, match="older than the version before it"):
        governance.adopt("policy", "example", policy(version=2), "file")
    assert len(memory_store.objects) == 1


def test_a_version_that_this_software_cannot_read_any_more_can_be_left_behind(
    governance: Governance, memory_store: MemoryStore
) -> None:
    """What it loosened cannot be told, and so it is said; nothing is released under it."""
    version = version_of(policy())
    document = {**version.document, "a_key_of_another_time": True}
    strange = version.model_copy(update={"document": document, "document_sha256": sha256_hex(canonical_json(document))})
    GenerationLog(memory_store, "governance/policy/example").append(strange.model_dump(mode="json"), expected=0)
    found = governance.in_force("policy", "example")
    assert found is not None
    with pytest.raises(IntegrityError, match="not a valid Policy"):
        _ = found.policy
    with pytest.raises(SpecError, match="other content"):
        governance.adopt("policy", "example", policy(), "file")
    [sentence] = governance.adopt("policy", "example", policy(version=2), "file").entry.loosens
    assert "cannot read the version in force" in sentence


def test_a_policy_cannot_be_signed_before_a_roster_is_in_force(governance: Governance) -> None:
    """Nobody's key would be known."""
    with pytest.raises(ApprovalError, match="no roster is in force"):
        sign(governance, owned_policy(), "ada.owner")


def test_where_nobody_must_sign_nobody_can(governance: Governance) -> None:
    """The message says why, instead of keeping a signature that means nothing."""
    with pytest.raises(ApprovalError, match="nobody is named"):
        sign(governance, policy(), "ada.owner")


@pytest.mark.parametrize("document", [owned_policy(2, model="other"), owned_roster(2)], ids=["model", "kind"])
def test_a_document_of_another_name_or_kind_is_refused(owned: Governance, document: Policy | Roster) -> None:
    """A policy for one model must not become another's."""
    with pytest.raises(SpecError, match="name the right file"):
        owned.sign("policy", "example", document, signer("ada.owner"), "ada.owner", REASON)


class Counted(FakeSignatures):
    """Remembers how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def signer(self, message: bytes, signature: bytes, *, namespace: str, keys: Sequence[str]) -> str | None:
        self.asked += 1
        return super().signer(message, signature, namespace=namespace, keys=keys)


def test_a_step_that_was_proven_is_not_proven_again(owned: Governance, memory_store: MemoryStore, clock: Clock) -> None:
    """Each signature costs a process, and a release asks for the policy in force again and again."""
    signatures = Counted()
    reader = Governance(memory_store, signatures, clock)
    for _ in range(2):
        reader.in_force("policy", "example")
        assert signatures.asked == 4  # two of the roster, two of the policy


def test_adopting_at_once_writes_one_version(memory_store: MemoryStore, clock: Clock) -> None:
    """Eight processes start after the same edit."""

    def adopt(_: int) -> int:
        return Governance(memory_store, FakeSignatures(), clock).adopt("policy", "example", policy(), "file").n

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(adopt, range(8))) == {1}


def test_changes_race_safely_in_the_real_store(s3_location: S3Location, clock: Clock) -> None:
    """Four processes adopt four contents of version 2: one comes into force, the others are told."""
    Governance(S3Store(s3_location), FakeSignatures(), clock).adopt("policy", "example", policy(), "file")

    def adopt(alpha: float) -> bool:
        governance = Governance(S3Store(s3_location), FakeSignatures(), clock)
        try:
            return governance.adopt("policy", "example", policy(version=2, alpha=alpha), "file").n == 2
        except SpecError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(adopt, (0.01, 0.02, 0.03, 0.04))) == 1
    assert len(Governance(S3Store(s3_location), FakeSignatures(), clock).history("policy", "example")) == 2
