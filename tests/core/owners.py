"""A policy and a roster whose changes two of three owners sign, with fake keys that a test can hold."""

import base64
from datetime import date, datetime

from gatewright.core.change_control import ChangeControl
from gatewright.core.policy import Policy
from gatewright.core.roster import Person, PublicKey, Roster
from tests.core.examples import policy
from tests.fakes import FakeSigner

BEGAN = date(2024, 1, 1)
OWNERS = ("ada.owner", "ben.owner", "cem.owner")


def key_of(person: str, number: int = 1) -> str:
    return f"ssh-ed25519 {base64.b64encode(f'{person}-{number}'.ljust(33).encode()).decode()}"


def signer(person: str, number: int = 1) -> FakeSigner:
    return FakeSigner(key_of(person, number))


def person(name: str, *, revoked: datetime | None = None, left: date | None = None, keys: int = 1) -> Person:
    mine = tuple(
        PublicKey(key=key_of(name, n + 1), added=BEGAN, revoked=revoked if n == 0 else None) for n in range(keys)
    )
    return Person(id=name, name=name.title(), roles=("risk",), joined=BEGAN, left=left, keys=mine)


def owned_roster(version: int = 1, **changes: object) -> Roster:
    people = tuple(person(name) for name in (*OWNERS, "eve.outside"))
    control = ChangeControl(owners=OWNERS, quorum=2)
    given = {"version": version, "changed_by": control, "people": people}
    return Roster.model_validate({**given, **changes})


def owned_policy(version: int = 1, **changes: object) -> Policy:
    return policy(version=version, **{"changed_by": ChangeControl(owners=OWNERS, quorum=2), **changes})
