"""How far a release is, read from the store alone: each record once, so that looking often costs little."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gatewright.core.judging import judge_rule
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import STAGES, ReleaseState, Stage
from gatewright.core.results import CheckResult, StageEvidence
from gatewright.core.statements import missing_approvals
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.releases import Releases

__all__ = ["Finished", "ReleaseProgress", "stage_results"]

# Their evidence is what they made, written when they are done: it says nothing of when they began.
_RECORDED_AT_THE_END = ("ingest", "train")


@dataclass(frozen=True)
class Finished:
    """A stage that has left its evidence, how long it took, and what the policy's rules for it say."""

    name: Stage
    evidence: StageEvidence
    seconds: float
    results: tuple[CheckResult, ...]


@dataclass
class ReleaseProgress:
    """One release that may still be on its way. ``look`` reads what has come since the last time."""

    releases: Releases
    evidence: EvidenceStore
    view: ReleaseView
    finished: dict[Stage, Finished] = field(default_factory=dict)

    @classmethod
    def of(cls, releases: Releases, evidence: EvidenceStore, release_id: str) -> "ReleaseProgress":
        """Raises NotFoundError for an unknown release."""
        view = releases.view(release_id)
        return cls(releases, evidence, replace(view, stages={}))

    def look(self) -> list[Finished]:
        """The stages that finished since the last look, in the order of the gates. Raises StoreError."""
        release_id = self.view.opening.release_id
        names = self.evidence.names(release_id)
        came = []
        for name in STAGES:
            if name in names and name not in self.finished:
                came.append(self._finish(name, self.evidence.read(name, release_id, StageEvidence)))
        stages: dict[str, StageEvidence] = {
            name: self.finished[name].evidence for name in STAGES if name in self.finished
        }
        self.view = replace(self._whole_view(names), stages=stages)
        return came

    def _finish(self, name: Stage, evidence: StageEvidence) -> Finished:
        started = self.since if name in _RECORDED_AT_THE_END else evidence.started_at
        seconds = max(0.0, (evidence.finished_at - started).total_seconds())
        self.finished[name] = Finished(name, evidence, seconds, stage_results(self.view, name, evidence))
        return self.finished[name]

    def _whole_view(self, names: Sequence[str]) -> ReleaseView:
        """The whole release once its decision is there or it has ended; before, only where it stands."""
        state = self.releases.state(self.view.opening) or ReleaseState.OPEN
        if "decision" in names or state.final:
            return self.releases.view(self.view.opening.release_id)
        return replace(self.view, state=state)

    @property
    def running(self) -> Stage | None:
        """The stage that is at work: the first without evidence, while nothing is decided."""
        if self.view.state is not ReleaseState.OPEN or self.view.decision is not None:
            return None
        return next((name for name in STAGES if name not in self.finished), None)

    @property
    def since(self) -> datetime:
        """When the stage that is at work began: when the one before it left its evidence."""
        times = [one.evidence.finished_at for one in self.finished.values()]
        return max(times, default=self.view.opening.opened_at)

    @property
    def silent_since(self) -> datetime | None:
        """When the last thing was recorded that a run must follow up; None while people are asked, or at the end."""
        if self.view.state.final or self.asked:
            return None
        return max([self.since, *(event.at for event in self.view.events)])

    def usual_seconds(self) -> float | None:
        """How long what is at work took in the champion's release, or may take at most; None where nothing tells."""
        if self.view.decision is not None:
            return self.view.policy.serving_timeout_seconds
        champion, name = self.view.opening.champion, self.running
        if champion is None or name is None:
            return None
        done = self.evidence.find(name, champion.release_id, StageEvidence)
        return (
            None if done is None else (done.finished_at - self._began(name, champion.release_id, done)).total_seconds()
        )

    def _began(self, name: Stage, release_id: str, done: StageEvidence) -> datetime:
        if name not in _RECORDED_AT_THE_END:
            return done.started_at
        before = STAGES[: STAGES.index(name)]
        earlier = self.evidence.find(before[-1], release_id, StageEvidence) if before else None
        return earlier.finished_at if earlier else self.releases.opening(release_id).opened_at

    @property
    def dead(self) -> bool:
        """Whether the gates have taken so long that no run can be at work any more."""
        return self.view.state is ReleaseState.OPEN and self.releases.expired(self.view.opening)

    @property
    def asked(self) -> bool:
        """Whether it stands still until somebody answers."""
        request = self.view.request
        waits = self.view.state is ReleaseState.WAITING and request is not None
        return waits and request is not None and missing_approvals(self.view.approvals, request) > 0


def stage_results(view: ReleaseView, name: str, evidence: StageEvidence) -> tuple[CheckResult, ...]:
    """What the policy's rules for one stage say of its measurements."""
    has_champion = view.opening.champion is not None
    rules = [rule for rule in view.policy.rules if rule.stage == name]
    return tuple(
        result
        for rule in rules
        for result in judge_rule(view.policy, rule, evidence.measurements, has_champion=has_champion)
    )
