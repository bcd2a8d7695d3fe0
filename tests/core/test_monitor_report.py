"""Since when an alarm of production stands, and the word for what a look found."""

from datetime import UTC, datetime, timedelta

import pytest

from gatewright.core.monitor_report import MonitorReport, standing_since
from gatewright.core.responses import MonitoringDecision, MonitoringFinding
from gatewright.core.results import CheckResult, Severity, Status

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DRIFT = "r: psi on age"


def decision(status: Status, response: str) -> MonitoringDecision:
    result = CheckResult(
        rule="r", stage="monitor", metric="psi", slice="age", value=None, interval=None, minimum=None, maximum=0.2,
        n=9, status=status, severity=Severity.WARN, reason="x",
    )  # fmt: skip
    finding = MonitoringFinding(result=result, response=response)
    return MonitoringDecision(response=response, reasons=("x",), findings=(finding,))


ALERT = decision(Status.FAILED, "alert")
PASSED = decision(Status.PASSED, "record")
UNDECIDED = decision(Status.INCONCLUSIVE, "record")


def stands(*looks: MonitoringDecision) -> dict[str, datetime]:
    """After these looks, an hour apart."""
    before = None
    for n, found in enumerate(looks):
        at = NOON + n * HOUR
        since = standing_since(before, found, at)
        before = MonitorReport(
            release_id="r", model_sha256="a" * 64, since=NOON, at=at, measurements=(), decision=found,
            standing_since=since,
        )  # fmt: skip
    assert before is not None
    return before.standing_since


def test_an_alarm_stands_since_it_was_first_seen() -> None:
    """Seen three times, it is as old as the first."""
    assert stands(ALERT, ALERT, ALERT) == {DRIFT: NOON}


def test_an_alarm_that_was_gone_begins_anew() -> None:
    """It passed between."""
    assert stands(ALERT, PASSED) == {}
    assert stands(ALERT, PASSED, ALERT) == {DRIFT: NOON + 2 * HOUR}


def test_a_look_that_could_not_tell_ends_no_alarm_and_begins_none() -> None:
    """Too few rows are no proof that it is over."""
    assert stands(ALERT, UNDECIDED, ALERT) == {DRIFT: NOON}
    assert stands(UNDECIDED) == {}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (PASSED, "healthy"),
        (UNDECIDED, "inconclusive"),
        (ALERT, "alert"),
        (decision(Status.FAILED, "rollback"), "rollback"),
    ],
)
def test_a_look_is_named_after_its_response_and_is_healthy_only_if_all_passed(
    found: MonitoringDecision, verdict: str
) -> None:
    """What could not be judged is not health."""
    assert found.verdict == verdict


def test_a_report_from_before_alarms_had_an_age_can_be_read() -> None:
    """Its alarms are as old as the first look that wrote ages."""
    report = MonitorReport(
        release_id="r", model_sha256="a" * 64, since=NOON, at=NOON, measurements=(), decision=ALERT
    )  # fmt: skip
    old = report.to_bytes().replace(b',"standing_since":{}', b"").replace(b'"standing_since":{},', b"")
    assert b"standing_since" not in old
    assert MonitorReport.from_bytes(old, where="x") == report
