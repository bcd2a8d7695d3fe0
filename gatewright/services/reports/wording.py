"""How numbers, digests, times and verdicts are written, the same on every page."""

from datetime import datetime, timedelta
from decimal import Decimal

from gatewright.core.limits import Limits
from gatewright.core.results import CheckResult, Interval, Severity, Status

__all__ = [
    "OUTCOME_SENTENCES",
    "OUTCOME_WORDS",
    "SEVERITY_WORDS",
    "STATUS_WORDS",
    "VERDICT_WORDS",
    "label",
    "lasting",
    "limit",
    "number",
    "people",
    "short",
    "short_label",
    "shortfall",
    "signed",
    "span",
    "when",
]

OUTCOME_WORDS = {"promote": "PASS", "review": "HOLD", "block": "BLOCK"}
OUTCOME_SENTENCES = {
    "promote": "The policy allows this release.",
    "review": "The policy asks people to look before this is released.",
    "block": "The policy forbids this release. The champion stays.",
}
VERDICT_WORDS = {"pass": "PASS", "review": "HOLD", "block": "BLOCK"}
STATUS_WORDS = {
    Status.PASSED: "PASS",
    Status.FAILED: "FAIL",
    Status.INCONCLUSIVE: "INCONCLUSIVE",
    Status.ERROR: "ERROR",
}
SEVERITY_WORDS = {Severity.BLOCK: "blocks", Severity.WARN: "warns", Severity.SHADOW: "reported only"}
NOTHING = "–"
_PHRASES = {
    "champion_seen_entities": "entities that the champion has seen",
    "champion_seen_rows": "rows that the champion has seen",
    "worst_changes_found": "slices that got worse",
    "worst_slices_found": "slices that are worse than the rest",
}
_WRITTEN = {
    "auc": "AUC", "brier": "Brier score", "ks": "KS", "mae": "MAE", "mape": "MAPE", "ms": "(ms)", "psi": "PSI",
    "r2": "R²", "rmse": "RMSE",
}  # fmt: skip


def number(value: float | None) -> str:
    """Three decimals below ten, two digits below 0.01, whole numbers as such with thousands separated."""
    if value is None:
        return NOTHING
    if value != value:
        return "not a number"
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}"
    if abs(value) < 0.01:
        return f"{value:.2g}" if abs(value) < 1e-6 else f"{Decimal(f'{value:.2g}'):f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def signed(value: float | None) -> str:
    """A change, always with its sign."""
    sign = "+" if value is not None and value > 0 else ""
    return sign + number(value)


def span(interval: Interval | None) -> str:
    """``[low, high]``, or a dash for exact counts."""
    return NOTHING if interval is None else f"[{number(interval.low)}, {number(interval.high)}]"


def limit(result: CheckResult | Limits) -> str:
    """``at least 0.8``, ``at most 50,000,000`` or ``0.1 to 0.3``."""
    low, high = (None if bound is None else f"{bound:,.10g}" for bound in (result.minimum, result.maximum))
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def shortfall(result: CheckResult) -> str:
    """By how much a result missed its limit, in the metric's unit: ``0.160 over the limit of 0.25``.

    Of an interval that reaches beyond the limit, how far it does. Empty where nothing was measured or nothing missed.
    """
    limits = Limits(result.minimum, result.maximum)
    value = result.value
    if value is None:
        return ""
    if limits.maximum == 0 and result.interval is None and value > 0:
        return "none is allowed"
    if limits.margin(value) < 0:
        return _beyond(limits, value, -limits.margin(value))
    if result.interval is None or limits.margin_of_all(result.interval) >= 0:
        return ""
    reach = -limits.margin_of_all(result.interval)
    end = result.interval.low if limits.margin(result.interval.low) < 0 else result.interval.high
    return f"may be {_beyond(limits, end, reach)}"


def _beyond(limits: Limits, value: float, distance: float) -> str:
    over = limits.maximum is not None and value > limits.maximum
    edge = limits.maximum if over else limits.minimum
    return f"{number(distance)} {'over' if over else 'below'} the limit of {edge:,.10g}"


def label(metric: str) -> str:
    """A metric's name in words: ``equal_opportunity_difference`` -> ``equal opportunity difference``."""
    return _PHRASES.get(metric) or " ".join(_WRITTEN.get(word, word) for word in metric.split("_"))


def short_label(metric: str) -> str:
    """The same where there is little room."""
    return label(metric).removeprefix("expected ")


def short(digest: str | None) -> str:
    """The first twelve digits, enough to recognise; never to verify."""
    return NOTHING if digest is None else digest[:12]


def people(count: int) -> str:
    """So many distinct people: a quorum counts nobody twice."""
    return "1 person" if count == 1 else f"{count} different people"


def when(moment: datetime) -> str:
    """Minutes, with the zone's offset as the record has it."""
    zone = "UTC" if not moment.utcoffset() else moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M} {zone}"


def lasting(span_of_time: timedelta) -> str:
    """In its largest unit and the next: ``3 days 4 h``, ``2 h 5 min``, ``40 s``."""
    seconds = max(0, round(span_of_time.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days:,} {'day' if days == 1 else 'days'}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else f"{seconds} s"
