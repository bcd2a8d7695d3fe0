"""``gatewright abandon``: end a release whose run has died, so that the next one can open."""

from typing import TYPE_CHECKING

from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, print_json
from gatewright.core.errors import ApprovalError
from gatewright.core.releases import Opening, ReleaseState
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.core.roster import Person
    from gatewright.wiring import Services

__all__ = ["abandon"]


def abandon(release: ReleaseName, /, *, actor: str, reason: str, as_json: Json = False) -> int:
    """End a release that has not ended, as failed. If it had moved the channel, the champion is put back.

    If its move was confirmed before its run died, it ends as deployed.
    A release that has ended stays as it is; to take back a deployed model, use the rollback deployment.

    Example: gatewright abandon crash_triage-2001-1 --actor dana.reyes --reason "its worker was lost"

    Parameters
    ----------
    actor
        Your id in the roster.
    reason
        Why, for the ledger.
    """
    from gatewright.services.promotion import close_failed
    from gatewright.wiring import connect

    services = connect()
    person = _person(services, actor)
    opening = services.releases.opening(find_release(services, release))
    before = services.releases.state(opening)
    note = f"abandoned by {person.id}: {reason}"
    moved = _stands(services, opening)
    if before is not None and before.final:
        state: ReleaseState | None = before
        services.deployment.put_back(opening.model, opening.release_id, note)
    else:
        state = close_failed(services.releases, services.deployment, opening, person.id, note)
    back = moved and not _stands(services, opening)
    if as_json:
        found = {"release": opening.release_id, "state": state, "was": before, "champion_put_back": back}
        print_json(found)
        return 0
    changed = _in_words(before, state)
    channel = "; the champion is back" if back else ""
    print(f"{opening.release_id}: {state.value if state else 'never opened'} ({changed}{channel})")
    return 0


def _in_words(before: ReleaseState | None, state: ReleaseState | None) -> str:
    if before == state:
        return "it had ended before, and is unchanged"
    return "its model was serving already" if state is ReleaseState.DEPLOYED else "abandoned"


def _stands(services: "Services", opening: Opening) -> bool:
    """Whether the channel stands at a move of this release that was never confirmed."""
    head = services.channels.head(opening.model, services.settings.channel)
    return head is not None and head[1].operation == opening.release_id and head[1].action == "deploy"


def _person(services: "Services", actor: str) -> "Person":
    person = services.roster().find(actor)
    if person is None or not person.active(services.now().date()):
        raise ApprovalError(
            f"`{plain(actor)[:63]}` is not an active person.", where="roster", remedy="write your roster id."
        )
    return person
