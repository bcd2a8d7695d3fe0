"""Whether something is news: one cause is told once, and again only when it got worse, or was gone and came back."""

from collections.abc import Iterable, Mapping
from typing import get_args

from gatewright.core.policy import Response
from gatewright.core.records import Record
from gatewright.core.responses import MonitoringDecision, MonitoringFinding
from gatewright.core.results import Status

__all__ = ["Standing", "happened", "news", "responses", "watched"]

_LEVELS: tuple[Response, ...] = get_args(Response)


class Standing(Record):
    """The causes that stand, each with its level. ``about`` is the model they speak of: another one starts anew."""

    about: str
    causes: dict[str, int] = {}


def news(before: Standing | None, now: Standing) -> tuple[str, ...]:
    """The causes that are new or worse than ``before``, the worst first."""
    known = before.causes if before is not None and before.about == now.about else {}
    worse = [cause for cause, level in now.causes.items() if level > known.get(cause, 0)]
    return tuple(sorted(worse, key=lambda cause: (-now.causes[cause], cause)))


def happened(before: Standing | None, about: str, cause: str) -> Standing:
    """What stands once ``cause`` has happened, which cannot be undone."""
    known: Mapping[str, int] = before.causes if before else {}
    return Standing(about=about, causes={**known, cause: 1})


def watched(before: Standing | None, about: str, decision: MonitoringDecision) -> Standing:
    """What stands after a look at production. A rule that could not be judged changes nothing: it has not passed."""
    known = before.causes if before is not None and before.about == about else {}
    levels = {finding.cause: _level(finding, known) for finding in decision.findings}
    return Standing(about=about, causes={cause: level for cause, level in sorted(levels.items()) if level})


def responses(standing: Standing, causes: Iterable[str]) -> dict[str, Response]:
    """What each of ``causes`` asks for."""
    return {cause: _LEVELS[standing.causes[cause]] for cause in causes}


def _level(finding: MonitoringFinding, known: Mapping[str, int]) -> int:
    level = _LEVELS.index(finding.response)
    if level == 0 and finding.result.status is not Status.PASSED:
        return known.get(finding.cause, 0)
    return level
