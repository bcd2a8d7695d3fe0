"""``gatewright abandon``: end a release whose run has died, so that the next one can open."""

from gatewright.cli.find import find_release

__all__ = ["abandon"]


def abandon(release: str, /, *, actor: str, reason: str) -> int:
    """End a release that has not ended, as failed. If it had moved the channel, the champion is put back.

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
    from gatewright.core.errors import ApprovalError
    from gatewright.core.releases import ReleaseState
    from gatewright.wiring import connect

    services = connect()
    person = services.roster().find(actor)
    if person is None or not person.active(services.now().date()):
        raise ApprovalError(f"`{actor[:63]}` is not an active person.", where="roster", remedy="write your roster id.")
    opening = services.releases.opening(find_release(services, release))
    back = services.deployment.put_back(opening.model, opening.release_id, f"abandoned: {reason}")
    services.releases.close(opening, ReleaseState.FAILED, person.id, note=f"abandoned: {reason}")
    state = services.releases.state(opening)
    print(f"{opening.release_id}: {state.value if state else 'unknown'}{', the champion is back' if back else ''}")
    return 0
