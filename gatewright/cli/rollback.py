"""``gatewright rollback``: put an earlier deployed model back, signed with your key, and stay until it serves."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.answering import Reason, Yes, confirm, refused
from gatewright.cli.find import ModelName, known_model
from gatewright.cli.output import Json, Page, print_json
from gatewright.cli.signing import DEFAULT_KEY, SigningPerson, signing_person
from gatewright.core.channels import ChannelEntry, standing
from gatewright.core.errors import ApprovalError, SigningError
from gatewright.services.reports.wording import short

if TYPE_CHECKING:
    from gatewright.core.governed import DocumentKind
    from gatewright.core.in_force import InForce
    from gatewright.core.rollback_order import RollbackOrder
    from gatewright.core.way_back import WayBack
    from gatewright.services.prefect_api import PrefectSettings, RunState
    from gatewright.services.rollback_run import RollbackRun
    from gatewright.wiring import Services

__all__ = ["rollback"]

PASS, BLOCKED, WAITING = 0, 2, 3
_LABEL = 10
_MOVES = {
    "rollback": "the channel names {release}; waiting until the target serves it",
    "confirm": "the target serves {release}, model {model}",
    "revert": "the target did not follow in time; the channel names {release} again",
}
To = Annotated[str | None, Parameter(help="A release that was deployed before; left out, the one before this one.")]
Actor = Annotated[
    str | None, Parameter(help="Your id in the roster, where you do not sign; left out, the name you log in with.")
]
YourKey = Annotated[
    Path | None, Parameter(name="--key", help=f"Your SSH key; left out, {DEFAULT_KEY} where the roster names it.")
]
Wait = Annotated[float, Parameter(help="Seconds to stay at most; the run goes on without you.")]


def rollback(
    model: ModelName,
    /,
    *,
    reason: Reason = None,
    to: To = None,
    key: YourKey = None,
    actor: Actor = None,
    yes: Yes = False,
    wait: Wait = 300,
    as_json: Json = False,
) -> int:
    """Put an earlier deployed model back: sign it, start it in Prefect, and stay until it serves or has failed.

    Exit code 0 it serves, 2 it was refused, failed or put back, 3 still under way, 1 error.

    Example: gatewright rollback crash_triage --reason "It misses too many of the old."
    """
    from gatewright.core.way_back import way_back
    from gatewright.services.prefect_api import PrefectApi, PrefectSettings
    from gatewright.services.rollback_run import RollbackRun
    from gatewright.wiring import connect

    _require_reason(reason)
    services, prefect = connect(read_only=True), PrefectSettings()
    channel, model = services.settings.channel, known_model(services, model)
    moves = [entry for _, entry in services.channels.history(model, channel)]
    way, serving = way_back(moves, model, channel, to), standing(moves)
    if serving is not None and serving.model_sha256 == way.goal.model_sha256 and moves[-1] is serving:
        return _told(None, [serving], PASS, as_json=as_json)
    signing = _signing(services, key, actor)
    who = signing.person.id if signing else actor or _login(prefect)
    if not as_json:
        _plan(way, serving, who, signed=signing is not None)
    reason = confirm(reason, f"Take it back as {who}?", yes=yes, quiet=as_json)
    try:
        order = _order(services, way, signing, who, reason)
    except ApprovalError as error:
        return refused(error)
    run = RollbackRun(PrefectApi.connect(prefect), services.channels, channel)
    run_id = run.start(order)
    if not as_json:
        Page().line(order.operation, indent=2, label="order", label_width=_LABEL)
    return _followed(run, run_id, order, wait, as_json=as_json)


def _signing(services: "Services", key: Path | None, actor: str | None) -> SigningPerson | None:
    """Whoever signs: by the key that is named, or by one's usual key where the roster names it."""
    if key is not None:
        signing = signing_person(services, key)
        if actor not in (None, signing.person.id):
            raise ApprovalError(
                f"the key is {signing.person.id}'s.", where="--actor", remedy="leave --actor out, or name your own key."
            )
        return signing
    if not DEFAULT_KEY.expanduser().exists():
        return None
    try:
        signing = signing_person(services, DEFAULT_KEY)
    except (ApprovalError, SigningError):
        return None
    return signing if actor in (None, signing.person.id) else None


def _login(prefect: "PrefectSettings") -> str:
    secret = prefect.api_auth_string.get_secret_value() if prefect.api_auth_string else ""
    name, colon, _ = secret.partition(":")
    if not (name and colon):
        raise ApprovalError(
            "it is not known who you are.",
            where="--actor",
            remedy="sign with --key, name your id in the roster, or set PREFECT_API_AUTH_STRING to your name:secret.",
        )
    return name


def _plan(way: "WayBack", serving: ChannelEntry | None, who: str, *, signed: bool) -> None:
    goal = way.goal
    from_release = f"{serving.release_id}, model {short(serving.model_sha256)}" if serving else "nothing"
    surely = "signed with your key" if signed else "not signed: as surely as the gateway knows you, or declared"
    page = Page()
    page.line(f"{way.model}: one model back" if way.one_step else f"{way.model}: back by name")
    rows = (
        ("from", from_release),
        ("to", f"{goal.release_id}, model {short(goal.model_sha256)}"),
        ("as", f"{who}, {surely}"),
    )
    for label, words in rows:
        page.line(words, indent=2, label=label, label_width=_LABEL)


def _order(
    services: "Services", way: "WayBack", signing: SigningPerson | None, who: str, reason: str
) -> "RollbackOrder":
    """Signed, and checked by the rules the run will check it by: so a mistake is told before it is sent."""
    from gatewright.core.governed import ROSTER_NAME
    from gatewright.core.rollback_order import RollbackOrder, claim_of, rollback_statement
    from gatewright.core.rollback_proof import accept_rollback
    from gatewright.core.signatures import ROLLBACK

    _require_reason(reason)
    order = RollbackOrder(
        model=way.model, to_release=way.goal.release_id, actor=who, reason=reason, operation=f"rollback-{uuid.uuid4()}"
    )
    if signing is None:
        return order
    policy, roster = _in_force(services, "policy", way.model), _in_force(services, "roster", ROSTER_NAME)
    said = rollback_statement(
        way, policy, roster, operation=order.operation, principal=who, reason=reason, issued=services.now()
    )
    order = order.model_copy(update={"token": signing.token(said, namespace=ROLLBACK)})
    accept_rollback(claim_of(order), way, policy, roster, services.signatures, at=services.now())
    return order


def _require_reason(reason: str | None) -> None:
    from gatewright.core.approval import MINIMUM_REASON

    if reason is not None and len(reason.strip()) < MINIMUM_REASON:
        raise ApprovalError("the reason is too short to be one.", where="--reason", remedy="say in ten characters why.")


def _in_force(services: "Services", kind: "DocumentKind", name: str) -> "InForce":
    found = services.governance.in_force(kind, name)
    if found is None:
        raise ApprovalError(
            f"no {kind} was ever in force.", where=kind, remedy=f"sign one, or roll back without a key: see {kind}."
        )
    return found


def _followed(run: "RollbackRun", run_id: str, order: "RollbackOrder", wait: float, *, as_json: bool) -> int:
    from gatewright.services.prefect_api import RunState

    moves: list[ChannelEntry] = []
    state: RunState | None = None
    try:
        for event in run.follow(run_id, order, seconds=wait):
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
