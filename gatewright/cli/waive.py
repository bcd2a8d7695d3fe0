"""``gatewright waive`` and ``waivers``: answer, by name and for a time, for a rule that did not pass."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from pydantic import ValidationError

from gatewright.cli.answering import Reason, Yes, confirm
from gatewright.cli.find import ModelName
from gatewright.cli.output import Json, print_json, print_table
from gatewright.cli.signing import DEFAULT_KEY, Key, SigningPerson, signing_person
from gatewright.cli.waiver_page import print_waiver
from gatewright.core.errors import ApprovalError
from gatewright.core.policy import Policy
from gatewright.core.release_view import ReleaseView
from gatewright.core.signatures import WAIVER
from gatewright.core.waivers import EVERY_SLICE, WAIVER_KIND, Waiver, WaiverStatement, accept_waiver, waivable
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import when

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["waive", "waivers"]


def waive(
    model: ModelName,
    /,
    *,
    rule: Annotated[str, Parameter(help="Id of the rule, as in the policy.")],
    days: Annotated[float, Parameter(help="For how many days from now on.")],
    slice_name: Annotated[str, Parameter(name="--slice", help="One slice; * for every slice.")] = EVERY_SLICE,
    key: Key = DEFAULT_KEY,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Sign a waiver: releases of the model that fail the rule may go on, but then people must approve them.

    Shows the rule, what it found in the last release, until when and who may, and asks.

    Example: gatewright waive crash_triage --rule latency --days 30 --reason "The new hosts arrive in May."
    """
    from gatewright.wiring import connect

    services = connect()
    policy = services.policy(services.spec(model))
    signing = signing_person(services, key)
    draft = _draft(services, model, rule, slice_name, days, signing.person.id)
    terms = waivable(draft, policy, at=draft.issued)
    if not as_json:
        asked = next(one for one in policy.rules if one.id == rule)
        print_waiver(draft, asked, terms, services.roster(), _decided_last(services, draft.model))
    where = model if slice_name == EVERY_SLICE else f"{model} on {plain(slice_name)}"
    sentence = f"Sign as {draft.principal}: waive {rule} of {where} until {when(draft.expires)}?"
    reason = confirm(reason, sentence, yes=yes, quiet=as_json)
    waiver = _signed(services, policy, signing, draft, reason)
    services.waivers.add(waiver)
    if as_json:
        print_json(_row(waiver, draft.issued))
    else:
        print(f"\nRecorded: {plain(waiver.in_full)}")
    return 0


def waivers(model: str | None = None, /, *, as_json: Json = False) -> int:
    """List all waivers that were ever signed, the expired ones too: which rule, by whom, why, until when.

    Example: gatewright waivers crash_triage

    Parameters
    ----------
    model
        Only those of this model.
    """
    from gatewright.wiring import connect

    services = connect()
    models = services.waivers.models() if model is None else [services.spec(model).name]
    found = [waiver for name in models for waiver in services.waivers.of(name)]
    rows = [_row(waiver, services.now()) | {"holds": _holds(services, waiver)} for waiver in found]
    if as_json:
        print_json(rows)
    else:
        print_table([_readable(row) for row in rows], empty="Nothing was ever waived.")
    return 0


def _draft(services: "Services", model: str, rule: str, slice_name: str, days: float, who: str) -> WaiverStatement:
    """What will be signed, but for its reason. Raises SpecError for an unknown model, ApprovalError for nonsense."""
    now = services.now()
    given = {"model": services.spec(model).name, "rule": rule, "slice": slice_name, "principal": who, "reason": ""}
    try:
        return WaiverStatement(kind=WAIVER_KIND, issued=now, expires=now + timedelta(days=days), **given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        option = f"--{first['loc'][0]}"
        raise ApprovalError(f"{first['msg']}.", where=option, remedy="write it as the policy does.") from None
    except (OverflowError, ValueError):
        raise ApprovalError(
            "that is no number of days.", where="--days", remedy="write a number, such as 30."
        ) from None


def _decided_last(services: "Services", model: str) -> ReleaseView | None:
    decided = [entry.release_id for entry in services.ledger.entries(model) if entry.kind == "decided"]
    return services.view(decided[-1]) if decided else None


def _signed(
    services: "Services", policy: Policy, signing: SigningPerson, draft: WaiverStatement, reason: str
) -> Waiver:
    """Checked by the rules the gates will check it by."""
    said = draft.model_copy(update={"reason": reason.strip()})
    token = signing.token(said, namespace=WAIVER)
    return accept_waiver(token, policy, [services.roster()], services.signatures, at=services.now())


def _row(waiver: Waiver, now: datetime) -> dict[str, Any]:
    return waiver.statement.model_dump(mode="json", exclude={"kind"}) | {
        "role": waiver.role,
        "assurance": waiver.assurance,
        "expired": now > waiver.statement.expires,
    }


def _holds(services: "Services", waiver: Waiver) -> bool:
    """By the policy and the roster in force; whose candidate it may not be used for is not known here."""
    from gatewright.core.errors import SpecError
    from gatewright.core.waivers import valid_waivers

    try:
        policy = services.policy(services.spec(waiver.statement.model))
    except SpecError:  # the model is gone
        return False
    return bool(valid_waivers([waiver], policy, [services.roster()], services.signatures, author="", at=services.now()))


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    state = "expired" if row["expired"] else "holds" if row.get("holds", True) else "void"
    until = when(datetime.fromisoformat(row["expires"]))
    return {
        "model": row["model"],
        "rule": row["rule"],
        "slice": row["slice"],
        "by": f"{row['principal']} ({row['assurance']})",
        "until": until,
        "state": state,
        "reason": row["reason"],
    }
