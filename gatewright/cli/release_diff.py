"""``gatewright diff``: what differs between two releases, and which differences of numbers are shown."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.text import Text

from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, Page, print_json, print_table
from gatewright.cli.show import All
from gatewright.core.errors import NotFoundError
from gatewright.core.number_diff import NumberDiff
from gatewright.core.release_diff import DataDiff, Listing, ReleaseDiff, diff_releases
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval
from gatewright.services.reports.charts import key_metrics
from gatewright.services.reports.wording import OUTCOME_WORDS, STATUS_WORDS, label, number, short, signed, span

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["diff"]

_LABEL = 12
# So many changes for the worse, and of any other kind, are listed unless all are asked for.
MAX_WORSE, MAX_OTHERS = 12, 8
# They tell the same as another metric, are of the host, or were chosen because they are extreme.
_NOT_LISTED = ("error_rate", "latency_", "load_", "batch_", "peak_", "model_", "worst_")
Other = Annotated[str | None, Parameter(help="The earlier release; left out, the one that made the champion.")]


def diff(release: ReleaseName, other: Other = None, /, *, everything: All = False, as_json: Json = False) -> int:
    """Say what differs from OTHER to RELEASE: verdict, data, features, numbers by slice and group, policy, code.

    Against the champion's release the change of a number is measured on the same rows; against any other one the two
    come from other rows, and the interval of their difference is as of independent ones.

    Example: gatewright diff crash_triage-2001-1 crash_triage-1999-1
    """
    from gatewright.wiring import connect

    services = connect(read_only=True)
    after = services.view(find_release(services, release))
    before = services.view(_other(services, after, other))
    found = diff_releases(before, after)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(Page(), found, after, everything=everything)
    return 0


def _other(services: "Services", after: ReleaseView, other: str | None) -> str:
    if other is not None:
        return find_release(services, other)
    if after.opening.champion is None:
        raise NotFoundError(
            "no champion served when it opened.",
            where=f"release {after.opening.release_id}",
            remedy="name the release to compare it with.",
        )
    return after.opening.champion.release_id


def _print(page: Page, found: ReleaseDiff, after: ReleaseView, *, everything: bool) -> None:
    page.line(f"{found.before} -> {found.after}: {' -> '.join(_verdict(one) for one in found.outcomes)}")
    how = "on the same rows" if found.paired else "on other rows: the intervals take them for independent"
    page.line(f"numbers are compared {how}; {100 * after.policy.confidence:g} % intervals", indent=2)
    _rules(page, found)
    _data(page, found)
    _numbers(page, found, after, everything=everything)
    _terms(page, found)


def _verdict(outcome: str | None) -> str:
    return "NOT DECIDED" if outcome is None else OUTCOME_WORDS[outcome]


def _rules(page: Page, found: ReleaseDiff) -> None:
    page.heading("Rules that came out differently")
    for one in found.rules:
        was, now = ("not judged" if status is None else STATUS_WORDS[status] for status in (one.before, one.after))
        place = "" if one.slice == "all" else f" on {one.slice}"
        page.line(f"{one.rule}{place}, was {was}", indent=2, label=now, label_width=_LABEL)
    if not found.rules:
        page.line("none", indent=2)


def _data(page: Page, found: ReleaseDiff) -> None:
    page.heading("Data")
    for one in found.data:
        page.line(_data_words(one), indent=2, label=one.use, label_width=_LABEL)
    features = _listed(found.features) or "the same"
    page.line(features, indent=2, label="features", label_width=_LABEL)
    moved = ", ".join(f"{name} {number(value)}" for name, value in found.drift)
    page.line(moved or "not measured", indent=2, label="drift (PSI)", label_width=_LABEL)


def _data_words(one: DataDiff) -> str:
    if one.sha256[0] == one.sha256[1]:
        return f"the same {one.rows[1]:,} rows of {', '.join(one.periods[1])}, {short(one.sha256[1])}"
    failed = ", ".join(f"{name} {_counts(counts)}" for name, counts in one.failed.items())
    periods = " -> ".join(_period(periods) for periods in one.periods)
    digests = " -> ".join(short(digest) for digest in one.sha256)
    rows = f"{one.rows[0]:,} -> {one.rows[1]:,} rows"
    return f"{periods}; {rows}; failed expectations: {failed}; {digests}"


def _period(periods: Sequence[str]) -> str:
    return periods[0] if len(periods) == 1 else f"{periods[0]} to {periods[-1]}" if periods else "nothing"


def _counts(counts: tuple[float | None, float | None]) -> str:
    words = ["not measured" if count is None else number(count) for count in counts]
    return words[0] if words[0] == words[1] else " -> ".join(words)


def _listed(listing: Listing) -> str:
    parts = [
        f"added {', '.join(listing.added)}" if listing.added else "",
        f"removed {', '.join(listing.removed)}" if listing.removed else "",
        ", ".join(f"{name} {old} -> {new}" for name, (old, new) in listing.changed.items()),
    ]
    return "; ".join(part for part in parts if part)


def _numbers(page: Page, found: ReleaseDiff, after: ReleaseView, *, everything: bool) -> None:
    keys = key_metrics(after)
    overall = [n for n in found.numbers if n.stage == "evaluate" and (everything or n.metric in keys)]
    _table(page, "Metrics", sorted(overall, key=lambda n: keys.index(n.metric) if n.metric in keys else len(keys)))
    places = [n for n in found.numbers if n.stage != "evaluate"]
    told = places if everything else _told(places)
    _table(page, "Slices, groups and disturbed inputs", told)
    if not everything and places:
        page.line(_rest(len(told), places, after.policy.confidence), indent=2)


def _told(places: Sequence[NumberDiff]) -> list[NumberDiff]:
    """The changes that are shown, the surest first, those for the worse before all others."""
    surest = sorted((n for n in places if not n.metric.startswith(_NOT_LISTED)), key=_sureness, reverse=True)
    worse = [n for n in surest if n.shown == "worse"]
    others = [n for n in surest if n.shown in ("better", "changed")]
    return [*worse[:MAX_WORSE], *others[:MAX_OTHERS]]


def _sureness(one: NumberDiff) -> float:
    """The change in units of its interval's width."""
    interval = one.change_interval
    if one.change is None or interval is None:
        return 0.0
    return abs(one.change) / ((interval.high - interval.low) or 1.0)


def _rest(told: int, places: Sequence[NumberDiff], confidence: float) -> str:
    shown = sum(n.shown in ("better", "worse", "changed") for n in places)
    return (
        f"{shown} of {len(places)} changes are shown ({told} above, --all lists the rest), each by its own interval: of"
        f" numbers that did not change about {100 * (1 - confidence):.3g} in 100 would look so too."
    )


def _table(page: Page, heading: str, numbers: Iterable[NumberDiff]) -> None:
    rows = [_row(one) for one in numbers]
    if rows:
        page.heading(heading)
        print_table(rows, empty="")


def _row(one: NumberDiff) -> dict[str, str]:
    place = {} if one.stage == "evaluate" else {"slice": one.slice}
    return {
        "change is": one.shown,
        "metric": label(one.metric),
        **place,
        "change": f"{signed(one.change)} {span(one.change_interval)}" if one.change_interval else signed(one.change),
        "after": _with(one.after, one.after_interval),
        "before": _with(one.before, one.before_interval),
    }


def _with(value: float | None, interval: Interval | None) -> str:
    return number(value) if interval is None else f"{number(value)} {span(interval)}"


def _terms(page: Page, found: ReleaseDiff) -> None:
    page.heading("Terms")
    lock = "the lock file differs" if found.lock_file_changed else "the same lock file"
    before, after = found.code
    code = "the same" if before == after else f"git diff {before} {after}"
    for words in [f"{one.direction}: {one}" for one in found.policy] or ["the same"]:
        page.line(words, indent=2, label="policy", label_width=_LABEL)
    for words in [f"{one.where}: {one.sentence}" for one in found.spec] or ["the same"]:
        page.line(words, indent=2, label="spec", label_width=_LABEL)
    page.line(f"{_listed(found.dependencies) or 'the same'}; {lock}", indent=2, label="libraries", label_width=_LABEL)
    page.drawn(Text(f"  {'code':<{_LABEL}} ", style="bold"), Text(code))
