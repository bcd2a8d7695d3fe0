"""``gatewright rollback``: put an earlier deployed model back, and stay until it serves."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.find import known_model
from gatewright.cli.output import Json, Page, print_json
from gatewright.core.channels import ChannelEntry, standing
from gatewright.core.errors import ApprovalError
from gatewright.services.reports.wording import short

if TYPE_CHECKING:
    from gatewright.services.prefect_api import PrefectSettings, RunState
    from gatewright.services.rollback_run import RollbackRun
    from gatewright.services.rollbacks import RollbackOrder

__all__ = ["rollback"]

PASS, BLOCKED, WAITING = 0, 2, 3
_LABEL = 10
_MOVES = {
    "rollback": "the channel names {release}; waiting until the target serves it",
    "confirm": "the target serves {release}, model {model}",
    "revert": "the target did not follow in time; the channel names {release} again",
}
To = Annotated[str | None, Parameter(help="A release that was deployed before; left out, the one before this one.")]
Reason = Annotated[str, Parameter(help="Why, in at least ten characters; it is kept for ever.")]
Actor = Annotated[str | None, Parameter(help="Your id in the roster; left out, the name you log in to Prefect with.")]
Wait = Annotated[float, Parameter(help="Seconds to stay at most; the run goes on without you.")]


def rollback(
    model: str, /, *, reason: Reason, to: To = None, actor: Actor = None, wait: Wait = 300, as_json: Json = False
) -> int:
    """Put an earlier deployed model back: start the rollback in Prefect and stay until it serves or has failed.

    Exit code 0 it serves, 2 the run failed or the channel was put back, 3 still under way, 1 error.

    Example: gatewright rollback crash_triage --reason "It misses too many of the old."

    Parameters
    ----------
    model
        Name of the model.
    """
    from gatewright.core.approval import MINIMUM_REASON
    from gatewright.services.prefect_api import PrefectApi, PrefectSettings
    from gatewright.services.rollback_run import RollbackRun
    from gatewright.services.rollbacks import destination
    from gatewright.wiring import connect

    if len(reason.strip()) < MINIMUM_REASON:
        raise ApprovalError("the reason is too short to be one.", where="--reason", remedy="say in ten characters why.")
    services, prefect = connect(read_only=True), PrefectSettings()
    channel, model = services.settings.channel, known_model(services, model)
    moves = [entry for _, entry in services.channels.history(model, channel)]
    goal, serving = destination(moves, model, to), standing(moves)
    if serving is not None and serving.model_sha256 == goal.model_sha256 and moves[-1] is serving:
        return _told(None, [serving], PASS, as_json=as_json)
    run = RollbackRun(PrefectApi.connect(prefect), services.channels, channel)
    order = run.start(model, goal.release_id, actor or _login(prefect), reason)
    if not as_json:
        _begun(order, serving)
    return _followed(run, order, wait, as_json=as_json)


def _login(prefect: "PrefectSettings") -> str:
    secret = prefect.api_auth_string.get_secret_value() if prefect.api_auth_string else ""
    name, colon, _ = secret.partition(":")
    if not (name and colon):
        raise ApprovalError(
            "it is not known who you are.",
            where="--actor",
            remedy="name your id in the roster, or set PREFECT_API_AUTH_STRING to your own name:secret.",
        )
    return name


def _begun(order: "RollbackOrder", serving: ChannelEntry | None) -> None:
    from_release = serving.release_id if serving else "nothing"
    Page().line(f"{order.model}: from {from_release} back to {order.to_release}, as {order.actor}")
    Page().line(order.operation, indent=2, label="run", label_width=_LABEL)


def _followed(run: "RollbackRun", order: "RollbackOrder", wait: float, *, as_json: bool) -> int:
    from gatewright.services.prefect_api import RunState

    moves: list[ChannelEntry] = []
    state: RunState | None = None
    try:
        for event in run.follow(order, seconds=wait):
            if isinstance(event, RunState):
                state = event
            else:
                moves.append(event)
            if not as_json:
                _print_event(event)
    except KeyboardInterrupt:
        Page().line("you left; the run goes on", indent=2)
    return _told(state, moves, _code(state, moves), as_json=as_json, operation=order.operation)


def _print_event(event: "RunState | ChannelEntry") -> None:
    if not isinstance(event, ChannelEntry):
        Page().line(event.name.lower(), event.message, indent=2, label="Prefect", label_width=_LABEL)
        return
    words = _MOVES[event.action].format(release=event.release_id, model=short(event.model_sha256))
    Page().line(words, indent=2, label=event.action, label_width=_LABEL)


def _code(state: "RunState | None", moves: list[ChannelEntry]) -> int:
    if moves and moves[-1].action == "confirm":
        return PASS
    over = (state is not None and state.over) or (moves and moves[-1].action == "revert")
    return BLOCKED if over else WAITING


def _told(
    state: "RunState | None", moves: list[ChannelEntry], code: int, *, as_json: bool, operation: str | None = None
) -> int:
    last = moves[-1] if moves else None
    if as_json:
        print_json(_document(state, last, code, operation))
        return code
    words = {
        PASS: f"DEPLOYED  {last.release_id if last else ''} serves",
        BLOCKED: "FAILED  what served before still serves; `gatewright history` shows each move",
        WAITING: "WAITING  it is still under way; is a worker running? `gatewright history` shows each move",
    }[code]
    word, _, rest = words.partition("  ")
    Page().line(word, rest)
    return code


def _document(state: "RunState | None", last: ChannelEntry | None, code: int, operation: str | None) -> dict[str, Any]:
    return {
        "operation": operation,
        "outcome": {PASS: "serves", BLOCKED: "failed", WAITING: "under way"}[code],
        "run": None if state is None else state._asdict(),
        "last_move": None if last is None else last.model_dump(mode="json"),
    }
