"""How far the data have moved from those the model learned from, feature by feature, release by release."""

from collections.abc import Sequence

from gatewright.core.release_view import EarlierRelease, ReleaseView
from gatewright.core.results import StageEvidence
from gatewright.services.reports.blocks import Block, Figure, Section, Table, Text, charts
from gatewright.services.reports.release_report.measures import listed, measured, unmeasured
from gatewright.services.reports.release_report.panels import Panel, Step, panels
from gatewright.services.reports.wording import NOTHING, number

__all__ = ["drift"]

PSI = "psi"
MAXIMUM_PANELS = 48


def drift(view: ReleaseView) -> Section:
    """The population stability index of every feature over the releases, and all other distances of this one."""
    now = sorted(measured(view, "drift", lambda m: m == PSI), key=lambda m: (-(m.value or 0.0), m.slice))
    everything = measured(view, "drift")
    if not now:
        return Section("drift", "Drift", [unmeasured(view, "drift", "Drift"), *listed("All distances", everything)])
    names = [m.slice for m in now]
    drawn = [panel for name in names if (panel := _panel(view, name)) is not None]
    blocks: list[Block] = [_compared(view)]
    if drawn:
        says = "What moved most comes first. Dashed is the policy's limit; the last point is this release."
        shown = charts(panels("Population stability index", drawn[:MAXIMUM_PANELS]))
        blocks.append(Figure("Population stability index over the releases", says, shown, _table(view, names)))
    return Section("drift", "Drift", [*blocks, *listed("All distances of this release", everything)])


def _compared(view: ReleaseView) -> Text:
    words = "Each release compares its evaluation data with the data its candidate learned from."
    count = len(view.earlier)
    return Text(f"{words} {count} earlier {'release is' if count == 1 else 'releases are'} shown.")


def _panel(view: ReleaseView, name: str) -> Panel | None:
    steps = [Step(label, value) for label, stage in _releases(view) if (value := _psi(stage, name)) is not None]
    limits = [r.maximum for r in view.policy.rules if r.stage == "drift" and r.metric == PSI and r.speaks_of(name)]
    return Panel(name, steps, min((x for x in limits if x is not None), default=None)) if steps else None


def _releases(view: ReleaseView) -> list[tuple[str, StageEvidence | None]]:
    """Names short enough for an axis and the drift evidence, the oldest first, this release last."""
    before = [(_short(view, one), one.stages.get("drift")) for one in view.earlier]
    return [*before, (view.opening.release_id.removeprefix(f"{view.opening.model}-"), view.stages.get("drift"))]


def _short(view: ReleaseView, release: EarlierRelease) -> str:
    return release.release_id.removeprefix(f"{view.opening.model}-")


def _psi(stage: StageEvidence | None, name: str) -> float | None:
    found = (m.value for m in (stage.measurements if stage else ()) if m.metric == PSI and m.slice == name)
    value = next(found, None)
    return None if value is None or value != value else value


def _table(view: ReleaseView, names: Sequence[str]) -> Table:
    releases = _releases(view)
    rows = [
        (name, *(NOTHING if (v := _psi(stage, name)) is None else number(v) for _, stage in releases)) for name in names
    ]
    header = ("Feature", *(label for label, _ in releases))
    return Table("Population stability index by feature and release", header, rows, frozenset(range(1, len(header))))
