"""Put an earlier deployed model back."""

from gatewright.core.channels import ChannelEntry, previous_deployed
from gatewright.core.errors import ApprovalError, NotFoundError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.refs import Candidate
from gatewright.wiring import Services, connect
from tasks.production import show_production
from tasks.stage import stage_task

__all__ = ["rollback"]


@stage_task(name="rollback", retries=0)
def rollback(model: str, to_release: str | None, actor: str, reason: str, operation: str) -> ChannelEntry:
    """Move production back to the previous deployed release, or to the one named.

    Raises ApprovalError for an actor who may not do so, NotFoundError when there is no such deployment,
    TargetError when the target does not serve the model in time (the channel is then back where it was).
    """
    services = connect()
    spec = services.spec(model)
    policy = services.policy(spec)
    _may_roll_back(services, actor, tuple(role for tier in policy.tiers for role in tier.roles))
    channel = services.settings.channel
    history = services.channels.history(model, channel)
    earlier = _earlier(model, [entry for _, entry in history], to_release)
    candidate = services.evidence.read("candidate", earlier.release_id, Candidate)
    services.blobs.get(candidate.artifact)
    intent = ChannelEntry(
        action="rollback",
        release_id=earlier.release_id,
        model_sha256=candidate.artifact.sha256,
        actor=actor,
        reason=reason,
        at=services.now(),
        operation=operation,
    )
    served = services.deployment.serve(
        model, intent, expected=history[-1][0], timeout_seconds=policy.serving_timeout_seconds
    )
    _note(services, model, served)
    show_production(services, model)
    return served


def _may_roll_back(services: Services, actor: str, roles: tuple[str, ...]) -> None:
    person = services.roster().find(actor)
    if person is None or not person.active(services.now().date()) or not set(roles) & set(person.roles):
        raise ApprovalError(
            f"`{actor[:63]}` may not roll back.",
            where="roster",
            remedy=f"somebody active with one of these roles must do it: {', '.join(sorted(set(roles)))}.",
        )


def _earlier(model: str, history: list[ChannelEntry], to_release: str | None) -> ChannelEntry:
    if to_release is None:
        found = previous_deployed(history)
        what = "no earlier deployment to go back to"
    else:
        ours = [e for e in history if e.action == "confirm" and e.release_id == to_release]
        found = ours[-1] if ours else None
        what = f"release `{to_release[:63]}` was never deployed"
    if found is None or found.model_sha256 is None:
        raise NotFoundError(
            f"{what}.", where=f"model {model}", remedy="choose one that `gatewright history` lists as confirmed."
        )
    return found


def _note(services: Services, model: str, served: ChannelEntry) -> None:
    digests = {"model": served.model_sha256} if served.model_sha256 else {}
    services.ledger.append(
        model,
        LedgerEntry(
            kind="rolled_back",
            release_id=served.release_id,
            actor=served.actor,
            at=services.now(),
            digests=digests,
            note=served.reason,
        ),
    )
