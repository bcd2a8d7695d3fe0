"""Turn all measurements into a decision by the policy that was in force when the release opened."""

from prefect.logging import get_run_logger

from gatewright.core.decision import Decision
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening
from gatewright.core.waivers import Waiver, valid_waivers
from gatewright.wiring import Services, connect
from tasks.stage import stage_task

__all__ = ["decide"]


@stage_task(name="decide")
def decide(opening: Opening, candidate: Candidate) -> Decision:
    """Judge every rule on the stored evidence, decide, and seal everything under one root digest."""
    services = connect()
    decision = services.releases.computed_decision(opening, _waivers(services, opening, candidate))
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


def _waivers(services: Services, opening: Opening, candidate: Candidate) -> tuple[Waiver, ...]:
    """Those that hold now, by the roster pinned at opening and by the one in force."""
    known, policy = services.waivers.of(opening.model), services.releases.policy(opening)
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
