"""``gatewright releases``, ``show`` and ``history``: what was decided, approved and deployed."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.find import find_release, known_model, model_of
from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.assurance import Assurance, least
from gatewright.core.channels import ChannelEntry, serving_at
from gatewright.core.decision import Decision
from gatewright.core.ledger import LedgerEntry, state_of
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import Opening, ReleaseState
from gatewright.core.results import CheckResult
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import OUTCOME_WORDS, STATUS_WORDS, limit, number, short, span, when

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["history", "releases", "show"]

PASS, BLOCKED, WAITING = 0, 2, 3
# The actor of what the policy lets through, or puts back, by itself.
_ITSELF = "gatewright"
At = Annotated[
    datetime | None,
    Parameter(name="--at", help="What served at this time (UTC unless it says), such as 2026-03-02T10:00."),
]
_CODES = {ReleaseState.DEPLOYED: PASS, ReleaseState.OPEN: WAITING, ReleaseState.WAITING: WAITING}


def releases(*, model: str | None = None, as_json: Json = False) -> int:
    """List the releases, the oldest first.

    Parameters
    ----------
    model
        Only the releases of this model.
    """
    from gatewright.wiring import connect

    services = connect()
    models = [known_model(services, model)] if model else services.ledger.models()
    rows = [row for name in models for row in _rows(services, name)]
    if as_json:
        print_json(rows)
    else:
        readable = [row | {"model": short(row["model"]), "opened": row["opened"][:16]} for row in rows]
        print_table(readable, empty="No release yet.")
    return PASS


def show(release: str, /, *, as_json: Json = False) -> int:
    """Show a release: its state, decision, reasons and every rule. Exit code 0 deployed, 2 stopped, 3 open.

    Parameters
    ----------
    release
        A release id or a model's SHA-256, or the beginning of either.
    """
    from gatewright.wiring import connect

    services = connect()
    view = services.view(find_release(services, release))
    if as_json:
        print_json(_summary(view))
    else:
        _print(view)
    return _CODES.get(view.state, BLOCKED)


def history(model: str, /, *, channel: str = "production", at: At = None, as_json: Json = False) -> int:
    """List every move of a channel, the latest last; or, with --at, say what served then.

    Parameters
    ----------
    model
        Name of the model.
    channel
        Which pointer: production or staging.
    """
    from gatewright.wiring import connect

    services = connect()
    moves = services.channels.history(known_model(services, model), channel)
    if at is not None:
        return _print_served(moves, at if at.tzinfo else at.replace(tzinfo=UTC), as_json=as_json)
    surely = _assurances(services, model)
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
    return PASS


def _assurances(services: "Services", model: str) -> dict[str, Assurance]:
    """How surely the people are known who let each release go live: the least sure of them counts."""
    found: dict[str, list[Assurance]] = {}
    for entry in services.ledger.entries(model):
        if entry.kind in ("approved", "break_glass") and entry.assurance:
            found.setdefault(entry.release_id, []).append(entry.assurance)
    return {release_id: least(given) for release_id, given in found.items()}


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


def _summary(view: ReleaseView) -> dict[str, Any]:
    return {
        "release": view.opening.release_id,
        "model": view.opening.model,
        "period": view.opening.period,
        "state": view.state.value,
        "model_sha256": None if view.candidate is None else view.candidate.artifact.sha256,
        "evidence_root": view.evidence_root,
        "decision": None if view.decision is None else view.decision.model_dump(mode="json"),
        "note": view.events[-1].note if view.events else "",
        "approvals": [approval.model_dump(mode="json") for approval in view.approvals],
    }


def _print(view: ReleaseView) -> None:
    decision = view.decision
    verdict = "NOT DECIDED" if decision is None else OUTCOME_WORDS[decision.outcome]
    print(f"{view.state.value.upper()}  {view.opening.release_id}  gates: {verdict}  model {_model(view)}")
    if view.state.final and view.events and view.events[-1].note:
        print(f"  {plain(view.events[-1].note)}")
    for approval in view.approvals:
        print(f"  {approval.decision} by {approval.principal} ({approval.assurance}): {plain(approval.reason)}")
    if decision is None:
        return
    for reason in decision.reasons:
        print(f"  - {plain(reason)}")
    print()
    print_table([_rule(result, decision) for result in decision.results], empty="No rule was judged.")


def _model(view: ReleaseView) -> str:
    return "not trained" if view.candidate is None else short(view.candidate.artifact.sha256)


def _rule(result: CheckResult, decision: Decision) -> dict[str, str]:
    return {
        "result": STATUS_WORDS[result.status],
        "severity": "waived" if decision.waiver_for(result) else result.severity.value,
        "rule": result.rule,
        "slice": result.slice,
        "value": number(result.value),
        "interval": span(result.interval),
        "limit": limit(result),
    }
