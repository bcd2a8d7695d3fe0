"""Watch production: measure what the model answered, and respond in stages that never act by themselves.

``record`` writes evidence; ``alert`` raises an event; ``retrain`` and ``rollback`` ask for one, by an event an
automation or a person may act on, and say with which command.
"""

from datetime import datetime, timedelta

import pandas as pd
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

from gatewright.core.channels import ChannelEntry
from gatewright.core.checks.monitoring import measure_production
from gatewright.core.checks.profile import CategoricalProfile, Profile
from gatewright.core.ledger import LedgerEntry
from gatewright.core.monitor_report import MonitorReport, standing_since
from gatewright.core.policy import Policy
from gatewright.core.releases import Opening
from gatewright.core.responses import respond
from gatewright.core.results import Measurement, StageEvidence
from gatewright.core.spec import ModelSpec, Task
from gatewright.services.prediction_reader import (
    JoinedLabels,
    PredictionReader,
    join_labels,
    logged_answers,
    logged_classes,
)
from gatewright.services.reports.monitor_page import monitor_page
from gatewright.wiring import Services, connect
from tasks.events import tell
from tasks.links import links_from_elsewhere
from tasks.notify import notify_of_production
from tasks.stage import artifact_key, stage_task

__all__ = ["watch"]

_REPORT = "monitor-"


@stage_task(name="watch")
def watch(model: str, days: int) -> MonitorReport | None:
    """Measure the predictions of the last ``days`` by the model that serves; None when nothing serves."""
    services = connect()
    head = services.channels.head(model, services.settings.channel)
    if head is None or head[1].model_sha256 is None:
        get_run_logger().warning("nothing serves %s", model)
        return None
    report = _look(services, model, head[1], days)
    services.evidence.write(_name(report.at), report.release_id, report)
    _respond(services, model, report)
    return report


def _look(services: Services, model: str, head: ChannelEntry, days: int) -> MonitorReport:
    opening = services.releases.opening(head.release_id)
    spec, policy = services.releases.spec(opening), services.policy(services.spec(model))
    now = services.now()
    since = now - timedelta(days=days)
    predictions, labels = _read(services, model, head, spec.task, since.strftime("%Y-%m-%d"))
    measurements = _measure(services, opening, spec, policy, predictions, labels)
    decision = respond(policy.monitoring, measurements)
    return MonitorReport(
        release_id=head.release_id,
        model_sha256=str(head.model_sha256),
        since=since,
        at=now,
        measurements=measurements,
        decision=decision,
        standing_since=standing_since(_last(services, head), decision, now),
    )


def _last(services: Services, head: ChannelEntry) -> MonitorReport | None:
    """The look before this one at the model that serves, since it does."""
    yesterday = services.now() - timedelta(days=1)
    names = services.evidence.names(head.release_id, beginning=_REPORT, after=_name(yesterday))
    names = names or services.evidence.names(head.release_id, beginning=_REPORT)
    last = services.evidence.read(names[-1], head.release_id, MonitorReport) if names else None
    return last if last is not None and last.at >= head.at else None


def _name(at: datetime) -> str:
    return f"{_REPORT}{at:%Y%m%dt%H%M%S%f}"


def _read(
    services: Services, model: str, head: ChannelEntry, task: Task, day: str
) -> tuple[pd.DataFrame, JoinedLabels]:
    reader = PredictionReader(services.records)
    everything, _ = reader.read_predictions(model, after_key=f"predictions/{model}/{day}", task=task)
    predictions = everything[everything["model_sha256"] == head.model_sha256].reset_index(drop=True)
    labels, _ = reader.read_labels(model, after_key=f"labels/{model}/{day}")
    return predictions, join_labels(predictions, labels)


def _measure(
    services: Services,
    opening: Opening,
    spec: ModelSpec,
    policy: Policy,
    predictions: pd.DataFrame,
    labels: JoinedLabels,
) -> tuple[Measurement, ...]:
    drift = services.evidence.read("drift", opening.release_id, StageEvidence)
    body = services.blobs.get(drift.artifacts["monitoring_profile"])
    profile = Profile.from_bytes(body, where=f"profile of {opening.release_id}")
    classes: tuple[str, ...] = ()
    if spec.task == "multiclass_classification":
        learned = profile.label.counts if isinstance(profile.label, CategoricalProfile) else ()
        classes = tuple(sorted(logged_classes(predictions, labels).union(learned)))
    measured = measure_production(
        predictions,
        logged_answers(predictions, spec.task, classes),
        labels.values,
        profile=profile,
        threshold=spec.decision_threshold,
        task=spec.task,
        classes=classes,
        confidence=policy.confidence,
        minimum_rows=policy.monitoring.minimum_rows,
        minimum_labels=policy.monitoring.minimum_labels,
    )
    # Labels that contradict each other, or belong to no prediction looked at, say something of their source.
    doubtful = {"conflicting_labels": labels.conflicting, "unmatched_labels": labels.unmatched}
    counts = (Measurement(metric=name, value=float(n), n=len(predictions)) for name, n in doubtful.items())
    return (*measured, *counts)


def _respond(services: Services, model: str, report: MonitorReport) -> None:
    decision = report.decision
    log = get_run_logger()
    log.info("response: %s", decision.response.upper())
    for reason in decision.reasons:
        log.info("reason: %s", reason)
    if decision.response != "record":
        _tell(services, model, report)
    # Also when all is well, so that an alarm that comes back is told again.
    notify_of_production(services, model, report.release_id, decision)
    _show(services, model, report)


def _show(services: Services, model: str, report: MonitorReport) -> None:
    view = services.releases.view(report.release_id)
    create_markdown_artifact(
        key=artifact_key(model, "monitor"),
        markdown=monitor_page(
            report,
            view,
            services.policy(services.spec(model)).monitoring,
            [entry for _, entry in services.channels.history(model, services.settings.channel)],
            links=links_from_elsewhere(view.opening, services.settings),
        ),
        description=f"Production of {model}: {report.decision.verdict}",
    )


def _tell(services: Services, model: str, report: MonitorReport) -> None:
    response = report.decision.response
    tell(f"monitor.{response}", model, {"release_id": report.release_id, "reasons": list(report.decision.reasons[:5])})
    services.ledger.append(
        model,
        LedgerEntry(
            kind="monitored",
            release_id=report.release_id,
            actor="gatewright",
            at=report.at,
            digests={"report": report.digest},
            note=report.decision.reasons[0][:1000],
        ),
    )
