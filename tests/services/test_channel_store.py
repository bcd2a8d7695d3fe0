"""Channels in the store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event, Thread, current_thread
from time import sleep

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ConflictError, IntegrityError, SpecError
from gatewright.services.channel_seals import TrustedSeals
from gatewright.services.channel_store import ChannelStore
from gatewright.services.generations import GenerationLog
from gatewright.services.store import S3Location, S3Store
from tests.fakes import FakeSignatures, MemoryStore


def move(release_id: str = "r1", model_sha256: str | None = "a" * 64) -> ChannelEntry:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return ChannelEntry(
        action="deploy",
        release_id=release_id,
        model_sha256=model_sha256,
        actor="ada",
        reason="r",
        at=at,
        operation="op",
    )


def test_a_channel_that_was_never_moved_has_no_head(memory_store: MemoryStore) -> None:
    """Nothing serves, and there is no history."""
    channels = ChannelStore(memory_store)
    assert channels.head("tiny", "production") is None
    assert channels.history("tiny", "production") == []


def test_the_head_is_the_last_move(s3_store: S3Store) -> None:
    """From the real store, with its number, also when nothing serves any more."""
    channels = ChannelStore(s3_store)
    first, second = move("r1"), move("r2", None)
    assert channels.move("tiny", "production", first, expected=0) == 1
    assert channels.move("tiny", "production", second, expected=1) == 2
    assert ChannelStore(s3_store).head("tiny", "production") == (2, second)
    assert ChannelStore(s3_store).history("tiny", "production") == [(1, first), (2, second)]


def test_channels_are_kept_apart(memory_store: MemoryStore) -> None:
    """By model and by name."""
    channels = ChannelStore(memory_store)
    channels.move("tiny", "production", move(), expected=0)
    assert channels.head("tiny", "staging") is None
    assert channels.head("tiny-2", "production") is None


def test_a_move_from_an_older_head_is_a_conflict(memory_store: MemoryStore) -> None:
    """Whoever moved in between is not overwritten."""
    channels = ChannelStore(memory_store)
    channels.move("tiny", "production", move("r1"), expected=0)
    with pytest.raises(ConflictError):
        ChannelStore(memory_store).move("tiny", "production", move("r2"), expected=0)
    assert channels.history("tiny", "production") == [(1, move("r1"))]


def test_of_movers_that_saw_the_same_head_one_wins(s3_location: S3Location) -> None:
    """On the real store."""

    def try_move(mover: int) -> bool:
        try:
            ChannelStore(S3Store(s3_location)).move("tiny", "production", move(f"r{mover}"), expected=0)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(6) as movers:
        won = list(movers.map(try_move, range(6)))
    assert won.count(True) == 1
    assert ChannelStore(S3Store(s3_location)).head("tiny", "production") == (1, move(f"r{won.index(True)}"))


def test_a_head_that_is_no_move_is_an_error(memory_store: MemoryStore) -> None:
    """Its key is named."""
    GenerationLog(memory_store, "channels/tiny/production").append({}, expected=0)
    with pytest.raises(IntegrityError, match="ChannelEntry") as caught:
        ChannelStore(memory_store).head("tiny", "production")
    assert caught.value.where == "channels/tiny/production/0000000001.json"


@pytest.mark.parametrize(("model", "channel"), [("..", "production"), ("tiny", ".."), ("tiny", "a/b"), ("", "a")])
def test_a_bad_name_is_refused(memory_store: MemoryStore, model: str, channel: str) -> None:
    """It would become part of a key."""
    with pytest.raises(SpecError):
        ChannelStore(memory_store).head(model, channel)


def test_two_threads_that_verify_seals_at_once_see_each_move_once(memory_store: MemoryStore) -> None:
    """The service that follows a channel and the run that moves it may share one process."""
    writer = ChannelStore(memory_store)
    for n in range(3):
        writer.move("tiny", "production", move(f"r{n}"), expected=n)
    other = Event()

    class Slow(TrustedSeals):
        """The first thread is held at its first seal until the other has verified all."""

        def require(self, *_: object, **__: object) -> None:
            if current_thread().name == "first":
                other.wait(10)

    channels = ChannelStore(memory_store, Slow(FakeSignatures(), lambda at: ()))
    seen: list[int] = []
    first = Thread(name="first", target=lambda: seen.append(len(channels.history("tiny", "production"))))
    first.start()
    while not channels._logs:
        sleep(0.001)
    seen.append(len(channels.history("tiny", "production")))
    other.set()
    first.join(10)
    assert [*seen, len(channels.history("tiny", "production"))] == [3, 3, 3]
