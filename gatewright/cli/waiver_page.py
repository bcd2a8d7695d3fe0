"""What somebody reads in a terminal before they sign a waiver: the rule, what it last found, until when, who may."""

from gatewright.cli.output import Page
from gatewright.cli.rule_words import distance_words, value_words
from gatewright.core.explanation import Explanation, explain
from gatewright.core.limits import Limits
from gatewright.core.policy import Rule, WaiverTerms
from gatewright.core.release_view import ReleaseView
from gatewright.core.roster import Roster
from gatewright.core.waivers import EVERY_SLICE, WaiverStatement
from gatewright.services.reports.wording import SEVERITY_WORDS, STATUS_WORDS, limit, when

__all__ = ["print_waiver"]

_LABEL = 8
# Of a rule on many slices; `gatewright explain` has the others.
MAX_FOUND = 8


def print_waiver(
    draft: WaiverStatement, rule: Rule, terms: WaiverTerms, roster: Roster, latest: ReleaseView | None
) -> None:
    """``draft`` is what will be signed but for its reason; ``latest`` the release that was decided last."""
    page = Page()
    place = "every slice" if draft.slice == EVERY_SLICE else draft.slice
    page.line(f"Waive {rule.id} of {draft.model} on {place}")
    for name, words in _facts(draft, rule, terms, roster).items():
        page.line(words, indent=2, label=name, label_width=_LABEL)
    page.heading(_heading(latest))
    for line in _found(draft, latest) if latest else ():
        page.line(line, indent=2)


def _facts(draft: WaiverStatement, rule: Rule, terms: WaiverTerms, roster: Roster) -> dict[str, str]:
    days = (draft.expires - draft.issued).total_seconds() / 86_400
    people = ", ".join(roster.holders(terms.roles, draft.issued)) or "nobody"
    return {
        "why": rule.reason,
        "limit": f"{limit(Limits(*rule.allowed))}; a result that does not respect it {SEVERITY_WORDS[rule.severity]}",
        "until": f"{when(draft.expires)}: {days:.3g} days of the {terms.maximum_days:g} that the policy allows",
        "who may": f"{people} (role {' or '.join(terms.roles)}); nobody for a candidate of their own",
        "then": "a release that fails it may go on, but people must approve it, and read who answers for it",
    }


def _heading(latest: ReleaseView | None) -> str:
    if latest is None:
        return "No release was judged by it yet."
    return f"What it found in {latest.opening.release_id}, decided last"


def _found(draft: WaiverStatement, latest: ReleaseView) -> list[str]:
    judged = [one for one in explain(latest) if one.result.rule == draft.rule]
    asked = [one for one in judged if draft.slice in (EVERY_SLICE, one.result.slice)]
    missed = [one for one in asked if one.weight != "passes"]
    if not asked:
        others = ", ".join(sorted(one.result.slice for one in judged)[:MAX_FOUND]) or "nothing"
        return [f"not judged on {draft.slice}, but on {others}"]
    if not missed:
        return [f"PASS: {len(asked)} of {len(asked)} checks"]
    rest = len(missed) - MAX_FOUND
    more = [f"and {rest} more: gatewright explain {latest.opening.release_id} --rule {draft.rule}"] if rest > 0 else []
    return [*map(_line, missed[:MAX_FOUND]), *more]


def _line(one: Explanation) -> str:
    place = "" if one.result.slice == "all" else f" on {one.result.slice}"
    already = f"; {one.waived}" if one.waived else ""
    return f"{STATUS_WORDS[one.result.status]}{place}: {value_words(one)}: {distance_words(one)}{already}"
