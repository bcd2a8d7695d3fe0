"""``gatewright abandon``: end a release whose run has died, so that the next one can open."""

from typing import TYPE_CHECKING

from gatewright.cli.find import find_release
from gatewright.cli.output import Json, print_json
from gatewright.core.errors import ApprovalError
from gatewright.core.releases import ReleaseState
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.core.roster import Person
    from gatewright.wiring import Services

__all__ = ["abandon"]


def abandon(release: str, /, *, actor: str, reason: str, as_json: Json = False) -> int:
    """End a release that has not ended, as failed. If it had moved the channel, the champion is put back.

    A release that has ended stays as it is; to take back a deployed model, use the rollback deployment.

    Example: gatewright abandon crash_triage-2001-1 --actor dana.reyes --reason "its worker was lost"

    Parameters
    ----------
    release
        A release id, or the beginning of one.
    actor
        Your id in the roster.
    reason
        Why, for the ledger.
    """
    from gatewright.wiring import connect

    services = connect()
    person = _person(services, actor)
    opening = services.releases.opening(find_release(services, release))
    before = services.releases.state(opening)
    note = f"abandoned by {person.id}: {reason}"
    # First the end, then the channel: a run that still lives sees the end once it has moved the channel.
    state = services.releases.close(opening, ReleaseState.FAILED, person.id, note=note)
    back = services.deployment.put_back(opening.model, opening.release_id, note)
    if as_json:
        found = {"release": opening.release_id, "state": state, "was": before, "champion_put_back": back}
        print_json(found)
        return 0
    changed = "abandoned" if before != state else "it had ended before, and is unchanged"
    channel = "; the champion is back" if back else ""
    print(f"{opening.release_id}: {state.value if state else 'never opened'} ({changed}{channel})")
    return 0


def _person(services: "Services", actor: str) -> "Person":
    person = services.roster().find(actor)
    if person is None or not person.active(services.now().date()):
        raise ApprovalError(
            f"`{plain(actor)[:63]}` is not an active person.", where="roster", remedy="write your roster id."
        )
    return person
