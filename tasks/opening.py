"""Open a release: pin spec, policy, roster, champion and code, and take the model's lock in the ledger."""

from collections.abc import Sequence
from pathlib import Path

from prefect.runtime import flow_run

from gatewright.core.errors import ConflictError, SpecError
from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import Champion, Opening
from gatewright.core.spec import ModelSpec
from gatewright.services.code_identity import code_revision, environment_sha256
from gatewright.services.promotion import begin
from gatewright.services.releases import GATES_MAY_TAKE
from gatewright.wiring import Services, connect
from tasks.stage import stage_task

__all__ = ["open_release"]


@stage_task(name="open")
def open_release(
    model: str, period: str | None, features: Sequence[str] | None, requested_by: str, release_id: str | None
) -> Opening:
    """Pin the terms of a release, or take over the one named ``release_id``.

    Raises SpecError for an unknown model or period, or another task than the champion's; ConflictError while another
    release is open, or when the champion is another by now.
    """
    services = connect()
    if release_id is not None:
        stored = services.evidence.find("opening", release_id, Opening)
        if stored is not None:
            return begin(services.releases, services.deployment, _of_this_model(stored, model))
    terms = _terms(services, model, period, features, requested_by, release_id)
    return begin(services.releases, services.deployment, terms)


def _of_this_model(stored: Opening, model: str) -> Opening:
    if stored.model != model:
        raise SpecError(
            f"it is a release of {stored.model}.",
            where=f"release {stored.release_id}",
            remedy=f"name a release of {model}, or none to open a new one.",
        )
    return stored


def _terms(
    services: Services,
    model: str,
    period: str | None,
    features: Sequence[str] | None,
    requested_by: str,
    release_id: str | None,
) -> Opening:
    spec = services.spec(model)
    period = _known_period(spec, period)
    now = services.now()
    generation, champion = _champion(services, model)
    _require_same_task(services, spec, champion)
    root = Path(services.settings.root)
    return Opening(
        release_id=release_id or f"{model}-{period}-{str(flow_run.id)[:8]}",
        model=model,
        period=period,
        features=tuple(features or spec.features),
        spec=_pin(services, spec),
        policy=_pin(services, services.policy(spec)),
        roster=_pin(services, services.roster()),
        channel_generation=generation,
        champion=champion,
        code_revision=services.settings.code_revision or code_revision(root),
        environment_sha256=environment_sha256(root),
        requested_by=requested_by,
        flow_run=str(flow_run.id),
        opened_at=now,
        expires_at=now + GATES_MAY_TAKE,
    )


def _known_period(spec: ModelSpec, period: str | None) -> str:
    period = period or spec.data.periods[-1]
    if period not in spec.data.periods[1:]:
        raise SpecError(
            f"the period `{period[:40]}` cannot be evaluated.",
            where=f"model {spec.name}",
            remedy=f"choose one of {', '.join(spec.data.periods[1:])}; the first one has nothing to train on.",
        )
    return period


def _require_same_task(services: Services, spec: ModelSpec, champion: Champion | None) -> None:
    """Answers of two tasks cannot be compared, and neither log nor labels of one can be read as the other's."""
    if champion is None:
        return
    served = services.releases.spec(services.releases.opening(champion.release_id)).task
    if served != spec.task:
        raise SpecError(
            f"the task is {spec.task}, but the model that serves is a {served}.",
            where=f"model {spec.name}, `task`",
            remedy="release it as a model of another name.",
        )


def _pin(services: Services, record: Record) -> ArtifactRef:
    return services.blobs.put(record.to_bytes(), "application/json")


def _champion(services: Services, model: str) -> tuple[int, Champion | None]:
    head = services.channels.head(model, services.settings.channel)
    if head is None:
        return 0, None
    generation, entry = head
    if entry.action in ("deploy", "rollback"):
        raise ConflictError(
            f"the move to {entry.release_id} is not confirmed, so nobody knows which model serves.",
            where=f"channel {model}/{services.settings.channel}",
            remedy=f"let {entry.operation} go on, or `gatewright abandon` it.",
        )
    if entry.model_sha256 is None:
        return generation, None
    return generation, Champion(release_id=entry.release_id, model_sha256=entry.model_sha256)
