"""How one rule's result is told in a line: what was found, and how far that is from the limit."""

from gatewright.core.explanation import Explanation
from gatewright.services.reports.wording import label, limit, number, span

__all__ = ["distance_words", "finding", "value_words"]


def finding(one: Explanation) -> str:
    """What it does, which rule on which slice, and its numbers, in one line."""
    result = one.result
    place = "" if result.slice == "all" else f" on {result.slice}"
    interval = "(exact)" if result.interval is None else span(result.interval)
    numbers = result.reason if result.value is None else f"{number(result.value)} {interval}, {limit(result)}"
    return f"{one.weight}: {result.rule}{place}: {label(result.metric)} {numbers}"


def value_words(one: Explanation) -> str:
    """The value with its interval and rows."""
    result = one.result
    if result.value is None:
        return f"{label(result.metric)} was not measured, {result.n:,} rows"
    interval = result.interval
    inside = f", {100 * interval.confidence:g} % interval {span(interval)}" if interval else ", an exact count"
    return f"{label(result.metric)} {number(result.value)}{inside}, {result.n:,} rows"


def distance_words(one: Explanation) -> str:
    """How far from the limit the value is, and where the interval ends."""
    if one.margin is None:
        return "nothing to hold against it"
    words = f"the value is {number(abs(one.margin))} {'inside' if one.margin >= 0 else 'beyond'} it"
    worst = one.margin_of_interval
    if worst is None:
        return words
    return f"{words}, its interval ends {number(abs(worst))} {'inside' if worst >= 0 else 'beyond'}"
