"""Past releases of the model ``example``, as they are judged again."""

from datetime import timedelta

from gatewright.core.backtest import standing_of
from gatewright.core.decision import decide
from gatewright.core.judging import judge
from gatewright.core.measured_release import MeasuredRelease
from gatewright.core.policy import Policy
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Measurement
from tests.core.examples import DIGEST, NOW, facts, measured, policy


def released(
    release_id: str = "example-1",
    *more: Measurement,
    auc: float | None = 0.8,
    by: Policy | None = None,
    day: int = 0,
    **changes: object,
) -> MeasuredRelease:
    """Decided by ``by``, deployed, an AUC of ``auc`` within 0.02 beside a champion, and ``more`` of stage evaluate."""
    pinned = by or policy()
    found = (() if auc is None else (measured(auc, auc - 0.02, auc + 0.02),)) + more
    results = judge(pinned, [("evaluate", m) for m in found], has_champion=True)
    decision = decide(pinned, results, policy_sha256=DIGEST, has_champion=True, facts=facts())
    given = {
        "release_id": release_id,
        "model": "example",
        "period": "2026",
        "decided_at": NOW + timedelta(days=day),
        "state": ReleaseState.DEPLOYED,
        "serves": False,
        "has_champion": True,
        "sensitive_domain": False,
        "personal_data": False,
        "policy_changed": False,
        "policy_version": pinned.version,
        "policy_sha256": DIGEST,
        "alpha": pinned.alpha,
        "minimum_support": pinned.minimum_support,
        "decided": standing_of(decision, pinned, has_champion=True),
        "waivers": 0,
        "absent": (),
        "evidence": DIGEST,
        "records": {"evaluate": DIGEST},
        "measurements": {"evaluate": found},
    }
    return MeasuredRelease.model_validate({**given, **changes})
