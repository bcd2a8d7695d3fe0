"""Every way to change one field of a record, unchecked: for properties that must hold of all fields, old and new."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from hypothesis import strategies as st

from gatewright.core.records import Record

__all__ = ["changed", "mutations"]


def mutations(record: Record, path: str = "") -> Iterator[tuple[str, Record]]:
    """(path of the field, the record with another value there), for each value at any depth."""
    for field in type(record).model_fields:
        for inner, value in _others(getattr(record, field), f"{path}{field}"):
            yield inner, record.model_copy(update={field: value})


def changed(record: Record) -> st.SearchStrategy[Record]:
    """The record after up to three changes of fields."""
    once = st.sampled_from(list(mutations(record))).map(lambda found: found[1])
    again = once.flatmap(lambda found: st.sampled_from(list(mutations(found))).map(lambda more: more[1]))
    return st.just(record) | once | again


def _others(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Record):
        yield from mutations(value, f"{path}.")
        yield path, None
    elif isinstance(value, tuple):
        yield from _other_tuples(value, path)
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, Enum):
        yield from ((path, other) for other in type(value) if other is not value)
    elif isinstance(value, datetime | date):
        yield from ((path, other) for other in (value + timedelta(days=1), value - timedelta(days=1)))
    elif isinstance(value, int | float):
        yield from ((path, other) for other in (value * 2, type(value)(value / 2), value + 1) if other != value)
    elif isinstance(value, str):
        yield from ((path, other) for other in _WORDS.get(path.rpartition(".")[2], (f"{value}x",)) if other != value)


def _other_tuples(values: tuple[Any, ...], path: str) -> Iterator[tuple[str, Any]]:
    for index, one in enumerate(values):
        yield path, values[:index] + values[index + 1 :]
        if isinstance(one, Record):
            rest = values[:index], values[index + 1 :]
            yield from (
                (inner, (*rest[0], other, *rest[1])) for inner, other in _others(one, path) if other is not None
            )
    if len(values) > 1:
        yield path, values[::-1]
    if values and isinstance(values[0], str):
        yield path, (*values, "newcomer")


# Fields that take one of a few words.
_WORDS = {
    "first_release": ("review", "block"),
    "decide_on": ("interval", "value"),
    "test": ("limit", "superiority", "non_inferiority", "equivalence"),
    "multiplicity": ("intersection_union", "holm", "benjamini_hochberg"),
    "assurance": ("declared", "gateway", "signed"),
    "risk": ("low", "medium", "high"),
    "response": ("record", "alert", "retrain", "rollback"),
    "role": ("gateway", "pipeline"),
}
