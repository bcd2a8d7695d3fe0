"""Reading ahead changes nothing but the time."""

from collections.abc import Iterator

import pytest

from gatewright.services.ahead import ahead


def test_batches_come_in_their_order() -> None:
    """Each once."""
    assert list(ahead(iter(range(1, 100)))) == list(range(1, 100))


def test_what_reading_raises_comes_after_what_was_read() -> None:
    """In the reader's own thread of thought, not lost in another."""

    def torn() -> Iterator[int]:
        yield 1
        raise OSError("torn")

    read = ahead(torn())
    assert next(read) == 1
    with pytest.raises(OSError, match="torn"):
        next(read)


def test_only_one_batch_is_read_in_advance() -> None:
    """Memory stays bounded however slow the reader of them is."""
    made: list[int] = []

    def counted() -> Iterator[int]:
        for number in range(1, 10):
            made.append(number)
            yield number

    read = ahead(counted())
    next(read)
    next(read)
    read.close()
    assert len(made) <= 3
