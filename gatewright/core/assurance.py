"""How far a name is proven. Each level is worth more than the one before it."""

from collections.abc import Iterable
from typing import Literal, get_args

__all__ = ["Assurance", "at_least", "least"]

# `declared`: typed into a form. `gateway`: logged in, and stamped by the identity gateway.
# `signed`: an SSH signature by the person's own key over exactly what was approved.
Assurance = Literal["declared", "gateway", "signed"]
_LEVELS: tuple[Assurance, ...] = get_args(Assurance)


def at_least(given: Assurance, asked: Assurance) -> bool:
    """Whether ``given`` proves a name as well as ``asked`` or better."""
    return _LEVELS.index(given) >= _LEVELS.index(asked)


def least(given: Iterable[Assurance]) -> Assurance:
    """The weakest of several; ``declared`` of none."""
    return min(given, key=_LEVELS.index, default="declared")
