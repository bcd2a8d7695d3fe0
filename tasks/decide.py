"""Turn all measurements into a decision by the policy that was in force when the release opened."""

from prefect.logging import get_run_logger

from gatewright.core.decision import Decision
from gatewright.core.decision import decide as decide_by_policy
from gatewright.core.judging import judge
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate
from gatewright.core.release_facts import facts_of
from gatewright.core.releases import Opening
from gatewright.core.waivers import Waiver, valid_waivers
from gatewright.wiring import Services, connect
from tasks.stage import stage_task

__all__ = ["decide"]


@stage_task(name="decide")
def decide(opening: Opening, candidate: Candidate) -> Decision:
    """Judge every rule on the stored evidence, decide, and seal everything under one root digest."""
    services = connect()
    policy = services.releases.policy(opening)
    stages = services.releases.stages(opening.release_id)
    measured = [(name, m) for name, stage in stages.items() for m in stage.measurements]
    has_champion = opening.champion is not None
    results = judge(policy, measured, has_champion=has_champion)
    facts = facts_of(
        services.releases.spec(opening),
        policy,
        results,
        measured,
        policy_sha256=opening.policy.sha256,
        policy_of_champion_sha256=_policy_of_champion(services, opening),
        has_champion=has_champion,
    )
    decision = decide_by_policy(
        policy,
        results,
        policy_sha256=opening.policy.sha256,
        has_champion=has_champion,
        facts=facts,
        waivers=_waivers(services, opening, candidate, policy),
    )
    decision = services.releases.record("decision", opening, decision)
    root = services.releases.record("root", opening, services.releases.root(opening, candidate))
    services.releases.note(opening, "decided", "gatewright", digests={"evidence": root.digest}, note=decision.outcome)
    for waiver in decision.waivers:
        _note_waiver(services, opening, waiver)
    log = get_run_logger()
    log.info("decision: %s", decision.outcome.upper())
    for reason in decision.reasons:
        log.info("reason: %s", reason)
    return decision


def _policy_of_champion(services: Services, opening: Opening) -> str | None:
    if opening.champion is None:
        return None
    return services.releases.opening(opening.champion.release_id).policy.sha256


def _waivers(services: Services, opening: Opening, candidate: Candidate, policy: Policy) -> tuple[Waiver, ...]:
    """Those that hold now, by the roster pinned at opening and by the one in force."""
    known = services.waivers.of(opening.model)
    rosters = (services.releases.roster(opening), services.roster())
    return valid_waivers(known, policy, rosters, services.signatures, author=candidate.author, at=services.now())


def _note_waiver(services: Services, opening: Opening, waiver: Waiver) -> None:
    said = waiver.statement
    services.releases.note(
        opening,
        "waived",
        said.principal,
        digests={"waiver": waiver.digest},
        note=f"{said.rule} on {said.slice} until {said.expires.isoformat()}: {said.reason}",
        assurance=waiver.assurance,
    )
