"""Small, valid records that tests change in one place."""

from datetime import UTC, date, datetime, timedelta

from gatewright.core.governed import ROSTER_NAME, Document, unsigned_version
from gatewright.core.in_force import InForce
from gatewright.core.policy import Monitoring, MonitoringRule, Policy, Rule
from gatewright.core.results import Interval, Measurement, Severity
from gatewright.core.roster import Person, Roster
from gatewright.core.statements import Request
from gatewright.core.tiers import Facts, Tier

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DIGEST = "ab" * 32


def rule(**changes: object) -> Rule:
    given = {
        "id": "auc-floor",
        "stage": "evaluate",
        "metric": "auc",
        "minimum": 0.75,
        "severity": Severity.BLOCK,
        "reason": "a floor",
    }
    return Rule.model_validate({**given, **changes})


def policy(*rules: Rule, **changes: object) -> Policy:
    tier = Tier(
        name="standard", outcomes=("promote", "review"), approvals=1, roles=("release-manager",), window_hours=1
    )
    live = MonitoringRule(id="live", metric="psi", maximum=0.2, response="alert", reason="drift")
    given = {
        "model": "example",
        "version": 1,
        "owner": "risk",
        "alpha": 0.05,
        "minimum_support": 30,
        "first_release": "review",
        "review_at_warnings": 2,
        "rules": rules or (rule(),),
        "tiers": (tier,),
        "monitoring": Monitoring(minimum_rows=10, minimum_labels=10, rules=(live,)),
    }
    return Policy.model_validate({**given, **changes})


def measured(
    value: float | None, low: float | None = None, high: float | None = None, **changes: object
) -> Measurement:
    interval = None if low is None or high is None else Interval(low=low, high=high, confidence=0.9, method="test")
    given = {"metric": "auc", "value": value, "interval": interval, "n": 1000}
    return Measurement.model_validate({**given, **changes})


def roster() -> Roster:
    return Roster(
        version=1,
        people=(
            Person(id="dana.reyes", name="Dana", roles=("release-manager",), joined=date(2024, 1, 1)),
            Person(id="kim.larsen", name="Kim", roles=("data-scientist",), joined=date(2024, 1, 1)),
            Person(
                id="lou.gone", name="Lou", roles=("release-manager",), joined=date(2024, 1, 1), left=date(2025, 1, 1)
            ),
            Person(id="ann.author", name="Ann", roles=("release-manager",), joined=date(2024, 1, 1)),
        ),
    )


def in_force(document: Document) -> InForce:
    """As if it had been put in force."""
    kind, name = ("policy", document.model) if isinstance(document, Policy) else ("roster", ROSTER_NAME)
    return InForce(1, unsigned_version(kind, name, document, actor="file", at=NOW))  # type: ignore[arg-type]


def facts(**changes: object) -> Facts:
    given = {
        "sensitive_domain": False,
        "personal_data": False,
        "first_release": False,
        "policy_changed": False,
        "score_shift": 0.01,
        "fairness_movement": 0.0,
        "warnings": 0,
    }
    return Facts.model_validate({**given, **changes})


def request(**changes: object) -> Request:
    asked = Request(
        release_id="example-1",
        environment="production",
        model="example",
        evidence_root=DIGEST,
        model_sha256=DIGEST,
        champion_sha256=None,
        policy_sha256=DIGEST,
        policy_version=1,
        roster_sha256=DIGEST,
        roster_version=1,
        ledger_entries=3,
        ledger_head=DIGEST,
        nonce=DIGEST,
        tier=policy().tiers[0],
        author="ann.author",
        asked_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    return asked.model_copy(update=changes)
