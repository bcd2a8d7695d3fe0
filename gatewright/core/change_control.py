"""Who may change a governed document: the owners that the version in force names."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from gatewright.core.records import Name, Record

__all__ = ["ChangeControl"]


class ChangeControl(Record):
    """The next version is valid only when ``quorum`` distinct people of ``owners`` have signed it."""

    owners: Annotated[tuple[Name, ...], Field(min_length=1)]
    quorum: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if len(set(self.owners)) != len(self.owners):
            raise ValueError("an owner is listed twice")
        if not self.quorum <= len(self.owners):
            raise ValueError(f"{self.quorum} of {len(self.owners)} owners can never sign")
        return self
