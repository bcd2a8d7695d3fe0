"""A verdict in a terminal, in the same words wherever somebody reads one: what it is, what speaks against it."""

from rich.text import Text

from gatewright.cli.output import Page
from gatewright.cli.rule_words import finding
from gatewright.cli.terminal_charts import comparison
from gatewright.core.explanation import Explanation, explain
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.services.reports.verdicts import beyond_rules
from gatewright.services.reports.wording import OUTCOME_WORDS, STATUS_WORDS, short, when

__all__ = ["print_comparison", "print_drawn", "print_objections", "print_verdict"]

_SENTENCES = {
    ReleaseState.OPEN: "its gates are running",
    ReleaseState.WAITING: "it waits for approval",
    ReleaseState.DEPLOYED: "it was deployed",
    ReleaseState.REJECTED: "it was rejected; the champion stays",
    ReleaseState.EXPIRED: "it expired; the champion stays",
    ReleaseState.BLOCKED: "it was blocked; the champion stays",
    ReleaseState.FAILED: "it failed; the champion stays",
}


def print_verdict(page: Page, view: ReleaseView) -> None:
    """The verdict in a word, what became of the release in a sentence, and what it is about."""
    decision, opening = view.decision, view.opening
    verdict = "NOT DECIDED" if decision is None else OUTCOME_WORDS[decision.outcome]
    page.line(verdict, f" {opening.release_id}: {_SENTENCES[view.state]}")
    model = "not trained yet" if view.candidate is None else f"model {short(view.candidate.artifact.sha256)}"
    about = f"{view.spec.title}, {opening.period}; {model}, opened {when(opening.opened_at)} by {opening.requested_by}"
    page.line(about, indent=2)
    # Of what went live the end says that it serves, which holds only until the next move of the channel.
    note = view.events[-1].note if view.events and view.state.final else ""
    if note and view.state is not ReleaseState.DEPLOYED:
        page.line(note, indent=2)


def print_objections(page: Page, view: ReleaseView) -> None:
    """What speaks against it: each rule that did not pass with its numbers, and how many passed."""
    if view.decision is None:
        return
    explained = explain(view)
    missed = [one for one in explained if one.weight not in ("passes", "reported only", "excused")]
    page.heading("What speaks against it")
    for one in missed:
        _missed(page, one)
    others = beyond_rules(view)
    for reason in others:
        page.line(f"- {reason}", indent=2)
    page.line(_counted(explained, silent=not (missed or others)), indent=2)


def print_comparison(page: Page, view: ReleaseView) -> None:
    """Candidate against champion, drawn."""
    percent = f"{100 * view.policy.confidence:g} %"
    heading = f"Candidate against champion: value, change and its {percent} interval around zero"
    if view.opening.champion is None:
        heading = f"The candidate: value and {percent} interval (no champion serves)"
    print_drawn(page, heading, comparison(view, width=page.width - 2, ascii_only=page.plain_plots))


def print_drawn(page: Page, heading: str, lines: list[Text]) -> None:
    """Lines that were laid out under a heading; neither where there is nothing to draw."""
    if lines:
        page.heading(heading)
    for line in lines:
        page.drawn(Text("  "), line)


def _missed(page: Page, one: Explanation) -> None:
    page.line(finding(one), indent=2, label=STATUS_WORDS[one.result.status], label_width=12)
    if one.waived:
        page.line(one.waived, indent=15)


def _counted(explained: tuple[Explanation, ...], *, silent: bool) -> str:
    passed = sum(one.weight == "passes" for one in explained)
    watched = sum(one.weight in ("reported only", "excused") for one in explained)
    rest = f"; of the rest, {watched} only watched or excused" if watched else ""
    return f"{'nothing: ' if silent else ''}{passed} of {len(explained)} checks pass{rest}"
