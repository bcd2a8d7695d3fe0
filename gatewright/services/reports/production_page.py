"""What serves now, for whoever looks after a move, in Markdown: what happened, what was done by itself, what to do."""

from collections.abc import Mapping, Sequence

from gatewright.core.channels import ChannelEntry, periods, previous_deployed
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.serving_chart import serving_chart
from gatewright.services.reports.signoff import rollback_line
from gatewright.services.reports.tables import bullets, demoted, folded, image, page, table, web_links
from gatewright.services.reports.wording import lasting, short, when

__all__ = ["production_page"]

MAX_MOVES = 20
_DOCTOR = "<code>gatewright doctor</code>"


def production_page(
    model: str, title: str, channel: str, history: Sequence[ChannelEntry], *, links: Mapping[str, str]
) -> str:
    """``history`` holds the channel's moves, the oldest first; ``links`` are of the release that serves."""
    place = f"{md(title)} · {md(channel)}"
    if not history:
        return page(f"## NOTHING SERVES: {place}", "No model was ever deployed.")
    chart = serving_chart(periods(history), history[-1].at)
    shown = page(
        f"# {_verdict(history)}: {place}",
        _happened(history),
        image(chart, missing="") if chart else "",
        _by_itself(history),
        _next(model, history),
        f"Model {code(head)}" if (head := history[-1].model_sha256) else "",
        folded(f"The last {min(len(history), MAX_MOVES)} of {len(history)} moves", _moves(history)),
        page("## More", web_links(links), _commands(model)).rstrip(),
    )
    return demoted(shown, 1)


def _verdict(history: Sequence[ChannelEntry]) -> str:
    head = history[-1]
    if head.action in ("deploy", "rollback"):
        return "MOVING"
    if head.model_sha256 is None:
        return "NOTHING SERVES"
    if head.action == "revert":
        return "PUT BACK"
    return "ROLLED BACK" if _rolled_back(history) else "SERVES"


def _rolled_back(history: Sequence[ChannelEntry]) -> bool:
    intent = _intent(history)
    return intent is not None and intent.action == "rollback"


def _intent(history: Sequence[ChannelEntry]) -> ChannelEntry | None:
    """What somebody wanted with the last move."""
    ours = (e for e in reversed(history) if e.operation == history[-1].operation and e.action in ("deploy", "rollback"))
    return next(ours, None)


def _happened(history: Sequence[ChannelEntry]) -> str:
    """Which release serves since when, by whom and why, and what served before."""
    wanted = _intent(history) or history[-1]
    asked = f"Asked {when(wanted.at)} by {md(wanted.actor)}: {md(wanted.reason)}"
    return bullets(line for line in (f"**{_stands(history, wanted)}.**", asked, _before(history)) if line)


def _stands(history: Sequence[ChannelEntry], wanted: ChannelEntry) -> str:
    head = history[-1]
    if head.action in ("deploy", "rollback"):
        return f"{md(head.release_id)} is to serve; the service has not reported it yet"
    if head.action == "revert":
        now = "Nothing serves" if head.model_sha256 is None else f"{md(head.release_id)} serves on"
        return f"{now}: the service did not follow to {md(wanted.release_id)}"
    return f"{md(head.release_id)} serves{' again' if _rolled_back(history) else ''} since {when(head.at)}"


def _before(history: Sequence[ChannelEntry]) -> str:
    """Why the service did not follow, or what served before and how long."""
    head, ended = history[-1], [period for period in periods(history) if period.until is not None]
    if head.action == "revert":
        return f"Why not: {md(head.reason)}"
    if not ended or ended[-1].until != head.at:
        return ""
    return f"Before it {md(ended[-1].release_id)} served for {lasting(head.at - ended[-1].since)}"


def _by_itself(history: Sequence[ChannelEntry]) -> str:
    head, intent = history[-1], _intent(history)
    took = "" if intent is None or intent is head else f", {lasting(head.at - intent.at)} after it was asked"
    if head.action == "confirm":
        return f"**Done by itself:** the move was confirmed when the service reported this very model{took}."
    if head.action == "revert":
        return f"**Done by itself:** the channel was put back where it was{took}; nobody needs to."
    return "**Done by itself:** it is put back where it was if the service does not report the model in time."


def _next(model: str, history: Sequence[ChannelEntry]) -> str:
    """What to do now, and by which command."""
    head, back = history[-1], previous_deployed(history)
    if head.action in ("deploy", "rollback"):
        return f"**Next:** wait; <code>gatewright history {md(model)}</code> shows when it is confirmed."
    if head.action == "revert":
        return f"**Next:** see with {_DOCTOR} that the service runs and reaches the store; then ask again."
    went = (
        "say so to those who use it; a release that waits was compared with another champion: let it expire."
        if _rolled_back(history)
        else "nothing."
    )
    return f"**Next:** {went} {_way_back(model, back)}"


def _way_back(model: str, back: ChannelEntry | None) -> str:
    if back is None:
        return "No earlier model is left to go back to."
    return f"If it has to go, {code(rollback_line(model, back.release_id))} puts {md(back.release_id)} back."


def _moves(history: Sequence[ChannelEntry]) -> str:
    """A list: in Prefect's older interface the cells of a table do not wrap, and reasons are sentences."""
    return bullets(
        f"{when(e.at)}: **{e.action}** {md(e.release_id)} {code(short(e.model_sha256))} "
        f"by {md(e.actor)}: {md(e.reason)}"
        for e in list(reversed(history))[:MAX_MOVES]
    )


def _commands(model: str) -> str:
    rows = (
        (code(f"gatewright history {model}"), "all moves, and who let each go live"),
        (code(f"gatewright changelog {model}"), "what each release changed"),
        (code(f"gatewright verify {model} --target"), "that what serves is what was approved"),
    )
    return table(("Command", "Shows"), rows)
