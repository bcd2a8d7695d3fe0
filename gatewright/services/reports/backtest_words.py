"""What a backtest found, in sentences for a terminal and for a comment alike. Nothing is escaped here."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from gatewright.core.backtest import Backtest, Rejudged
from gatewright.core.results import CheckResult
from gatewright.services.reports.wording import (
    OUTCOME_WORDS,
    SEVERITY_WORDS,
    label,
    limit,
    number,
    shortfall,
    span,
)

__all__ = ["caveats", "heading", "reasons", "summary", "tally", "verdict", "weightiest_first"]

UNKNOWN = "CANNOT TELL"
MOST_NAMED = 4


def verdict(found: Backtest) -> str:
    """BLOCK where something that serves or was let through would be blocked, HOLD where anything else is otherwise."""
    if found.newly_blocked:
        return "BLOCK"
    return "HOLD" if found.flips or found.cannot_tell or found.asks_others or not found.rejudged else "PASS"


def summary(found: Backtest) -> str:
    """What it comes to, in one or two sentences."""
    total = len(found.rejudged)
    if not total:
        return "No past release was decided yet, so nothing can be judged again."
    if found.newly_blocked:
        serving = [one.release.release_id for one in found.newly_blocked if one.release.serves]
        which = f", among them {serving[0]}, which serves" if serving else ""
        return f"{_of(len(found.newly_blocked), total)} would be blocked that serve or were let through{which}."
    if found.flips:
        return f"{_of(len(found.flips), total)} would be decided otherwise; none that serves would be blocked."
    if found.cannot_tell:
        return f"It cannot be told of {_of(len(found.cannot_tell), total)}; none is known to be decided otherwise."
    if found.asks_others:
        return f"All would be decided as they were; other people would be asked about {len(found.asks_others)}."
    return (
        f"All {total} past releases would be decided as they were."
        if total > 1
        else ("The one past release would be decided as it was.")
    )


def tally(found: Backtest) -> str:
    """How many went from which verdict to which, and how many stay."""
    moves = Counter(_move(one) for one in (*found.flips, *found.cannot_tell))
    parts = [f"{found.same} as decided", *(f"{count} {move}" for move, count in sorted(moves.items()))]
    return f"{len(found.rejudged)} judged again under version {found.policy.version}: {', '.join(parts)}."


def heading(one: Rejudged) -> str:
    """The release, where it stands, and both verdicts."""
    standing = f"{one.release.state.value}, serves" if one.release.serves else one.release.state.value
    return f"{one.release.release_id} ({standing}): {_move(one)}"


def reasons(one: Rejudged) -> Iterator[str]:
    """Which rules make the difference, with value, interval, limit and margin; then what cannot be told."""
    yield from (_missed(r) for r in one.now_missed)
    yield from (f"{_named(r)}: no longer in the way" for r in one.missed_no_more)
    if one.cannot_tell:
        yield from _unknown(one)
    if one.asks_others:
        yield f"asked are the people of tier {one.tiers[1]}, no longer those of {one.tiers[0]}"


def caveats(found: Backtest) -> Iterator[str]:
    """What the reader must know of how it was judged."""
    if found.with_waivers:
        yield f"Waivers are left out on both sides; {found.with_waivers} of the releases rested on some."
    if found.other_support:
        yield (
            f"{found.other_support} releases measured their groups under another minimum support than"
            f" {found.policy.minimum_support}: gaps between groups are as they were measured then."
        )


def weightiest_first(found: Sequence[Rejudged]) -> list[Rejudged]:
    """What serves, then what would be blocked, the latest first."""
    return sorted(found, key=_weight, reverse=True)


def _unknown(one: Rejudged) -> Iterator[str]:
    for why in dict.fromkeys(one.unknown.values()):
        rules = [rule for rule, said in one.unknown.items() if said == why]
        more = f" and {len(rules) - MOST_NAMED} more" if len(rules) > MOST_NAMED else ""
        yield f"{', '.join(rules[:MOST_NAMED])}{more}: {why}"


def _weight(one: Rejudged) -> tuple[bool, bool, datetime]:
    return one.release.serves, one.newly_blocked, one.release.decided_at


def _of(count: int, total: int) -> str:
    return f"{count} of {total} past releases" if total > 1 else "the one past release"


def _move(one: Rejudged) -> str:
    before, after = (OUTCOME_WORDS[end] if end else UNKNOWN for end in (one.before, one.after))
    return before if before == after else f"{before} -> {after}"


def _named(result: CheckResult) -> str:
    return result.rule if result.slice == "all" else f"{result.rule} on {result.slice}"


def _missed(result: CheckResult) -> str:
    name = f"{_named(result)} {SEVERITY_WORDS[result.severity]}"
    if result.value is None:
        return f"{name}: {result.reason}"
    interval = f" {span(result.interval)}" if result.interval else ""
    short = shortfall(result)
    margin = f": {short}" if short else f": {result.reason}"
    return f"{name}: {label(result.metric)} {number(result.value)}{interval}, must be {limit(result)}{margin}"
