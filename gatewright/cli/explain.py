"""``gatewright explain``: why a release was held, rule by rule, and what to do next."""

from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from gatewright.cli.find import ReleaseName, read_release
from gatewright.cli.output import Json, Page, print_json, styled
from gatewright.cli.rule_words import distance_words, value_words
from gatewright.cli.show import All, code_of
from gatewright.cli.terminal_charts import limit_whisker
from gatewright.cli.verdict_page import print_verdict
from gatewright.core.errors import NotFoundError
from gatewright.core.explanation import Explanation, explain
from gatewright.core.next_steps import release_step
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import STATUS_WORDS, limit

__all__ = ["explain_release"]

_LABEL = 9
OneRule = Annotated[
    str | None, Parameter(help="Only this rule, by its id in the policy; also where it passed everywhere.")
]


def explain_release(
    release: ReleaseName, /, *, rule: OneRule = None, everything: All = False, as_json: Json = False
) -> int:
    """Say why a release stands where it stands: each rule that did not pass, by how much, its evidence, what to do.

    Exit code 0 deployed, 2 stopped, 3 open or waiting.

    Example: gatewright explain crash_triage-2001-1 --rule feature-drift
    """
    _, view = read_release(release)
    found = _chosen(view, rule, everything=everything)
    if as_json:
        print_json(_document(view, found))
    else:
        _print(Page(), view, found)
    return code_of(view.state)


def _chosen(view: ReleaseView, rule: str | None, *, everything: bool) -> list[Explanation]:
    known = explain(view)
    if rule is not None and rule not in {one.result.rule for one in known}:
        raise NotFoundError(
            f"no result of a rule `{plain(rule)[:80]}`.",
            where=f"release {view.opening.release_id}",
            remedy=f"`gatewright show {view.opening.release_id} --all` lists them; there are none before the decision.",
        )
    asked = [one for one in known if rule in (None, one.result.rule)]
    missed = [one for one in asked if one.weight != "passes"]
    return asked if everything or (rule is not None and not missed) else missed


def _document(view: ReleaseView, found: list[Explanation]) -> dict[str, object]:
    return {
        "release": view.opening.release_id,
        "state": view.state.value,
        "outcome": None if view.decision is None else view.decision.outcome,
        "reasons": [] if view.decision is None else list(view.decision.reasons),
        "rules": [one.model_dump(mode="json") for one in found],
        "next_step": release_step(view).model_dump(mode="json"),
    }


def _print(page: Page, view: ReleaseView, found: list[Explanation]) -> None:
    print_verdict(page, view)
    for one in found:
        _explained(page, one)
    if not found and view.decision is not None:
        page.heading("Every rule passed.")
    page.heading("Next")
    page.step(release_step(view), indent=2)


def _explained(page: Page, one: Explanation) -> None:
    result = one.result
    place = "" if result.slice == "all" else f" on {result.slice}"
    title = Text(plain(f"{result.rule}{place}"), style="bold")
    page.drawn(Text("\n"), styled(STATUS_WORDS[result.status]), Text("  "), title)
    drawn = limit_whisker(result, width=page.width - _LABEL - 3, ascii_only=page.plain_plots)
    for name, words in _facts(one).items():
        if words:
            page.line(words, indent=2, label=name, label_width=_LABEL)
        if name == "limit" and drawn:
            page.drawn(Text(" " * (_LABEL + 3) + drawn))
    for number_, step in enumerate(one.next_steps):
        page.step(step, indent=2, label="" if number_ else "next", label_width=_LABEL)


def _facts(one: Explanation) -> dict[str, str]:
    lost = "" if one.proof.sha256 else ", which left no evidence"
    waive = f"; {', '.join(one.may_waive)} may waive it" if one.may_waive and one.weight in ("blocks", "warns") else ""
    return {
        "why": one.purpose,
        "effect": f"{one.weight}: {one.effect}",
        "found": value_words(one),
        "limit": f"{limit(one.result)}: {distance_words(one)}",
        "because": one.result.reason if _says_more(one.result) else "",
        "from": f"stage {one.proof.stage}, slice {one.result.slice}{lost}",
        "sha256": one.proof.sha256 or "",
        "note": one.proof.note,
        "waived": one.waived or "",
        "owner": f"{one.owner}{waive}",
    }


def _says_more(result: CheckResult) -> bool:
    """Whether the reason tells what value, interval and limit do not."""
    return result.value is None or result.adjusted_p_value is not None or result.n_needed is not None
