"""How far what was measured is from the edge of what a policy allows, one line a rule, as a small SVG."""

import math
from collections.abc import Iterable

from gatewright.core.limits import Limits
from gatewright.core.results import CheckResult, Status
from gatewright.services.reports.svg import BAD, CANDIDATE, MUTED
from gatewright.services.reports.whiskers import WIDE, Whisker, clip, whisker_chart
from gatewright.services.reports.wording import limit, number, short_label, shortfall

__all__ = ["limits_chart"]

TITLE = "Distance to the limit, each rule on its own scale"
MAX_RULES = 8
# What fits behind the scale.
LONGEST_WORDS = 34
_COLORS = {Status.FAILED: BAD, Status.PASSED: CANDIDATE}


def limits_chart(results: Iterable[CheckResult]) -> str | None:
    """Of each rule the result with the least room, what is furthest beyond its limit first; None without a value.

    The limit is the line in the middle. Each scale reaches as far as the limit is from zero, or the interval from the
    limit, so only the place of an interval beside the limit can be compared.
    """
    worst: dict[str, tuple[float, Whisker]] = {}
    for result in results:
        drawn = _whisker(result)
        if drawn is not None and (result.rule not in worst or drawn.low < worst[result.rule][0]):
            worst[result.rule] = drawn.low, drawn
    rows = [row for _, row in sorted(worst.values(), key=lambda found: (found[0], found[1].name))][:MAX_RULES]
    if not rows:
        return None
    ends = ("beyond its limit", "allowed")
    return whisker_chart(TITLE, rows, WIDE.scale(-1, 1), zero=True, ends=ends, heading="Against the limits")


def _whisker(result: CheckResult) -> Whisker | None:
    """On a scale from -1 to 1 with the limit at zero, turned so that what is allowed lies on the right."""
    if result.value is None:
        return None
    limits, interval = Limits(result.minimum, result.maximum), result.interval
    ends = (result.value,) if interval is None else (interval.low, result.value, interval.high)
    margins = [limits.margin(end) for end in ends]
    reach = 1.05 * max(*map(abs, margins), _room(limits)) or 1.0
    if not math.isfinite(reach):
        return None
    place = "" if result.slice == "all" else f", {result.slice}"
    return Whisker(
        f"{short_label(result.metric)}{place}",
        min(margins) / reach,
        limits.margin(result.value) / reach,
        max(margins) / reach,
        clip(shortfall(result).replace("the limit of ", "") or limit(result), LONGEST_WORDS),
        _COLORS.get(result.status, MUTED),
        levels=number(result.value),
    )


def _room(limits: Limits) -> float:
    """How far the limit is from zero; of a range, how far its middle is from its edges."""
    if limits.minimum is not None and limits.maximum is not None:
        return (limits.maximum - limits.minimum) / 2
    return abs(limits.minimum or limits.maximum or 0.0)
