"""The roster: people, roles, keys, joined and left dates, and the machines that sign. ``policies/roster.yaml``."""

import base64
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from gatewright.core.change_control import ChangeControl
from gatewright.core.records import Name, Record, Timestamp

__all__ = ["Machine", "Person", "PublicKey", "Roster"]

_TYPES = r"(ssh-ed25519|sk-ssh-ed25519@openssh\.com|ecdsa-sha2-nistp(256|384|521)|sk-ecdsa-sha2-nistp256@openssh\.com)"


class PublicKey(Record):
    """One OpenSSH public key, type and base64 as in ``id_ed25519.pub``, without options and comment.

    It counts from the day it was ``added`` to the moment it was ``revoked``.
    """

    key: Annotated[str, StringConstraints(pattern=rf"^{_TYPES} [A-Za-z0-9+/]{{40,}}={{0,2}}$")]
    added: date
    revoked: Timestamp | None = None

    @field_validator("key")
    @classmethod
    def _one_spelling(cls, key: str) -> str:
        blob = key.split()[1]
        try:
            canonical = base64.b64encode(base64.b64decode(blob, validate=True)).decode()
        except ValueError:
            canonical = ""
        if canonical != blob:
            raise ValueError("the key is not canonical base64: copy it from the .pub file")
        return key

    def valid(self, at: datetime) -> bool:
        return self.added <= at.date() and (self.revoked is None or at < self.revoked)


class Person(Record):
    """Somebody who may hold roles between ``joined`` and ``left`` (both included)."""

    id: Name
    name: Annotated[str, StringConstraints(min_length=1)]
    roles: Annotated[tuple[Name, ...], Field(min_length=1)]
    joined: date
    left: date | None = None
    keys: tuple[PublicKey, ...] = ()

    def active(self, day: date) -> bool:
        return self.joined <= day and (self.left is None or day <= self.left)

    def role_among(self, roles: Sequence[str]) -> str | None:
        """The first of ``roles`` that the person holds."""
        return next((role for role in roles if role in self.roles), None)

    def keys_at(self, at: datetime) -> tuple[str, ...]:
        """The public keys that count at this moment."""
        return tuple(key.key for key in self.keys if key.valid(at))


class Machine(Record):
    """Software that signs: the identity ``gateway`` stamps who resumed a run, the ``pipeline`` seals what it did."""

    id: Name
    role: Literal["gateway", "pipeline"]
    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1)]


class Roster(Record):
    """All people and machines, with unique ids and keys. ``changed_by``: who signs the next version."""

    version: Annotated[int, Field(ge=1)]
    changed_by: ChangeControl | None = None
    people: Annotated[tuple[Person, ...], Field(min_length=1)]
    machines: tuple[Machine, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        everybody: tuple[Person | Machine, ...] = (*self.people, *self.machines)
        if len({one.id for one in everybody}) != len(everybody):
            raise ValueError("two entries have the same id")
        keys = [key.key for one in everybody for key in one.keys]
        if len(set(keys)) != len(keys):
            raise ValueError("a key is listed twice: a signature must tell who made it")
        strangers = set(self.changed_by.owners if self.changed_by else ()) - {person.id for person in self.people}
        if strangers:
            raise ValueError(f"the owner `{min(strangers)}` is not among the people")
        return self

    def find(self, person_id: str) -> Person | None:
        return next((person for person in self.people if person.id == person_id), None)

    def holders(self, roles: Sequence[str], at: datetime) -> tuple[str, ...]:
        """The people who are active at this moment and hold one of the roles, sorted."""
        return tuple(sorted(one.id for one in self.people if one.active(at.date()) and one.role_among(roles)))

    def machine_keys(self, role: str, at: datetime) -> tuple[str, ...]:
        """The keys of all machines of ``role`` that count at this moment."""
        machines = (machine for machine in self.machines if machine.role == role)
        return tuple(key.key for machine in machines for key in machine.keys if key.valid(at))
