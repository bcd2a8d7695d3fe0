"""Right before the channel moves everybody who approved must still be able to."""

from datetime import timedelta

import pytest

from gatewright.core.errors import ApprovalError, ConflictError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.records import sha256_hex
from gatewright.core.roster import Person
from gatewright.services.promotion import begin
from tests.faults.stories import ask, finish, promoted, release, submit, terms
from tests.faults.world import CHANNEL, MODEL, World


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A champion serves; two people have signed for the next candidate."""
    world = World(tmp_path_factory.mktemp("cache"))
    release(world, world.process(), "r1", b"champion")
    ask(world, world.process(), "r2", b"candidate")
    return world


@pytest.fixture
def world(base: World) -> World:
    return base.copy()


def refused(world: World, says: str) -> None:
    with pytest.raises(ApprovalError, match=says):
        finish(world, world.process(), "r2")
    assert world.target.serving() == sha256_hex(b"champion")
    assert world.auditor().ledger.entries(MODEL)[-1].kind == "failed"
    assert sha256_hex(b"candidate") not in world.target.served


def change(world: World, **changes: object) -> None:
    """Lee's entry in the next version of the roster."""
    people: tuple[Person, ...] = tuple(
        one.model_copy(update=changes) if one.id == "lee.wong" else one for one in world.roster.people
    )
    world.roster = world.roster.model_copy(update={"people": people, "version": world.roster.version + 1})
    world.process().governance.adopt("roster", ROSTER_NAME, world.roster, "file")


def test_an_approved_candidate_is_promoted(world: World):
    """As a yardstick for the others."""
    finish(world, world.process(), "r2")
    assert world.target.serving() == sha256_hex(b"candidate")


def test_an_approver_who_left_since_does_not_count_any_more(world: World):
    """The day before the promotion was the last one."""
    change(world, left=world.time.date() - timedelta(days=1))
    refused(world, "not active")


def test_an_approver_who_lost_the_role_does_not_count_any_more(world: World):
    """By the roster in force; the pinned one still names it."""
    change(world, roles=("data-scientist",))
    refused(world, "no role")


def test_a_key_that_was_revoked_since_does_not_count_any_more(world: World):
    """Though it was good when it signed."""
    person = world.roster.find("lee.wong")
    assert person is not None
    change(world, keys=tuple(key.model_copy(update={"revoked": world.time}) for key in person.keys))
    refused(world, "nobody has revoked")


def test_a_window_that_is_over_is_over_for_the_promotion_too(world: World):
    """Also when it was over only while a dead run waited to be taken over."""
    world.time += timedelta(hours=73)
    refused(world, "window was over")


def test_a_candidate_that_nobody_has_approved_is_not_promoted(world: World):
    """Whoever calls the last stage."""
    finish(world, world.process(), "r2")
    submit(world, world.process(), "r3", b"next", "kim.larsen")
    with pytest.raises(ApprovalError, match="0 of 2"):
        finish(world, world.process(), "r3")
    head = world.auditor().channels.head(MODEL, CHANNEL)
    assert head is not None
    assert head[1].model_sha256 == sha256_hex(b"candidate")


def test_a_release_whose_champion_was_replaced_while_it_was_opened_ends_at_once(world: World):
    """Another one ended after its champion was read and before it had the lock: nobody is asked for an approval."""
    services = world.process()
    stale = terms(world, services, "r3")
    finish(world, services, "r2")
    with pytest.raises(ConflictError, match="r2 has moved the channel"):
        begin(services.releases, services.deployment, stale)
    assert [(entry.kind, entry.release_id) for entry in world.auditor().ledger.entries(MODEL)[-2:]] == [
        ("opened", "r3"),
        ("failed", "r3"),
    ]
    assert world.target.serving() == sha256_hex(b"candidate")


def test_a_release_that_has_moved_the_channel_itself_may_be_taken_over(world: World):
    """The head is another than at its opening, by its own doing."""
    services = world.process()
    promoted(world, services, services.releases.opening("r2"))
    opening = services.releases.opening("r2")
    assert begin(services.releases, services.deployment, opening) == opening
    assert world.auditor().ledger.entries(MODEL)[-1].kind == "approved"
