"""The pages people decide on, in Markdown.

One screen comes first: the verdict, what speaks against it and by how much, candidate against champion, and whose
approval is still needed until when. Everything else stands below it, in the order in which it is asked for.
"""

from collections.abc import Mapping, Sequence

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, StageEvidence, Status
from gatewright.services.reports import charts, measured, objections, signoff, validated, verdicts
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.limits_chart import limits_chart
from gatewright.services.reports.slice_pages import slices_that_moved
from gatewright.services.reports.tables import bullets, demoted, folded, image, page, table, web_links
from gatewright.services.reports.whiskers import NARROW

__all__ = ["approval_description", "evidence_page", "stage_page"]

# What fits above the fold of 1400 x 900 pixels.
ABOVE_THE_FOLD = 3
# The commands that show more of a release.
_COMMANDS = {
    "explain {}": "each rule, its margin, its owner and the next step",
    "diff {}": "data, features, metrics by slice, policy and libraries against the champion's release",
    "lineage {}": "where model, data and evidence come from",
    "documents {} --out DIR": "writes the report and the cards",
    "verify {}": "that all of it is unchanged",
}


def evidence_page(view: ReleaseView, *, links: Mapping[str, str]) -> str:
    """Everything about one release, as an artifact; ``links`` maps names to web addresses."""
    shown = page(
        verdicts.headline(view),
        _against(view),
        measured.comparison(view),
        signoff.still_needed(view),
        signoff.next_step(view),
        objections.objections_in_full(view),
        measured.comparison_in_numbers(view),
        slices_that_moved(view),
        measured.calibration(view),
        measured.fairness(view),
        measured.drift(view),
        validated.data_summary(view),
        signoff.who_approves(view),
        signoff.take_back(view),
        "## What it was decided on",
        signoff.decided_on(view),
        folded("All digests", signoff.digests(view)),
        verdicts.all_rules(view),
        page("## More", web_links(links), _commands(view)).rstrip(),
    )
    return demoted(shown, 1)


def approval_description(view: ReleaseView, *, links: Mapping[str, str]) -> str:
    """What stands above the form in which somebody approves or rejects: some 420 pixels wide, so no wide table."""
    gaps = measured.gap_table(view)
    shown = page(
        verdicts.headline(view),
        _against(view),
        image(charts.comparison_chart(view, NARROW), missing="The metrics were not measured."),
        signoff.still_needed(view),
        objections.objections_in_full(view),
        folded("The metrics in numbers", measured.comparison_table(view)),
        "## Fairness",
        _fairness(view),
        folded("Gaps and their limits", gaps) if gaps else "*No rule judges fairness.*",
        signoff.who_approves(view),
        signoff.form_fields(view),
        folded("What your approval binds", page(signoff.decided_on(view), signoff.digests(view)).rstrip()),
        f"Read more: {web_links(links)}" if links else "",
    )
    return demoted(shown, 2)


def _against(view: ReleaseView) -> str:
    others = [md(reason) for reason in verdicts.beyond_rules(view)]
    return bullets([*others, *objections.first_objections(view, ABOVE_THE_FOLD)])


def _commands(view: ReleaseView) -> str:
    rows = ((code(f"gatewright {call.format(view.opening.release_id)}"), words) for call, words in _COMMANDS.items())
    return table(("Command", "Shows"), rows)


def _fairness(view: ReleaseView) -> str:
    if view.spec.task != "binary_classification":
        return measured.mean_table(view) or "*Groups were not measured.*"
    return image(charts.fairness_chart(view, layout=NARROW), missing="Rates by group were not measured.")


def stage_page(stage: StageEvidence, results: Sequence[CheckResult]) -> str:
    """One stage: its verdict, what did not pass and by how much, its rules and its first measurements."""
    seconds = (stage.finished_at - stage.started_at).total_seconds()
    missed = objections.weightiest(results)
    explain = code(f"gatewright explain {stage.release_id}")
    shown = page(
        f"# {_verdict(results)}: {md(stage.stage)}",
        f"{verdicts.tally(results) if results else 'The policy has no rule for this stage.'} "
        f"Release {code(stage.release_id)}, {seconds:.1f} s.",
        objections.listed(missed[:ABOVE_THE_FOLD]),
        image(limits_chart(results), missing="No rule has a value.") if results else "",
        f"**Next:** {explain} names the next step of each rule, once all are judged." if missed else "",
        folded(f"All {len(results)} checks of the policy", verdicts.rule_table(results)) if results else "",
        page("## Measurements", measured.listing(stage.measurements)).rstrip(),
    )
    return demoted(shown, 1)


def _verdict(results: Sequence[CheckResult]) -> str:
    missed = [r for r in results if r.status is not Status.PASSED]
    if not missed:
        return "PASS" if results else "MEASURED"
    return f"{len(missed)} NOT PASSED"
