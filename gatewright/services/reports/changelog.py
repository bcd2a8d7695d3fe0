"""The release notes of a channel: what went live, why, by whose word, what it changed, and what was taken back."""

from collections.abc import Callable, Sequence

from gatewright.core.assurance import Assurance
from gatewright.core.channels import ChannelEntry
from gatewright.core.decision import Outcome
from gatewright.core.records import Record, Timestamp
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports import charts
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import OUTCOME_WORDS, label, number, short, signed, span, when

__all__ = ["Change", "MetricChange", "Said", "changelog", "changelog_page"]

_TITLES = {"confirm": "released", "rollback": "rolled back", "revert": "put back"}


class Said(Record):
    """Somebody who let it go live, how surely they are known, and their reason."""

    who: str
    assurance: Assurance | None
    reason: str
    emergency: bool = False


class MetricChange(Record):
    """A key metric of the release, and its paired change to the model before, with the ends of its interval."""

    metric: str
    value: float | None
    change: float | None
    low: float | None
    high: float | None


class Change(Record):
    """One settled move of a channel. ``what``: released, rolled back, or put back because the service did not follow.

    ``seconds`` it took from the intent until the service reported the model. ``assurance``: how surely whoever rolled
    it back is known. Decision, people and metrics are those of the release, for a release only.
    """

    at: Timestamp
    what: str
    release_id: str
    period: str | None
    model_sha256: str | None
    by: str
    reason: str
    seconds: float | None
    assurance: Assurance | None = None
    decision: Outcome | None = None
    policy_version: int | None = None
    said: tuple[Said, ...] = ()
    waived: tuple[str, ...] = ()
    metrics: tuple[MetricChange, ...] = ()

    @property
    def is_rollback(self) -> bool:
        """Whether somebody took a model back, and the service followed."""
        return self.what == _TITLES["rollback"]


def changelog(history: Sequence[ChannelEntry], view_of: Callable[[str], ReleaseView]) -> tuple[Change, ...]:
    """The settled moves, the newest first. ``history`` is the channel's, the oldest first."""
    intents = {e.operation: e for e in history if e.action in ("deploy", "rollback")}
    settled = [entry for entry in history if entry.action in ("confirm", "revert")]
    return tuple(_change(entry, intents.get(entry.operation), view_of) for entry in reversed(settled))


def changelog_page(model: str, channel: str, changes: Sequence[Change]) -> str:
    """The same in Markdown."""
    if not changes:
        return page(f"# Changelog of {md(model)}", f"Nothing was ever deployed on {md(channel)}.")
    return page(f"# Changelog of {md(model)}, {md(channel)}", *(_section(change) for change in changes))


def _change(entry: ChannelEntry, intent: ChannelEntry | None, view_of: Callable[[str], ReleaseView]) -> Change:
    rolled_back = intent is not None and intent.action == "rollback"
    what = _TITLES["revert" if entry.action == "revert" else "rollback" if rolled_back else "confirm"]
    view = view_of(entry.release_id) if entry.model_sha256 is not None else None
    found = Change(
        at=entry.at,
        what=what,
        release_id=entry.release_id,
        period=view.opening.period if view else None,
        model_sha256=entry.model_sha256,
        by=entry.actor,
        reason=entry.reason,
        seconds=max(0.0, (entry.at - intent.at).total_seconds()) if intent else None,
        assurance=_assurance(entry, view) if view and rolled_back else None,
    )
    return found.model_copy(update=_of_release(view)) if view and what == _TITLES["confirm"] else found


def _assurance(entry: ChannelEntry, view: ReleaseView) -> Assurance | None:
    """As the ledger has it of this move."""
    noted = (e for e in view.events if e.kind == "rolled_back" and e.digests.get("move") == entry.digest)
    return next((event.assurance for event in noted), None)


def _of_release(view: ReleaseView) -> dict[str, object]:
    decision = view.decision
    said = (e for e in view.events if e.kind in ("approved", "break_glass"))
    return {
        "decision": decision.outcome if decision else None,
        "policy_version": view.policy.version,
        "said": tuple(
            Said(who=e.actor, assurance=e.assurance, reason=e.note, emergency=e.kind == "break_glass") for e in said
        ),
        "waived": tuple(waiver.in_full for waiver in decision.waivers) if decision else (),
        "metrics": tuple(
            found for found in (_metric(view, name) for name in charts.key_metrics(view)) if found is not None
        ),
    }


def _metric(view: ReleaseView, name: str) -> MetricChange | None:
    measured, change = view.find("evaluate", name), view.find("evaluate", f"{name}_change")
    if measured is None:
        return None
    interval = change.interval if change else None
    return MetricChange(
        metric=name,
        value=measured.value,
        change=change.value if change else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def _section(change: Change) -> str:
    took = "" if change.seconds is None else f", in {change.seconds:.0f} s"
    head = f"## {change.at:%Y-%m-%d}: {md(change.release_id)} {change.what}"
    model = "nothing serves" if change.model_sha256 is None else f"model {code(short(change.model_sha256))}"
    surely = f" ({change.assurance})" if change.assurance else ""
    first = f"{when(change.at)} by {md(change.by)}{surely}{took}; {model}. Why: {md(change.reason)}"
    return page(head, first, bullets(_lines(change)), _metric_table(change)).rstrip()


def _lines(change: Change) -> list[str]:
    lines = []
    if change.decision:
        lines.append(f"Gates: {OUTCOME_WORDS[change.decision]}, by policy version {change.policy_version}")
    for said in change.said:
        how = "broke the glass" if said.emergency else "approved"
        lines.append(f"{md(said.who)} {how} ({said.assurance or 'not known how surely'}): {md(said.reason)}")
    return [*lines, *(f"Waived: {md(waived)}" for waived in change.waived)]


def _metric_table(change: Change) -> str:
    if not change.metrics:
        return ""
    rows = ((md(label(m.metric)), number(m.value), signed(m.change), _interval(m)) for m in change.metrics)
    return table(("Metric", "Value", "Change to the model before", "Interval"), rows, numbers=(1, 2))


def _interval(metric: MetricChange) -> str:
    if metric.low is None or metric.high is None:
        return span(None)
    return f"[{number(metric.low)}, {number(metric.high)}]"
