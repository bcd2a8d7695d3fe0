"""When nothing is recorded of a release any more: whether a run still works on it, as far as Prefect can tell.

The store never says that a run has died. Prefect does, where it can be asked: a state that is final, or a heartbeat
that is old. Otherwise only the time tells, held against what the same stage took before.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatewright.core.errors import ServerError
from gatewright.core.releases import Opening
from gatewright.core.remedies import Step
from gatewright.core.shell_commands import take_over_command
from gatewright.services.prefect_api import FlowRun, PrefectApi
from gatewright.services.release_progress import ReleaseProgress

__all__ = ["FLOWS", "Noticed", "Silence"]

# Those that take a release through the gates, or take one over.
FLOWS = ("retrain", "release")
# Prefect sends one every 180 s (PREFECT_FLOWS_HEARTBEAT_FREQUENCY); its guide takes a run that missed three for dead.
HEARTBEATS = timedelta(seconds=3 * 180)
# Shorter silences are usual; so often Prefect is asked.
ASK_EVERY = timedelta(seconds=15)
# How much longer than usual something may take, and the least that is worth a word.
SLOWER, LEAST, UNKNOWN = 3, timedelta(seconds=60), timedelta(minutes=5)


@dataclass(frozen=True)
class Noticed:
    """Nothing came since ``since``: what is known of it and what to do. ``died``: nothing will come any more."""

    since: datetime
    words: str
    step: Step
    died: bool = False


@dataclass
class Silence:
    """Listens beside a `ReleaseProgress`. Without ``prefect`` only the time is known."""

    prefect: PrefectApi | None
    _asked_at: datetime | None = field(default=None, init=False)
    _told: set[tuple[datetime, str]] = field(default_factory=set, init=False)

    def notice(self, progress: ReleaseProgress, now: datetime) -> Noticed | None:
        """What is to be told at this moment, each thing once a silence; nothing while all is as usual."""
        since = progress.silent_since
        if since is None or now - max(since, self._asked_at or since) < ASK_EVERY:
            return None
        self._asked_at = now
        opening = progress.view.opening
        run, trouble = self._run(opening), ""
        if run is not None:
            trouble, died = self._trouble(run, now)
            if died:
                return Noticed(since, trouble, _take_over(opening, run), died=True)
        usual = progress.usual_seconds()
        allowed = UNKNOWN if usual is None else max(LEAST, timedelta(seconds=SLOWER * usual))
        if (since, trouble) in self._told or (now - since < allowed and not trouble):
            return None
        self._told.add((since, trouble))
        words = f"{_since(since, now)}. {_usual(progress, usual)}{trouble}".strip()
        return Noticed(since, words, _take_over(opening, run))

    def _run(self, opening: Opening) -> FlowRun | None:
        """The run that works on the release, or did last; None where Prefect cannot be asked or knows none."""
        if self.prefect is None:
            return None
        try:
            later = self.prefect.runs_of(FLOWS, since=opening.opened_at)
            took_over = [run for run in later if run.parameters.get("release_id") == opening.release_id]
            known = [*took_over, *filter(None, [self.prefect.run(opening.flow_run)])]
        except ServerError:
            return None
        return next((run for run in known if not run.state.over), known[0] if known else None)

    def _trouble(self, run: FlowRun, now: datetime) -> tuple[str, bool]:
        """What is wrong with a run, empty when nothing is, and whether it is dead."""
        state = run.state
        if state.over:
            said = f": {state.message}" if state.message else ""
            return f"its run has ended as {state.name}, and nothing works on it any more{said}", True
        if state.type in ("SCHEDULED", "PENDING"):
            return f"Its run is {state.name}: no worker has begun with it.", False
        heard = self._heard(run) if state.type == "RUNNING" else None
        if heard is not None and now - heard > HEARTBEATS:
            return f"its run is {state.name} in Prefect, but was last heard of {_ago(now - heard)} ago", True
        return "", False

    def _heard(self, run: FlowRun) -> datetime | None:
        try:
            return self.prefect.last_heartbeat(run.run_id) if self.prefect else None
        except ServerError:
            return None


def _take_over(opening: Opening, run: FlowRun | None) -> Step:
    given = run.parameters.get("candidate_of") if run else None
    words = "If its run has died, start one that goes on after the last stage that finished:"
    return Step(words=words, command=take_over_command(opening, candidate_of=given))


def _since(since: datetime, now: datetime) -> str:
    return f"Nothing was recorded since {since:%Y-%m-%d %H:%M:%S} UTC, {_ago(now - since)} ago"


def _usual(progress: ReleaseProgress, usual: float | None) -> str:
    champion = progress.view.opening.champion
    if usual is None:
        return ""
    if progress.running is None:
        return f"Within {usual:g} s the service should have followed. "
    before = champion.release_id if champion else "the last release"
    return f"The stage {progress.running} took {usual:.1f} s in {before}. "


def _ago(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
