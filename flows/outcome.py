"""How a run ends: in a named state, in the ledger as in the Prefect UI."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from gatewright.core.redaction import redacted
from gatewright.core.releases import Opening, ReleaseState
from gatewright.services.promotion import close_failed
from gatewright.wiring import connect
from tasks.evidence import show_evidence
from tasks.notify import notify

__all__ = ["closing_on_failure", "ended", "run_name"]


def ended(opening: Opening, state: ReleaseState, note: str, *, digests: dict[str, str] | None = None) -> State[None]:
    """Close the release, write its documents, attest the verdict, show its page, and name the run's state.

    Whoever ended it before, that end stands.
    """
    services = connect()
    stands = services.releases.close(opening, state, "gatewright", digests=digests, note=note) or state
    services.documents.write(opening, "ended")
    rosters = (services.releases.roster(opening), services.roster())
    services.attestations.attest(opening, rosters, at=services.now())
    services.checkpoints.write(opening.model)
    # Last what Prefect shows and people are told: where that fails, the proof is written.
    show_evidence(services, opening)
    notify(services, opening.model)
    return Completed(name=stands.value.capitalize(), message=f"{opening.release_id}: {note}")


@contextmanager
def closing_on_failure(opening: Opening) -> Iterator[None]:
    """A stage that raises ends the release as failed; a pause or suspension passes through."""
    try:
        yield
    except Exception as error:
        services = connect()
        close_failed(services.releases, services.deployment, opening, "gatewright", redacted(str(error))[:1000])
        notify(services, opening.model)
        raise


def run_name() -> str:
    """What a run is about, for lists in the UI: the model, and the period or release if one was named."""
    given = flow_run.parameters
    about = [given.get(name) for name in ("model", "period", "to_release")]
    return " ".join(str(word) for word in about if word)
