"""Who is told where: roles to destinations, as a person writes it in ``policies/notifications.yaml``."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gatewright.core.errors import SpecError
from gatewright.core.notices import Event
from gatewright.core.records import Name, Record
from gatewright.core.strict_yaml import parse_yaml

__all__ = ["NOBODY", "Destination", "Route", "Routes", "parse_routes"]

# The address itself is a secret, so only its place is written: a variable, or a block of the Prefect server.
Destination = Annotated[
    str, StringConstraints(pattern=r"^(env:[A-Z][A-Z0-9_]{0,62}|block:[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*)$")
]
EVERYBODY: Literal["*"] = "*"


class Route(Record):
    """Notices for ``role``, or for everybody (``*``), go to all of ``send``; with ``events`` only these."""

    role: Name | Literal["*"]
    send: Annotated[tuple[Destination, ...], Field(min_length=1)]
    events: tuple[Event, ...] = ()

    def takes(self, event: Event, roles: Sequence[str]) -> bool:
        """A notice that names no role is of interest to every role."""
        concerned = self.role == EVERYBODY or not roles or self.role in roles
        return concerned and (not self.events or event in self.events)


class Routes(Record):
    """``quiet_seconds``: a destination gets at most one message in this time; what comes in between is put together."""

    quiet_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    routes: tuple[Route, ...]

    def destinations(self, event: Event, roles: Sequence[str]) -> tuple[str, ...]:
        """Where a notice goes, each place once."""
        found = (place for route in self.routes if route.takes(event, roles) for place in route.send)
        return tuple(dict.fromkeys(found))


NOBODY = Routes(routes=())
_QUOTED = ", but is `"


def parse_routes(text: str, *, where: str) -> Routes:
    """Raises SpecError as `parse_yaml`, also for an address that is written into the file, which it does not quote."""
    try:
        return parse_yaml(text, Routes, where=where)
    except SpecError as error:
        problem = error.problem.split(_QUOTED)[0].removesuffix(".")
        raise SpecError(f"{problem}.", where=error.where, remedy=error.remedy) from None
