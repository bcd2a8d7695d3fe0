"""``gatewright releases`` and ``history``: what was decided, approved and deployed."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.find import Channel, ModelName, known_channel, known_model, model_of
from gatewright.cli.output import Json, Page, print_json, print_table
from gatewright.core.assurance import Assurance, least
from gatewright.core.channels import ChannelEntry, serving_at, standing
from gatewright.core.decision import Decision
from gatewright.core.ledger import LedgerEntry, state_of
from gatewright.core.releases import Opening
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import OUTCOME_WORDS, short, when

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["history", "releases"]

PASS = 0
# The actor of what the policy lets through, or puts back, by itself.
_ITSELF = "gatewright"
At = Annotated[
    datetime | None,
    Parameter(name="--at", help="What served at this time (UTC unless it says), such as 2026-03-02T10:00."),
]


def releases(*, model: str | None = None, as_json: Json = False) -> int:
    """List the releases, the oldest first: how far each came, what the gates said, and who approved it.

    Example: gatewright releases --model crash_triage

    Parameters
    ----------
    model
        Only the releases of this model.
    """
    from gatewright.wiring import connect

    services = connect(read_only=True)
    models = [known_model(services, model)] if model else services.ledger.models()
    rows = [row for name in models for row in _rows(services, name)]
    if as_json:
        print_json(rows)
    else:
        print_table([_readable(row) for row in rows], empty="No release yet.")
    return PASS


def history(model: ModelName, /, *, channel: Channel = "production", at: At = None, as_json: Json = False) -> int:
    """List every move of a channel, the latest last, and say what serves; or, with --at, what served then.

    Example: gatewright history crash_triage --at 2026-03-02T10:00
    """
    from gatewright.wiring import connect

    services = connect(read_only=True)
    model, channel = known_model(services, model), known_channel(services, channel)
    moves = services.channels.history(model, channel)
    if at is not None:
        return _print_served(moves, at if at.tzinfo else at.replace(tzinfo=UTC), as_json=as_json)
    surely = _assurances(services, model, channel, [move for _, move in moves])
    if as_json:
        print_json(
            [{"generation": n, **move.model_dump(mode="json"), "assurance": _proven(move, surely)} for n, move in moves]
        )
        return PASS
    rows = [
        {
            "generation": n,
            "action": entry.action,
            "release": entry.release_id,
            "model": short(entry.model_sha256),
            "by": entry.actor,
            "assurance": _proven(entry, surely),
            "at": when(entry.at),
            "reason": entry.reason,
        }
        for n, entry in moves
    ]
    print_table(rows, empty=f"Nothing was ever deployed on {plain(channel)} of {plain(model)}.")
    if moves:
        print()
        _print_serving([entry for _, entry in moves], channel)
    return PASS


def _print_serving(moves: list[ChannelEntry], channel: str) -> None:
    """What the channel stands at; a move that is under way has not been confirmed by what serves."""
    settled, page = standing(moves), Page()
    if settled is None or settled.model_sha256 is None:
        page.line(f"{channel}: nothing serves")
    else:
        page.line(
            f"{channel} serves {settled.release_id}, model {short(settled.model_sha256)}, since {when(settled.at)}"
        )
    if moves[-1] is not settled:
        page.line(f"a {moves[-1].action} to {moves[-1].release_id} is under way since {when(moves[-1].at)}")


def _assurances(services: "Services", model: str, channel: str, moves: list[ChannelEntry]) -> dict[str, Assurance]:
    """By operation, how surely the people are known who let a release go live, the least sure of them, or took it back.

    The ledger says it; of a rollback that was not confirmed, what was recorded before it moved the channel.
    """
    found: dict[str, list[Assurance]] = {}
    confirmed = {move.digest: move.operation for move in moves}
    for entry in services.ledger.entries(model):
        rollback = confirmed.get(entry.digests.get("move", "")) if entry.kind == "rolled_back" else None
        if (rollback or entry.kind in ("approved", "break_glass")) and entry.assurance:
            found.setdefault(rollback or entry.release_id, []).append(entry.assurance)
    for operation in {move.operation for move in moves if move.action == "rollback"} - found.keys():
        recorded = services.rollback_records.find(model, channel, operation)
        found[operation] = [recorded.assurance] if recorded else []
    return {operation: least(given) for operation, given in found.items()}


def _proven(move: ChannelEntry, surely: dict[str, Assurance]) -> Assurance | None:
    """How surely whoever made a move is known; None where nobody was asked."""
    return None if move.actor == _ITSELF else surely.get(move.operation, "declared")


def _print_served(moves: list[tuple[int, ChannelEntry]], at: datetime, *, as_json: bool) -> int:
    found = serving_at([entry for _, entry in moves], at)
    if as_json:
        dumped = {name: entry and entry.model_dump(mode="json") for name, entry in found._asdict().items()}
        print_json({"at": at.isoformat(), **dumped})
        return PASS
    settled, under_way = found
    if settled is None or settled.model_sha256 is None:
        print(f"{when(at)}: nothing served")
    else:
        how = "confirmed" if settled.action == "confirm" else "put back"
        print(f"{when(at)}: {settled.model_sha256} of {settled.release_id}, {how} {when(settled.at)}")
    if under_way is not None:
        print(f"  a {under_way.action} by {plain(under_way.operation)} was under way since {when(under_way.at)}:")
        print(f"  the target may have answered with {under_way.model_sha256 or 'nothing'} already")
    return PASS


def _rows(services: "Services", model: str) -> list[dict[str, Any]]:
    entries = services.ledger.entries(model)
    opened = [entry for entry in entries if entry.kind == "opened"]
    return [_row(services, entry, entries) for entry in opened]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    decision = row.pop("decision")
    return {
        "release": row["release"],
        "period": row["period"],
        "state": row["state"],
        "gates": decision and OUTCOME_WORDS[decision],
        "model": short(row["model"]),
        "opened": when(datetime.fromisoformat(row["opened"])),
        "approved_by": row["approved_by"],
    }


def _row(services: "Services", opened: LedgerEntry, entries: list[LedgerEntry]) -> dict[str, Any]:
    release_id = opened.release_id
    opening = services.evidence.read("opening", release_id, Opening)
    decision = services.evidence.find("decision", release_id, Decision)
    state = state_of(release_id, entries)
    approvers = [e.actor for e in entries if e.release_id == release_id and e.kind == "approved"]
    return {
        "release": release_id,
        "period": opening.period,
        "state": None if state is None else state.value,
        "decision": None if decision is None else decision.outcome,
        "model": model_of(services, release_id),
        "opened": opened.at.isoformat(),
        "approved_by": ", ".join(approvers) or None,
    }
