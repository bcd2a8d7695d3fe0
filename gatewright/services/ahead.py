"""Decode the next batch in a thread of its own while one is looked at."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

T = TypeVar("T")


def ahead(batches: Iterator[T]) -> Iterator[T]:
    """The same batches in the same order, at most one of them in advance. What reading raises is raised here."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch
