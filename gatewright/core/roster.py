"""The roster: people, roles, joined and left dates. Written by compliance as ``policies/roster.yaml``."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from gatewright.core.records import Name, Record

__all__ = ["Person", "Roster"]


class Person(Record):
    """Somebody who may hold roles between ``joined`` and ``left`` (both included)."""

    id: Name
    name: Annotated[str, StringConstraints(min_length=1)]
    roles: Annotated[tuple[Name, ...], Field(min_length=1)]
    joined: date
    left: date | None = None

    def active(self, day: date) -> bool:
        return self.joined <= day and (self.left is None or day <= self.left)


class Roster(Record):
    """All people, with unique ids."""

    version: Annotated[int, Field(ge=1)]
    people: Annotated[tuple[Person, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [person.id for person in self.people]
        if len(set(ids)) != len(ids):
            raise ValueError("two people have the same id")
        return self

    def find(self, person_id: str) -> Person | None:
        return next((person for person in self.people if person.id == person_id), None)
