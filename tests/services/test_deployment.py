"""A channel moves, the target confirms; otherwise the channel goes back, also after a crash at any point."""

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ConflictError, StoreError, TargetError
from gatewright.services.channel_store import ChannelStore
from gatewright.services.deployment import Deployment
from gatewright.services.targets.base import Target
from tests.core.examples import NOW
from tests.fakes import MemoryStore

OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64


class FakeTarget(Target):
    """Serves what the channel says unless it is ``stuck``; ``meanwhile`` happens while somebody waits for it."""

    def __init__(self, channels: ChannelStore) -> None:
        self.stuck = False
        self.meanwhile = lambda: None
        self.waited_for: list[str | None] = []
        self._channels = channels

    def serving(self) -> str | None:
        head = self._channels.head("tiny", "production")
        return head[1].model_sha256 if head else None

    def wait_until_serving(self, model_sha256: str | None, *, timeout_seconds: float, **_: object) -> None:
        self.waited_for.append(model_sha256)
        self.meanwhile()
        if self.stuck or self.serving() != model_sha256:
            raise TargetError("it serves something else.", where="fake", remedy="none.")


class World:
    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.channels = ChannelStore(store)
        self.target = FakeTarget(self.channels)
        # As another process would: nothing is remembered.
        self.deployment = Deployment(ChannelStore(store), self.target, "production", lambda: NOW)

    def serve(self, intent: ChannelEntry, expected: int, **more: object) -> ChannelEntry:
        return self.deployment.serve("tiny", intent, expected=expected, timeout_seconds=1, **more)

    def moves(self) -> list[tuple[str, str | None]]:
        return [(entry.action, entry.model_sha256) for _, entry in self.channels.history("tiny", "production")]

    def add(self, entry: ChannelEntry) -> int:
        return self.channels.move("tiny", "production", entry, expected=len(self.moves()))


@pytest.fixture
def world(memory_store: MemoryStore) -> World:
    return World(memory_store)


@pytest.fixture
def old_serves(world: World) -> World:
    world.serve(intent("r1", OLD), 0)
    return world


def intent(release_id: str, model: str, action: str = "deploy", operation: str = "") -> ChannelEntry:
    return ChannelEntry(
        action=action,
        release_id=release_id,
        model_sha256=model,
        actor="dana.reyes",
        reason="better",
        operation=operation or release_id,
        at=NOW,
    )


def after(entry: ChannelEntry, action: str, **changes: object) -> ChannelEntry:
    return entry.model_copy(update={"action": action, **changes})


FIRST = [("deploy", OLD), ("confirm", OLD)]


def test_a_move_is_confirmed_when_the_target_serves_it(world: World):
    """Intent, then confirmation; what was confirmed is returned."""
    confirmed = world.serve(intent("r1", OLD), 0)
    assert world.moves() == FIRST
    assert (confirmed.action, confirmed.model_sha256) == ("confirm", OLD)


def test_the_first_release_goes_back_to_nothing(world: World):
    """Nothing served before, so nothing serves after."""
    world.target.stuck = True
    with pytest.raises(TargetError, match="something else"):
        world.serve(intent("r1", OLD), 0)
    assert world.moves() == [("deploy", OLD), ("revert", None)]


def test_a_target_that_does_not_follow_gets_the_champion_back(old_serves: World):
    """The way back names the champion's release, and says why."""
    old_serves.target.stuck = True
    with pytest.raises(TargetError):
        old_serves.serve(intent("r2", NEW), 2)
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("revert", OLD)]
    head = old_serves.channels.head("tiny", "production")
    assert head is not None
    assert head[1].release_id == "r1"
    assert "something else" in head[1].reason


def test_the_way_back_leads_past_an_intent_that_was_never_confirmed(old_serves: World):
    """A rollback died on its way; what is put back is what served, not what it aimed at."""
    old_serves.add(intent("r0", OTHER, "rollback", "rollback-1"))
    old_serves.target.stuck = True
    with pytest.raises(TargetError):
        old_serves.serve(intent("r2", NEW), 3)
    assert old_serves.moves()[-1] == ("revert", OLD)


@pytest.mark.parametrize("error", [StoreError("down.", where="s3", remedy="wait."), RuntimeError("unforeseen")])
def test_whatever_goes_wrong_while_waiting_puts_the_champion_back(old_serves: World, error: Exception):
    """Not only a time-out: an unconfirmed candidate must not go on serving."""

    def fail() -> None:
        raise error

    old_serves.target.meanwhile = fail
    with pytest.raises(type(error)):
        old_serves.serve(intent("r2", NEW), 2)
    assert old_serves.moves()[-1] == ("revert", OLD)


def test_a_release_that_was_ended_meanwhile_is_put_back_before_anybody_waits(old_serves: World):
    """The check runs while the intent stands; the target is not even asked."""

    def ended() -> None:
        assert old_serves.moves()[-1] == ("deploy", NEW)
        raise ConflictError("the release has ended.", where="r2", remedy="start a new one.")

    old_serves.target.waited_for.clear()
    with pytest.raises(ConflictError, match="has ended"):
        old_serves.serve(intent("r2", NEW), 2, check=ended)
    assert old_serves.moves()[-1] == ("revert", OLD)
    assert old_serves.target.waited_for == []


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_a_channel_that_stands_elsewhere_is_not_moved(old_serves: World, expected: int):
    """Neither behind nor ahead of what the caller saw."""
    with pytest.raises(ConflictError):
        old_serves.serve(intent("r2", NEW), expected)
    assert old_serves.moves() == FIRST


def test_a_run_that_died_after_its_intent_goes_on(old_serves: World):
    """The next run waits for the same move and confirms it; there is no second intent."""
    old_serves.add(intent("r2", NEW))
    old_serves.serve(intent("r2", NEW), 2)
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("confirm", NEW)]


def test_a_run_that_died_after_its_confirmation_has_nothing_left_to_do(old_serves: World):
    """Nothing is moved, nobody is asked."""
    old_serves.target.waited_for.clear()
    assert old_serves.serve(intent("r1", OLD), 0).action == "confirm"
    assert old_serves.moves() == FIRST
    assert old_serves.target.waited_for == []


def test_a_run_that_died_after_its_way_back_fails_again(old_serves: World):
    """It does not try once more: the release failed."""
    move = intent("r2", NEW)
    old_serves.add(move)
    old_serves.add(after(move, "revert", model_sha256=OLD, release_id="r1", reason="it was late"))
    with pytest.raises(TargetError, match="it was late"):
        old_serves.serve(move, 2)
    assert len(old_serves.moves()) == 4


@pytest.mark.parametrize("cut", [1, 2])
def test_a_write_that_may_or_may_not_have_landed_is_found_again(old_serves: World, cut: int):
    """The reply of the intent, or of the confirmation, is lost: a second call ends in the same place."""
    silence = StoreError("no answer.", where="s3", remedy="wait.")
    if cut == 1:
        old_serves.store.fail("create", silence, applied=True)
    else:
        old_serves.target.meanwhile = lambda: old_serves.store.fail("create", silence, applied=True)
    with pytest.raises(StoreError, match="no answer"):
        old_serves.serve(intent("r2", NEW), 2)
    old_serves.target.meanwhile = lambda: None
    World(old_serves.store).serve(intent("r2", NEW), 2)
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("confirm", NEW)]


def test_a_rollback_called_again_does_not_toggle(old_serves: World):
    """A second call of one operation finds its confirmation, though it now aims elsewhere."""
    old_serves.serve(intent("r2", NEW), 2)
    old_serves.serve(intent("r1", OLD, "rollback", "rollback-1"), 4)
    again = old_serves.serve(intent("r2", NEW, "rollback", "rollback-1"), 6)
    assert again.model_sha256 == OLD
    assert old_serves.moves()[-1] == ("confirm", OLD)


def test_a_rollback_during_a_deployment_wins(old_serves: World):
    """The deployment sees that the channel moved on, and leaves it where the rollback put it."""
    other = World(old_serves.store)

    def roll_back() -> None:
        other.serve(intent("r1", OLD, "rollback", "rollback-1"), 3)

    old_serves.target.meanwhile = roll_back
    with pytest.raises(TargetError):
        old_serves.serve(intent("r2", NEW), 2)
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("rollback", OLD), ("confirm", OLD)]


def test_a_confirmation_that_comes_too_late_is_a_conflict(old_serves: World):
    """The target did serve the candidate, but somebody has moved the channel since."""
    wait = old_serves.target.wait_until_serving

    def wait_then_lose(model_sha256: str | None, **more: float) -> None:
        wait(model_sha256, **more)
        old_serves.add(intent("r1", OLD, "rollback", "rollback-1"))

    old_serves.target.wait_until_serving = wait_then_lose
    with pytest.raises(ConflictError):
        old_serves.serve(intent("r2", NEW), 2)
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("rollback", OLD)]


def test_two_processes_with_one_operation_end_in_one_confirmation(old_serves: World):
    """A run was taken over while it still lived: the second finds the first one's moves."""
    other = World(old_serves.store)
    old_serves.target.meanwhile = lambda: other.serve(intent("r2", NEW), 2)
    assert old_serves.serve(intent("r2", NEW), 2).action == "confirm"
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("confirm", NEW)]


def test_only_an_unconfirmed_move_of_the_operation_at_the_head_is_put_back(old_serves: World):
    """Not a confirmed one, not another's, and not twice."""
    put_back = old_serves.deployment.put_back
    assert not put_back("tiny", "r1", "why not")
    assert not put_back("other", "r1", "no channel")
    old_serves.add(intent("r2", NEW))
    assert not put_back("tiny", "r1", "not mine")
    assert put_back("tiny", "r2", "its run has died")
    assert not put_back("tiny", "r2", "again")
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("revert", OLD)]


def test_putting_back_what_somebody_has_moved_on_changes_nothing(old_serves: World):
    """The other's move came between the look and the write."""
    old_serves.add(intent("r2", NEW))
    racing = Racing(old_serves.store)
    deployment = Deployment(racing, old_serves.target, "production", lambda: NOW)
    assert not deployment.put_back("tiny", "r2", "its run has died")
    assert old_serves.moves() == [*FIRST, ("deploy", NEW), ("rollback", OLD)]


def test_a_settled_move_can_never_land(old_serves: World):
    """Its place is taken by one that changes nothing; whoever still has the write under way is refused."""
    settle = old_serves.deployment.settle
    assert settle("tiny", "r2", expected=2, reason="no answer") is None
    with pytest.raises(ConflictError):
        old_serves.channels.move("tiny", "production", intent("r2", NEW), expected=2)
    with pytest.raises(TargetError, match="no answer"):
        old_serves.serve(intent("r2", NEW), 2)
    assert settle("tiny", "r2", expected=2, reason="again") is None
    assert old_serves.moves() == [*FIRST, ("revert", OLD)]


def test_what_was_confirmed_is_settled_as_such_also_after_a_rollback(old_serves: World):
    """It did serve: neither the next call nor the one that gives up says otherwise."""
    old_serves.serve(intent("r2", NEW), 2)
    old_serves.serve(intent("r1", OLD, "rollback", "rollback-1"), 4)
    settled = old_serves.deployment.settle("tiny", "r2", expected=2, reason="late")
    assert settled is not None
    assert (settled.action, settled.model_sha256) == ("confirm", NEW)
    assert old_serves.serve(intent("r2", NEW), 2) == settled
    assert old_serves.moves()[-1] == ("confirm", OLD)


def test_an_intent_that_stands_is_settled_by_the_way_back(old_serves: World):
    """Nobody confirms it any more."""
    old_serves.add(intent("r2", NEW))
    assert old_serves.deployment.settle("tiny", "r2", expected=2, reason="its run has died") is None
    assert old_serves.moves()[-1] == ("revert", OLD)


def test_a_store_that_cannot_tell_settles_nothing(old_serves: World):
    """Whoever asked must not say that it failed."""
    old_serves.store.fail("create", StoreError("no answer.", where="s3", remedy="wait."))
    with pytest.raises(StoreError, match="no answer"):
        old_serves.deployment.settle("tiny", "r2", expected=2, reason="late")
    assert old_serves.moves() == FIRST


class Racing(ChannelStore):
    """Somebody else is always a moment faster."""

    def move(self, model: str, channel: str, entry: ChannelEntry, *, expected: int) -> int:
        super().move(model, channel, intent("r1", OLD, "rollback", "rollback-9"), expected=expected)
        return super().move(model, channel, entry, expected=expected)
