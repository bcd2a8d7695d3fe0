"""All that a reader of a release wants, gathered: what reports, cards and the command line are made of."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gatewright.core.decision import Decision
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData, ReleaseState
from gatewright.core.results import Measurement, StageEvidence
from gatewright.core.spec import ModelSpec
from gatewright.core.statements import Approval, Request

__all__ = ["ReleaseView"]


@dataclass(frozen=True)
class ReleaseView:
    """One release, as far as it has come; what has not happened yet is None or empty."""

    opening: Opening
    spec: ModelSpec
    policy: Policy
    state: ReleaseState
    data: ReleaseData | None = None
    candidate: Candidate | None = None
    decision: Decision | None = None
    stages: dict[str, StageEvidence] = field(default_factory=dict)
    evidence_root: str | None = None
    request: Request | None = None
    approvals: tuple[Approval, ...] = ()
    events: tuple[LedgerEntry, ...] = ()

    def measurements(self) -> Iterator[tuple[str, Measurement]]:
        """All measurements with the stage that made them."""
        for name, stage in self.stages.items():
            for measurement in stage.measurements:
                yield name, measurement

    def find(self, stage: str, metric: str, slice_name: str = "all") -> Measurement | None:
        """One measurement, or None."""
        ours = (m for s, m in self.measurements() if s == stage and m.metric == metric and m.slice == slice_name)
        return next(ours, None)
