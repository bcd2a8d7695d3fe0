"""What changed between two versions of a document, and which way: field by field, so that nothing changes silently.

A field without a comparison of its own is reported as doubtful, and doubt counts as loosened.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from gatewright.core.records import Record

__all__ = [
    "DOCUMENT",
    "DOUBTFUL",
    "LOOSENS",
    "NEUTRAL",
    "TIGHTENS",
    "Change",
    "Compare",
    "Effect",
    "changes_of",
    "falling",
    "flat",
    "keyed",
    "members",
    "optional",
    "ranked",
    "rising",
]

Direction = Literal["loosens", "tightens", "changes"]


class Effect(NamedTuple):
    """Which way a change goes. ``in_doubt``: it cannot be told, so that it counts as loosened."""

    direction: Direction
    in_doubt: bool = False

    @property
    def reversed(self) -> "Effect":
        return {LOOSENS: TIGHTENS, TIGHTENS: LOOSENS}.get(self, self)


LOOSENS, TIGHTENS, NEUTRAL = Effect("loosens"), Effect("tightens"), Effect("changes")
DOUBTFUL = Effect("changes", in_doubt=True)


class Change(Record):
    """One change: ``where`` names a part such as ``rule auc-floor``, ``field`` what changed in it."""

    where: str
    field: str
    sentence: str
    direction: Direction
    in_doubt: bool = False

    @property
    def loosened(self) -> bool:
        """Whether it counts as loosened: it does, or it cannot be told."""
        return self.direction == "loosens" or self.in_doubt

    def __str__(self) -> str:
        doubt = "; which way that goes cannot be told, so it counts as loosened" if self.in_doubt else ""
        return f"{self.where}: {self.sentence}{doubt}"


# The changes of one field: where, name, old value, new value. Called only when the two differ.
Compare = Callable[[str, str, Any, Any], Iterable[Change]]


DOCUMENT = "document"


def changes_of(where: str, old: Record, new: Record, compares: Mapping[str, Compare]) -> tuple[Change, ...]:
    """The changes of all fields of two records of one kind; empty when they are equal."""
    return tuple(
        change
        for field in type(new).model_fields
        if (before := getattr(old, field)) != (after := getattr(new, field))
        for change in compares.get(field, flat(DOUBTFUL))(where, field, before, after)
    )


def flat(effect: Effect) -> Compare:
    """Whatever the values are, the change has this effect, and its reverse the same."""

    def compare(where: str, field: str, old: Any, new: Any) -> Iterable[Change]:
        yield _change(where, field, f"`{field}` changes from {_words(old)} to {_words(new)}", effect)

    return compare


def rising(effect: Effect, *, absent: float = math.nan) -> Compare:
    """A number or a date whose rise has this effect and whose fall the reverse.

    None is read as ``absent``; where that is NaN, its coming and going is doubtful.
    """

    def compare(where: str, field: str, old: Any, new: Any) -> Iterable[Change]:
        before, after = (_number(value, absent) for value in (old, new))
        verb, way = "changes", DOUBTFUL if math.isnan(before) or math.isnan(after) else NEUTRAL
        if before < after:
            verb, way = "rises", effect
        elif after < before:
            verb, way = "falls", effect.reversed
        verb = "moves" if isinstance(old or new, date) else verb
        yield _change(where, field, f"`{field}` {verb} from {_words(old)} to {_words(new)}", way)

    return compare


def falling(effect: Effect, *, absent: float = math.nan) -> Compare:
    """A number or a date whose fall has this effect and whose rise the reverse."""
    return rising(effect.reversed, absent=absent)


def ranked(levels: Sequence[object], effect: Effect) -> Compare:
    """One of ``levels``: a step to a later one has this effect, a step back the reverse."""

    def compare(where: str, field: str, old: Any, new: Any) -> Iterable[Change]:
        way = effect if levels.index(new) > levels.index(old) else effect.reversed
        yield _change(where, field, f"`{field}` changes from {_words(old)} to {_words(new)}", way)

    return compare


def members(effect: Effect) -> Compare:
    """A list of names: each that is new has this effect, each that is gone the reverse; their order has none."""

    def compare(where: str, field: str, old: Any, new: Any) -> Iterable[Change]:
        for name in _without(new, old):
            yield _change(where, field, f"`{field}` gains {_words(name)}", effect)
        for name in _without(old, new):
            yield _change(where, field, f"`{field}` loses {_words(name)}", effect.reversed)
        if set(old) == set(new):
            yield _change(where, field, f"`{field}` is in another order", NEUTRAL)

    return compare


def optional(compares: Mapping[str, Compare], effect: Effect) -> Compare:
    """A part that may be left out: to gain it has this effect, to lose it the reverse."""

    def compare(where: str, field: str, old: Any, new: Any) -> Iterable[Change]:
        if old is None or new is None:
            verb, way = ("added", effect) if old is None else ("removed", effect.reversed)
            there = new if old is None else old
            yield _change(where, field, f"`{field}` is {verb}: {_words(there)}", way)
        else:
            yield from changes_of(f"{_within(where)}{field}", old, new, compares)

    return compare


def keyed(
    noun: str,
    key: str,
    compares: Callable[[Any, Any], Mapping[str, Compare]],
    added: Callable[[Any], Effect],
    *,
    order: Effect = NEUTRAL,
) -> Compare:
    """A list of records known by their ``key``. ``added``: the effect of one more; of one less it is the reverse."""

    def compare(where: str, field: str, old: Any, new: Any) -> Iterable[Change]:
        before, after = ({getattr(one, key): one for one in side} for side in (old, new))
        common = [name for name in before if name in after]
        for name in (*after, *(name for name in before if name not in after)):
            here = f"{_within(where)}{noun} {_short(name)}"
            if name in common:
                yield from changes_of(here, before[name], after[name], compares(before[name], after[name]))
            elif name in after:
                yield _change(here, field, f"is added: {_words(after[name])}", added(after[name]))
            else:
                yield _change(here, field, f"is removed: {_words(before[name])}", added(before[name]).reversed)
        if common != [name for name in after if name in before]:
            yield _change(where, field, f"`{field}` are in another order", order)

    return compare


def _change(where: str, field: str, sentence: str, effect: Effect) -> Change:
    return Change(where=where, field=field, sentence=sentence, direction=effect.direction, in_doubt=effect.in_doubt)


def _within(where: str) -> str:
    return "" if where == DOCUMENT else f"{where} "


def _short(name: str) -> str:
    """A public key by its end, which is where keys differ."""
    return f"...{name[-12:]}" if " " in name else name


def _number(value: Any, absent: float) -> float:
    if value is None:
        return absent
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value.toordinal() if isinstance(value, date) else value)


def _without(names: Sequence[object], others: Sequence[object]) -> list[object]:
    return [name for name in names if name not in others]


def _words(value: Any) -> str:
    """A value as a person would write it."""
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(_words, value)) or "nothing"
    if isinstance(value, Record):
        given = value.model_dump(mode="json", exclude_defaults=True)
        return ", ".join(f"{name} {_words(one)}" for name, one in given.items())
    return str(value)
