"""Audit the candidate by sensitive group and intersection, whether or not it sees the groups."""

from gatewright.core.checks.fairness import FAIRNESS_METRICS
from gatewright.core.checks.fairness_equivalence import Margin
from gatewright.core.checks.fairness_trend import fairness_trend
from gatewright.core.frames import groups_of
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate
from gatewright.core.releases import Champion, Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["fairness"]

# The trend goes back this many champions.
CHAMPIONS = 12


@stage_task(name="fairness")
def fairness(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Gaps between groups with intervals, all groups with their support, and the trend over champions."""
    services = connect()
    return run_stage(services, "fairness", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    measurements, details = m.checks.fairness(
        m.rows, groups_of(m.frame, m.spec), m.policy.confidence, m.policy.minimum_support, _margins(m.policy)
    )
    judged = {rule.metric for rule in m.policy.rules if rule.stage == "fairness"} & {*m.checks.gaps}
    ours = (opening.release_id, measurements)
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=measurements,
        details={
            **details,
            "trend": [*fairness_trend([*_champions(services, opening), ours], metrics=judged)],
        },
    )


def _margins(policy: Policy) -> Margin:
    """The strictest limit that the policy's rules set for a gap on a slice."""

    def margin(metric: str, slice: str) -> float | None:
        rules = [r for r in policy.rules if r.stage == "fairness" and r.metric == metric and r.speaks_of(slice)]
        if FAIRNESS_METRICS[metric].kind == "difference":
            return min((rule.maximum for rule in rules if rule.maximum is not None), default=None)
        return max((rule.minimum for rule in rules if rule.minimum is not None), default=None)

    return margin


def _champions(services: Services, opening: Opening) -> list[tuple[str, tuple[Measurement, ...]]]:
    """What the releases of the champion, and of the champions before it, measured; the oldest first."""
    found: list[tuple[str, tuple[Measurement, ...]]] = []
    champion: Champion | None = opening.champion
    while champion is not None and len(found) < CHAMPIONS:
        evidence = services.evidence.find("fairness", champion.release_id, StageEvidence)
        found.append((champion.release_id, () if evidence is None else evidence.measurements))
        champion = services.releases.opening(champion.release_id).champion
    return found[::-1]
