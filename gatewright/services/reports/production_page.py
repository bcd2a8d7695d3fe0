"""What serves now, since when and by whose decision, and how to go back, in Markdown."""

from collections.abc import Sequence

from gatewright.core.channels import ChannelEntry, previous_deployed
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.signoff import rollback_command
from gatewright.services.reports.tables import page, table
from gatewright.services.reports.wording import NOTHING, short, when

__all__ = ["production_page"]

MAX_MOVES = 20


def production_page(model: str, channel: str, history: Sequence[ChannelEntry]) -> str:
    """``history`` holds the channel's moves, the oldest first."""
    if not history or history[-1].model_sha256 is None:
        return page(f"# {md(model)}: nothing serves in {md(channel)}", _moves(history))
    head = history[-1]
    return page(
        f"# {md(model)}: {md(head.release_id)} serves in {md(channel)}",
        f"Since {when(head.at)}, by {md(head.actor)}: {md(head.reason)}",
        f"Model {code(head.model_sha256)}",
        "## How to go back",
        _way_back(model, history),
        _moves(history),
    )


def _way_back(model: str, history: Sequence[ChannelEntry]) -> str:
    before = previous_deployed(list(history))
    if before is None:
        return "No other model was deployed before."
    return f"This puts {md(before.release_id)} back:\n\n```\n{rollback_command(model, before.release_id)}\n```"


def _moves(history: Sequence[ChannelEntry]) -> str:
    rows = (
        (when(e.at), e.action, md(e.release_id), code(short(e.model_sha256) or NOTHING), md(e.actor), md(e.reason))
        for e in list(reversed(history))[:MAX_MOVES]
    )
    return page("## Moves, the latest first", table(("At", "Move", "Release", "Model", "By", "Why"), rows)).rstrip()
