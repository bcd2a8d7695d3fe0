"""All that a reader of a release wants, gathered: what reports, cards and the command line are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gatewright.core.decision import Decision
from gatewright.core.ledger import LedgerEntry, state_of
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData, ReleaseState
from gatewright.core.results import Measurement, StageEvidence
from gatewright.core.roster import Roster
from gatewright.core.spec import ModelSpec
from gatewright.core.statements import Approval, Request

__all__ = ["EarlierRelease", "ReleaseView"]

FINAL = frozenset(state.value for state in ReleaseState if state.final)


@dataclass(frozen=True)
class EarlierRelease:
    """A release of the same model that was opened before: what it measured, for trends; some stages may be missing."""

    release_id: str
    period: str
    state: ReleaseState
    stages: Mapping[str, StageEvidence] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseView:
    """One release, as far as it has come; what has not happened yet is None or empty.

    ``roster`` is the one pinned when it opened. ``earlier`` holds releases that were opened before this one, the
    oldest first, where whoever made the view asked for them.
    """

    opening: Opening
    spec: ModelSpec
    policy: Policy
    state: ReleaseState
    roster: Roster | None = None
    data: ReleaseData | None = None
    candidate: Candidate | None = None
    decision: Decision | None = None
    stages: dict[str, StageEvidence] = field(default_factory=dict)
    evidence_root: str | None = None
    request: Request | None = None
    approvals: tuple[Approval, ...] = ()
    events: tuple[LedgerEntry, ...] = ()
    earlier: tuple[EarlierRelease, ...] = ()

    def measurements(self) -> Iterator[tuple[str, Measurement]]:
        """All measurements with the stage that made them."""
        for name, stage in self.stages.items():
            for measurement in stage.measurements:
                yield name, measurement

    def find(self, stage: str, metric: str, slice_name: str = "all") -> Measurement | None:
        """One measurement, or None."""
        ours = (m for s, m in self.measurements() if s == stage and m.metric == metric and m.slice == slice_name)
        return next(ours, None)

    def as_asked(self) -> "ReleaseView":
        """As it stood when people were asked, or when it was decided that nobody is: from then on always the same."""
        return self._until([i for i, event in enumerate(self.events) if event.kind in ("decided", "waiting")][-1:])

    def as_ended(self) -> "ReleaseView":
        """As it stood at its end, without what happened to it since; as it stands where it has not ended."""
        ends = [i for i, event in enumerate(self.events) if event.kind in FINAL]
        return self._until(ends[:1]) if ends else self

    def _until(self, last: list[int]) -> "ReleaseView":
        events = self.events[: last[0] + 1] if last else ()
        known = {digest for event in events for digest in event.digests.values()}
        return replace(
            self,
            state=state_of(self.opening.release_id, events) or ReleaseState.OPEN,
            approvals=tuple(approval for approval in self.approvals if approval.digest in known),
            events=events,
        )
