"""What one look at production found, and since when what it found stands."""

from collections.abc import Mapping

from gatewright.core.records import Record, Timestamp
from gatewright.core.responses import MonitoringDecision, MonitoringFinding
from gatewright.core.results import Measurement, Status

__all__ = ["MonitorReport", "standing_since"]


class MonitorReport(Record):
    """One look. ``standing_since``: when each alarm of it was first seen without having passed since, by its cause."""

    release_id: str
    model_sha256: str
    since: Timestamp
    at: Timestamp
    measurements: tuple[Measurement, ...]
    decision: MonitoringDecision
    standing_since: dict[str, Timestamp] = {}


def standing_since(before: MonitorReport | None, decision: MonitoringDecision, at: Timestamp) -> dict[str, Timestamp]:
    """Of each cause that asks for something, or asked for it and could not be judged since, when it was first seen.

    ``before``: the look before this one at the same release, None for the first. ``at``: the time of this look.
    """
    known = before.standing_since if before else {}
    return {f.cause: known.get(f.cause, at) for f in decision.findings if _stands(f, known)}


def _stands(finding: MonitoringFinding, known: Mapping[str, Timestamp]) -> bool:
    undecided = finding.result.status is not Status.PASSED and finding.cause in known
    return finding.response != "record" or undecided
