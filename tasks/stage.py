"""What all stages share: evidence is written once, shown as a Prefect artifact, and read back on a second run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import JsonValue

from gatewright.core.errors import ConflictError, IntegrityError, NotFoundError, StoreError, TargetError
from gatewright.core.judging import judge
from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import Opening, Stage
from gatewright.core.results import CheckResult, Measurement, StageEvidence, Status
from gatewright.services.reports.evidence_page import stage_page
from gatewright.wiring import Services

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Findings", "artifact_key", "run_stage", "shown_before", "stage_task"]


def _worth_a_retry(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Only a store or target that does not answer may do so later; bad data stay bad."""
    error = state.result(raise_on_failure=False)
    transient = isinstance(error, StoreError | TargetError)
    return transient and not isinstance(error, NotFoundError | ConflictError | IntegrityError)


def stage_task(*, name: str, retries: int = 2) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A Prefect task whose cache is the evidence in the store (see ``run_stage``).

    So a second run reads on any worker what the first wrote, without unpickling anything.
    """
    return task(
        name=name,
        cache_policy=NO_CACHE,
        retries=retries,
        retry_delay_seconds=[2.0, 10.0][:retries],
        retry_condition_fn=_worth_a_retry,
    )


@dataclass(frozen=True)
class Findings:
    """What a stage found, before it is signed with a time."""

    inputs: dict[str, Record]
    measurements: tuple[Measurement, ...] = ()
    details: dict[str, JsonValue] = field(default_factory=dict)
    artifacts: dict[str, ArtifactRef] = field(default_factory=dict)


def run_stage(services: Services, name: Stage, opening: Opening, find: Callable[[], Findings]) -> StageEvidence:
    """Run a stage once: find, persist, show. A stage that has evidence already is read, not run."""
    evidence = services.evidence.find(name, opening.release_id, StageEvidence)
    if evidence is not None and shown_before(opening):
        return evidence
    if evidence is None:
        started = services.now()
        findings = find()
        evidence = services.releases.record(
            name,
            opening,
            StageEvidence(
                release_id=opening.release_id,
                stage=name,
                started_at=started,
                finished_at=services.now(),
                inputs={key: record.digest for key, record in findings.inputs.items()},
                measurements=findings.measurements,
                details=findings.details,
                artifacts=findings.artifacts,
            ),
        )
    _show(services, opening, evidence)
    return evidence


def shown_before(opening: Opening) -> bool:
    """Whether this run, before it was suspended, has shown what it finds in the store already."""
    return str(flow_run.id) == opening.flow_run


def artifact_key(model: str, page: str) -> str:
    """Prefect allows ``[a-z0-9-]`` only."""
    return f"{model}-{page}".replace("_", "-").replace(".", "-")


def _show(services: Services, opening: Opening, evidence: StageEvidence) -> None:
    results = _judged(services, opening, evidence)
    create_markdown_artifact(
        key=artifact_key(opening.model, evidence.stage),
        markdown=stage_page(evidence, results),
        description=f"{evidence.stage} of release {opening.release_id}",
    )
    log = get_run_logger()
    for result in results:
        if result.status is not Status.PASSED:
            log.warning("%s %s: %s", result.rule, result.status.value.upper(), result.reason)
    log.info("%s: %d measurements, %d rules", evidence.stage, len(evidence.measurements), len(results))


def _judged(services: Services, opening: Opening, evidence: StageEvidence) -> list[CheckResult]:
    """A preview for the reader of this stage; what counts is judged in ``decide`` from all stages."""
    measured = [(evidence.stage, m) for m in evidence.measurements]
    results = judge(services.releases.policy(opening), measured, has_champion=opening.champion is not None)
    return [result for result in results if result.stage == evidence.stage]
