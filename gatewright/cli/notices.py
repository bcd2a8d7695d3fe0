"""``gatewright notices``: what people were told, what has not reached them, and a message to try it."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.output import Json, print_json, print_table
from gatewright.services.reports.wording import when

if TYPE_CHECKING:
    from gatewright.core.routing import Routes
    from gatewright.wiring import Services

__all__ = ["notices"]

PASS, ERROR, WAITING = 0, 1, 3
Test = Annotated[bool, Parameter(negative="", help="Send a test message to each variable of the routes.")]


def notices(*, test: Test = False, as_json: Json = False) -> int:
    """List the messages that have not reached everybody, or send a test message to find out who can be reached.

    Exit code 0 everybody was told, 3 something is still to be sent, 1 a test message was not taken. Blocks of Prefect
    are tested by Prefect.

    Example: gatewright notices --test
    """
    from gatewright.services.notifications import read_routes
    from gatewright.wiring import connect

    services = connect(read_only=True)
    routes = read_routes(services.settings.path(services.settings.notifications))
    rows = _tested(services, routes) if test else _open(services, routes)
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="The routes name no variable." if test else "Everybody was told.")
    if test:
        return PASS if all(row["result"] == "taken" for row in rows) else ERROR
    return WAITING if rows else PASS


def _open(services: "Services", routes: "Routes") -> list[dict[str, Any]]:
    from gatewright.services.outbox import Outbox
    from gatewright.services.reports.message import subject_of

    outbox, rows = Outbox(services.records, services.now), []
    for pending in outbox.pending():
        notice = outbox.notice(pending)
        for place in routes.destinations(notice.event, notice.roles) if notice else ():
            if notice and not pending.sent(place):
                failed = pending.failed(place)
                rows.append(
                    {
                        "since": when(notice.at),
                        "to": place,
                        "tries": len(failed),
                        "last try": when(failed[-1]) if failed else None,
                        "message": subject_of(notice),
                    }
                )
    return rows


def _tested(services: "Services", routes: "Routes") -> list[dict[str, Any]]:
    from gatewright.core.errors import GatewrightError
    from gatewright.services.notifications import send_by_apprise
    from gatewright.services.reports.message import test_message

    rows = []
    places = dict.fromkeys(place for route in routes.routes for place in route.send)
    for kind, _, name in (place.partition(":") for place in places):
        if kind != "env":
            continue
        try:
            send_by_apprise(name, test_message(services.now()))
            result = "taken"
        except GatewrightError as error:
            result = error.problem
        rows.append({"to": f"{kind}:{name}", "result": result})
    return rows
