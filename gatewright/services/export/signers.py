"""``allowed_signers`` of ssh-keygen, made from a roster: who may sign what, from when to when."""

from collections.abc import Iterator
from datetime import date, datetime

from gatewright.core.roster import PublicKey, Roster
from gatewright.core.signatures import (
    APPROVAL,
    BREAK_GLASS,
    CHANGE,
    CHECKPOINT,
    GATEWAY_STAMP,
    ROLLBACK,
    ROLLBACK_STAMP,
    SEAL,
    WAIVER,
)

__all__ = ["allowed_signers"]

_PEOPLE = (APPROVAL, CHANGE, WAIVER, BREAK_GLASS, ROLLBACK)
_MACHINES = {"gateway": (GATEWAY_STAMP, ROLLBACK_STAMP), "pipeline": (SEAL, CHECKPOINT)}


def allowed_signers(roster: Roster) -> str:
    """One line a key (ssh-keygen(1), ALLOWED SIGNERS), in the order of the roster's canonical JSON; times are UTC.

    The namespaces keep a person's key from counting as a machine's. ssh-keygen counts the second in which a key was
    revoked as its last one. ``functions.sh`` makes the same lines from the same roster.
    """
    lines: list[str] = []
    for machine in roster.machines:
        for key in machine.keys:
            lines += _line(machine.role, _MACHINES[machine.role], key, None, None)
    for person in roster.people:
        for key in person.keys:
            lines += _line(person.id, _PEOPLE, key, person.joined, person.left)
    return "".join(f"{line}\n" for line in lines)


def _line(
    principal: str, namespaces: tuple[str, ...], key: PublicKey, joined: date | None, left: date | None
) -> Iterator[str]:
    since = max(key.added, joined or key.added).strftime("%Y%m%d")
    until = _until(key.revoked, left)
    # ssh-keygen refuses a line whose time ends before it begins, and the shell cannot convert from other time zones.
    elsewhere = key.revoked is not None and key.revoked.utcoffset()
    if not elsewhere and (until is None or until > f"{since}000000"):
        limits = [f'namespaces="{",".join(namespaces)}"', f'valid-after="{since}"']
        limits += [f'valid-before="{until}"'] if until else []
        yield f"{principal} {','.join(limits)} {key.key}"


def _until(revoked: datetime | None, left: date | None) -> str | None:
    ends = [] if revoked is None else [revoked.strftime("%Y%m%d%H%M%S")]
    ends += [] if left is None else [f"{left:%Y%m%d}235959"]
    return min(ends, default=None)
