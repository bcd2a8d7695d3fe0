"""Looks at production, and moves of a channel, as the pages of what serves show them."""

from datetime import datetime, timedelta

from gatewright.core.channels import ChannelEntry
from gatewright.core.monitor_report import MonitorReport, standing_since
from gatewright.core.policy import Monitoring
from gatewright.core.responses import respond
from gatewright.core.results import Measurement
from tests.services.reports.example_view import CHAMPION, MODEL, NOON, counted, measured

MONITORING = Monitoring.model_validate(
    {
        "minimum_rows": 500,
        "minimum_labels": 300,
        "rules": [
            {"id": "live-drift", "metric": "psi", "slices": "each", "maximum": 0.25, "decide_on": "value",
             "response": "alert", "reason": "The population moves away."},
            {"id": "live-recall", "metric": "recall", "minimum": 0.5, "response": "retrain",
             "reason": "Half of the dead are missed."},
            {"id": "live-auc", "metric": "auc", "minimum": 0.7, "response": "rollback",
             "reason": "Worse than the champion it replaced."},
        ],
    }
)  # fmt: skip


def traffic(rows: int = 4200, labels: int = 0) -> tuple[Measurement, ...]:
    counts = {"rows": rows, "labelled_rows": labels}
    return tuple(Measurement(metric=name, value=n, n=n) for name, n in counts.items())


def unlabelled(labels: int = 120) -> tuple[Measurement, ...]:
    note = f"{labels} labels are too few to tell; the policy asks for 300"
    return tuple(Measurement(metric=name, value=None, n=labels, note=note) for name in ("auc", "recall"))


DRIFTED = (counted("psi", 0.32, "year_built"), counted("psi", 0.08, "speed"))
CALM = (counted("psi", 0.02, "year_built"), counted("psi", 0.08, "speed"))
RIGHT = (measured("auc", 0.84, 0.82, 0.86, n=900), measured("recall", 0.77, 0.71, 0.83, n=900))
WRONG = (measured("auc", 0.61, 0.57, 0.65, n=900), measured("recall", 0.44, 0.36, 0.52, n=900))


def look(
    *measurements: Measurement, monitoring: Monitoring = MONITORING, before: MonitorReport | None = None
) -> MonitorReport:
    """A look, two hours after the one ``before`` it."""
    at = NOON + timedelta(days=9) if before is None else before.at + timedelta(hours=2)
    decision = respond(monitoring, measurements)
    return MonitorReport(
        release_id="triage-2000-1",
        model_sha256=MODEL,
        since=at - timedelta(days=30),
        at=at,
        measurements=measurements,
        decision=decision,
        standing_since=standing_since(before, decision, at),
    )


def alerted() -> MonitorReport:
    """One feature drifted two hours ago; labels are too few."""
    first = look(*traffic(labels=120), *DRIFTED, *unlabelled())
    return look(*traffic(labels=120), *DRIFTED, *unlabelled(), before=first)


def failing() -> MonitorReport:
    """The labels show that it ranks badly, and something drifted before."""
    first = look(*traffic(), *DRIFTED, *unlabelled(0))
    return look(*traffic(labels=900), *DRIFTED, *WRONG, before=first)


def healthy() -> MonitorReport:
    return look(*traffic(labels=900), *CALM, *RIGHT)


def silent() -> MonitorReport:
    """Too little traffic to tell anything."""
    return look(*traffic(rows=40), Measurement(metric="psi", slice="speed", value=None, n=40, note="too few"))


def move(action: str, release: str, digest: str | None, after: timedelta, **changes: str) -> ChannelEntry:
    """A move so long ``after`` the first."""
    given = {"actor": "dana.reyes", "reason": "Better for every group.", "operation": release, **changes}
    return ChannelEntry.model_validate(
        {"action": action, "release_id": release, "model_sha256": digest, "at": _at(after), **given}
    )


def _at(after: timedelta) -> datetime:
    return NOON + after


DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
BACK = {"operation": "rollback-1", "actor": "sam.okafor", "reason": "It misses too many of the old."}
# Released, released, rolled back.
MOVES = (
    move("deploy", "triage-1999-1", CHAMPION, 0 * DAY),
    move("confirm", "triage-1999-1", CHAMPION, 2 * SECOND),
    move("deploy", "triage-2000-1", MODEL, 7 * DAY),
    move("confirm", "triage-2000-1", MODEL, 7 * DAY + 3 * SECOND),
    move("rollback", "triage-1999-1", CHAMPION, 8 * DAY + timedelta(hours=5), **BACK),
    move("confirm", "triage-1999-1", CHAMPION, 8 * DAY + timedelta(hours=5) + 4 * SECOND, **BACK),
)
RELEASED, ROLLED_BACK, ROLLING = MOVES[:4], MOVES, MOVES[:5]
PUT_BACK = (
    *MOVES[:2],
    MOVES[2],
    move("revert", "triage-1999-1", CHAMPION, 7 * DAY + timedelta(minutes=1), operation="triage-2000-1",
         reason="the service still reports b2b2b2b2b2b2"),
)  # fmt: skip
