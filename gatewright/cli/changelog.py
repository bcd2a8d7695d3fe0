"""``gatewright changelog``: the release notes of a channel."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewright.cli.find import Channel, ModelName, known_channel, known_model
from gatewright.cli.output import Json, Page, print_json
from gatewright.services.reports.wording import OUTCOME_WORDS, label, number, short, signed, when

if TYPE_CHECKING:
    from gatewright.services.reports.changelog import Change, MetricChange

__all__ = ["changelog"]

PASS = 0
Rollbacks = Annotated[bool, Parameter(negative="", help="Only what was taken back, and how long each time took.")]
Markdown = Annotated[bool, Parameter(negative="", help="Print Markdown, as for the notes of a release.")]


def changelog(
    model: ModelName,
    /,
    *,
    channel: Channel = "production",
    rollbacks: Rollbacks = False,
    markdown: Markdown = False,
    as_json: Json = False,
) -> int:
    """Say what went live and what was taken back, the newest first: why, by whose word, and what it changed.

    Example: gatewright changelog crash_triage --markdown
    """
    from gatewright.services.reports.changelog import changelog as changes_of
    from gatewright.services.reports.changelog import changelog_page
    from gatewright.wiring import connect

    services = connect(read_only=True)
    model, channel = known_model(services, model), known_channel(services, channel)
    history = [entry for _, entry in services.channels.history(model, channel)]
    changes = changes_of(history, services.view)
    if rollbacks:
        changes = tuple(change for change in changes if change.is_rollback)
    if as_json:
        print_json([change.model_dump(mode="json") for change in changes])
    elif markdown:
        print(changelog_page(model, channel, changes), end="")
    else:
        _print(changes, empty=f"Nothing was ever {'taken back' if rollbacks else 'deployed'} on {channel} of {model}.")
    return PASS


def _print(changes: "tuple[Change, ...]", *, empty: str) -> None:
    page = Page()
    if not changes:
        page.line(empty)
    for change in changes:
        page.heading(f"{when(change.at)} {change.release_id} {change.what}")
        took = "" if change.seconds is None else f", {change.seconds:.0f} s until the service followed"
        surely = f" ({change.assurance})" if change.assurance else ""
        page.line(f"model {short(change.model_sha256)}, by {change.by}{surely}{took}", indent=2)
        page.line(f"why: {change.reason}", indent=2)
        if change.decision:
            page.line(f"gates: {OUTCOME_WORDS[change.decision]}, policy version {change.policy_version}", indent=2)
        for said in change.said:
            how = "broke the glass" if said.emergency else "approved"
            page.line(f"{said.who} {how} ({said.assurance or 'unknown'}): {said.reason}", indent=2)
        for waived in change.waived:
            page.line(f"waived: {waived}", indent=2)
        if change.metrics:
            page.line("; ".join(_metric(metric) for metric in change.metrics), indent=2)


def _metric(metric: "MetricChange") -> str:
    change = "" if metric.change is None else f" ({signed(metric.change)})"
    return f"{label(metric.metric)} {number(metric.value)}{change}"
