"""Would people hear of it? Each route has people, each destination an address; what must be told reaches somebody.

Nothing is sent: `gatewright notices --test` does that.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from gatewright.core.errors import GatewrightError, SpecError
from gatewright.core.notices import URGENT
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.core.routing import EVERYBODY, Route, Routes
from gatewright.core.tiers import Tier
from gatewright.services.checkup.finding import Finding
from gatewright.services.notifications import apprise_server

__all__ = ["look_at_escalation", "look_at_routes"]

_PART = "notifications"
_WRITE = "add a route to the file of notifications: docs/notifications.md."
# Type and name of a block -> whether there is one; None where it is not known where Prefect is.
Blocks = Callable[[str, str], bool] | None


def look_at_routes(routes: Routes, roster: Callable[[], Roster], blocks: Blocks, now: datetime) -> Iterator[Finding]:
    """Every route and every destination, once; the file is looked at before the roster. Raises what that raises."""
    if not routes.routes:
        yield Finding(_PART, "WARN", "nobody is told of anything: there is no route", _WRITE)
        return
    places = list(dict.fromkeys(place for route in routes.routes for place in route.send))
    problems = [finding for place in places if (finding := _destination(place, blocks)) is not None]
    problems += _unheard(routes)
    yield from problems
    without = list(_without_people(routes.routes, roster(), now))
    yield from without
    if not (problems or without):
        yield Finding(_PART, "OK", f"{len(routes.routes)} routes to {len(places)} destinations, nothing was sent")


def look_at_escalation(routes: Routes, roster: Roster, policies: Sequence[Policy], now: datetime) -> Iterator[Finding]:
    """Whether a release that waits too long reaches somebody who is active, in each tier that escalates."""
    if not routes.routes:
        return
    tiers = [(policy.model, tier) for policy in policies for tier in policy.tiers if tier.escalate_to]
    problems = [finding for model, tier in tiers for finding in _escalation(model, tier, routes, roster, now)]
    yield from problems
    if tiers and not problems:
        yield Finding("escalation", "OK", f"reaches somebody in each of the {len(tiers)} tiers that escalate")


def _without_people(routes: Sequence[Route], roster: Roster, now: datetime) -> Iterator[Finding]:
    for role in dict.fromkeys(route.role for route in routes):
        if role != EVERYBODY and not roster.holders([role], now):
            remedy = "correct the role in the route, or give it to somebody in the roster."
            yield Finding(_PART, "WARN", f"the route of {role} has no people: nobody active holds this role", remedy)


def _unheard(routes: Routes) -> Iterator[Finding]:
    """What cannot wait must not be left out by every route."""
    silent = sorted(event for event in URGENT if not routes.destinations(event, ()))
    if silent:
        yield Finding(_PART, "WARN", f"no route takes {', '.join(silent)}", _WRITE)


def _destination(place: str, blocks: Blocks) -> Finding | None:
    kind, _, name = place.partition(":")
    return _variable(name) if kind == "env" else _block(name, blocks)


def _variable(name: str) -> Finding | None:
    if not os.environ.get(name):
        remedy = "set it here too, to have it looked at; the workers need it."
        return Finding(_PART, "WARN", f"{name} is not set on this machine, so its address cannot be looked at", remedy)
    try:
        apprise_server(name)
    except SpecError as error:
        return Finding(_PART, "FAIL", f"{name}: {error.problem}", error.remedy)
    return None


def _block(name: str, blocks: Blocks) -> Finding | None:
    if blocks is None:
        return Finding(_PART, "WARN", f"the block {name} cannot be looked at", "set PREFECT_API_URL.")
    try:
        there = blocks(*name.split("/"))
    except GatewrightError as error:
        return Finding(_PART, "WARN", f"the block {name} cannot be looked at: {error.problem}", error.remedy)
    remedy = "make it in the Prefect UI under Blocks, or correct the route."
    return None if there else Finding(_PART, "FAIL", f"Prefect has no block {name}", remedy)


def _escalation(model: str, tier: Tier, routes: Routes, roster: Roster, now: datetime) -> Iterator[Finding]:
    named = f"tier {tier.name} of {model} to {' or '.join(tier.escalate_to)}"
    if not roster.holders(tier.escalate_to, now):
        yield Finding("escalation", "FAIL", f"{named}: nobody active holds the role", "give it to somebody.")
    # As `core.notices` addresses it.
    if not routes.destinations("escalated", (*tier.escalate_to, *tier.notify)):
        yield Finding("escalation", "FAIL", f"{named}: no route takes it", _WRITE)
