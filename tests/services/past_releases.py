"""A store of decided releases of the model ``triage``: one blocked, one deployed, one that serves."""

from datetime import timedelta

from gatewright.core.channels import ChannelEntry
from gatewright.core.decision import decide
from gatewright.core.judging import judge
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Measurement
from gatewright.wiring import Services
from tests.cli.conftest import ROSTER
from tests.services.reports.example_view import CANDIDATE, DATA, FACTS, NOON, OPENING, POLICY, SPEC, STAGES, measured

__all__ = ["AUCS", "SERVING", "fill"]

# By release: the AUC that it measured, within 0.02.
AUCS = {"triage-a": 0.74, "triage-b": 0.80, "triage-c": 0.86}
SERVING = "triage-c"


def fill(services: Services) -> None:
    """All three, in this order; the champion that they are compared with is older than the ledger."""
    for release_id, auc in AUCS.items():
        _decided(services, release_id, measured("auc", auc, auc - 0.02, auc + 0.02))
    for n, action in enumerate(("deploy", "confirm")):
        entry = ChannelEntry(
            action=action,  # type: ignore[arg-type]
            release_id=SERVING,
            model_sha256=CANDIDATE.artifact.sha256,
            actor="dana.reyes",
            reason="Better for every group.",
            at=NOON + timedelta(minutes=n),
            operation=SERVING,
        )
        services.channels.move("triage", "production", entry, expected=n)


def _decided(services: Services, release_id: str, auc: Measurement) -> None:
    pinned = {
        name: services.blobs.put(record.to_bytes(), "application/json")
        for name, record in (("spec", SPEC), ("policy", POLICY), ("roster", ROSTER))
    }
    opening = services.releases.open(OPENING.model_copy(update={"release_id": release_id, **pinned}))
    services.releases.record("data", opening, DATA)
    services.releases.record("candidate", opening, CANDIDATE)
    change = {"measurements": (auc, *STAGES["evaluate"].measurements[1:])}
    stages = {**STAGES, "evaluate": STAGES["evaluate"].model_copy(update=change)}
    for name, stage in stages.items():
        services.releases.record(name, opening, stage.model_copy(update={"release_id": release_id}))
    results = judge(POLICY, [(n, m) for n, s in stages.items() for m in s.measurements], has_champion=True)
    decision = decide(POLICY, results, policy_sha256=pinned["policy"].sha256, has_champion=True, facts=FACTS)
    services.releases.record("decision", opening, decision)
    root = services.releases.record("root", opening, services.releases.root(opening, CANDIDATE))
    services.releases.note(opening, "decided", "gatewright", digests={"evidence": root.digest}, note=decision.outcome)
    state = ReleaseState.BLOCKED if decision.outcome == "block" else ReleaseState.DEPLOYED
    services.releases.close(opening, state, "gatewright")
