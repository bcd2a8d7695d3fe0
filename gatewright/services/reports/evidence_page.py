"""The pages people decide on, in Markdown: verdict first, then why, then the numbers, then the digests."""

from collections.abc import Mapping, Sequence

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, StageEvidence, Status
from gatewright.services.reports import charts, measured, signoff, verdicts
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.tables import folded, image, page, web_links
from gatewright.services.reports.wording import short, when

__all__ = ["approval_description", "evidence_page", "stage_page"]


def evidence_page(view: ReleaseView, *, links: Mapping[str, str]) -> str:
    """Everything about one release, as an artifact; ``links`` maps names to web addresses."""
    calibration = ""
    if view.spec.task == "binary_classification":
        missing = "Calibration was not measured."
        calibration = image(charts.calibration_chart(view), "calibration curve", missing=missing)
    return page(
        verdicts.headline(view),
        _identity(view),
        verdicts.objections(view),
        measured.comparison(view),
        calibration,
        measured.fairness(view),
        measured.drift(view),
        measured.data_summary(view),
        signoff.who_approves(view),
        signoff.take_back(view),
        page("## Digests", signoff.digests(view)).rstrip(),
        verdicts.all_rules(view),
        page("## More", web_links(links)).rstrip() if links else "",
    )


def approval_description(view: ReleaseView, *, links: Mapping[str, str]) -> str:
    """What stands above the form in which somebody approves or rejects: some 420 pixels wide, so no wide table."""
    comparison = image(charts.comparison_chart(view), "change of each metric", missing="The metrics were not measured.")
    gaps = measured.gap_table(view)
    return page(
        f"#{verdicts.headline(view)}",
        _identity(view),
        verdicts.objections_in_brief(view),
        "## Candidate against champion",
        comparison,
        folded("The same in numbers", measured.comparison_table(view)),
        "## Fairness",
        _fairness(view),
        folded("Gaps and their limits", gaps) if gaps else "*Fairness was not judged.*",
        signoff.who_approves(view),
        signoff.form_fields(view),
        folded("What your approval binds", signoff.digests(view)),
        f"Read more: {web_links(links)}" if links else "",
    )


def _fairness(view: ReleaseView) -> str:
    if view.spec.task != "binary_classification":
        return measured.mean_table(view)
    missing = "Rates by group were not measured."
    return image(charts.fairness_chart(view), "true positive rate by group", missing=missing)


def stage_page(stage: StageEvidence, results: Sequence[CheckResult]) -> str:
    """One stage: its verdict, its rules and its first measurements."""
    seconds = (stage.finished_at - stage.started_at).total_seconds()
    return page(
        f"# {_verdict(results)}: {md(stage.stage)}",
        f"{verdicts.tally(results) if results else 'The policy has no rule for this stage.'} "
        f"Release {code(stage.release_id)}, {seconds:.1f} s.",
        verdicts.rule_table(results) if results else "",
        measured.listing(stage.measurements),
    )


def _identity(view: ReleaseView) -> str:
    candidate = "not trained" if view.candidate is None else short(view.candidate.artifact.sha256)
    return (
        f"Release {code(view.opening.release_id)} · {view.state.value} · model {code(candidate)} · "
        f"opened {when(view.opening.opened_at)} by {md(view.opening.requested_by)} · "
        f"code {code(view.opening.code_revision[:12])}"
    )


def _verdict(results: Sequence[CheckResult]) -> str:
    missed = [r for r in results if r.status is not Status.PASSED]
    if not missed:
        return "PASS" if results else "MEASURED"
    return f"{len(missed)} NOT PASSED"
