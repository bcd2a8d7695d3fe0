"""Results that did not pass and yet do not count: excused at a first release, or waived by a person."""

from dataclasses import dataclass

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Status
from gatewright.core.waivers import Waiver, waiver_for
from gatewright.services.reports.escape import md
from gatewright.services.reports.wording import SEVERITY_WORDS

__all__ = ["EXCUSED", "NO_PARDONS", "WAIVED", "Pardons", "pardons_of"]

EXCUSED, WAIVED = "excused", "waived"


@dataclass(frozen=True)
class Pardons:
    """``excused`` rules need a champion when none serves; ``waivers`` are those the decision rests on."""

    excused: frozenset[str] = frozenset()
    waivers: tuple[Waiver, ...] = ()

    def word(self, result: CheckResult) -> str | None:
        if result.rule in self.excused:
            return EXCUSED
        return WAIVED if waiver_for(result, self.waivers) else None

    def consequence(self, result: CheckResult) -> str:
        """What a result that did not pass does; empty when it passed."""
        if result.status is Status.PASSED:
            return ""
        return self.word(result) or SEVERITY_WORDS[result.severity]

    def sentence(self, result: CheckResult) -> str:
        """Who answers for it, until when and why, escaped; empty when nobody does."""
        waiver = None if result.rule in self.excused else waiver_for(result, self.waivers)
        return "" if waiver is None else f" <strong>{md(waiver)}</strong>"


NO_PARDONS = Pardons()


def pardons_of(view: ReleaseView) -> Pardons:
    """Of the release's decision."""
    first = view.opening.champion is None
    excused = frozenset(rule.id for rule in view.policy.rules if first and rule.compares)
    return Pardons(excused, view.decision.waivers if view.decision else ())
