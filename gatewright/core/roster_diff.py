"""Which changes of the roster let more people or keys sign (``loosens``), and which fewer (``tightens``)."""

import math
from collections.abc import Mapping

from gatewright.core.document_diff import (
    DOCUMENT,
    LOOSENS,
    NEUTRAL,
    Change,
    Compare,
    changes_of,
    falling,
    flat,
    keyed,
    members,
    rising,
)
from gatewright.core.policy_diff import OWNERS
from gatewright.core.roster import Roster

__all__ = ["diff"]

# A key counts from `added` to `revoked`; the longer that is, the more it can sign.
_KEYS = keyed(
    "key",
    "key",
    lambda *_: {"added": falling(LOOSENS), "revoked": rising(LOOSENS, absent=math.inf)},
    lambda _: LOOSENS,
)
_PERSON: Mapping[str, Compare] = {
    "name": flat(NEUTRAL),
    "roles": members(LOOSENS),
    "joined": falling(LOOSENS),
    "left": rising(LOOSENS, absent=math.inf),
    "keys": _KEYS,
}
_ROSTER: Mapping[str, Compare] = {
    "version": flat(NEUTRAL),
    "changed_by": OWNERS,
    "people": keyed("person", "id", lambda *_: _PERSON, lambda _: LOOSENS),
    "machines": keyed("machine", "id", lambda *_: {"keys": _KEYS}, lambda _: LOOSENS),
}


def diff(old: Roster, new: Roster) -> tuple[Change, ...]:
    """All changes from ``old`` to ``new``; empty when they are equal. Swapped, each goes the other way."""
    return changes_of(DOCUMENT, old, new, _ROSTER)
