"""``gatewright waive`` and ``waivers``: answer, by name and for a time, for a rule that did not pass."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.output import Json, print_json, print_table
from gatewright.cli.signing import DEFAULT_KEY, Key, signing_person
from gatewright.core.waivers import EVERY_SLICE, WAIVER_KIND, Waiver, WaiverStatement
from gatewright.services.reports.wording import when

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["waive", "waivers"]


def waive(
    model: str,
    /,
    *,
    rule: Annotated[str, Parameter(help="Id of the rule, as in the policy.")],
    reason: Annotated[str, Parameter(help="Why, in at least ten characters.")],
    days: Annotated[float, Parameter(help="For how many days from now on.")],
    slice_name: Annotated[str, Parameter(name="--slice", help="One slice; * for every slice.")] = EVERY_SLICE,
    key: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> int:
    """Sign a waiver: releases of the model that fail the rule may go on, but then people must approve them.

    Example: gatewright waive crash_triage --rule latency --days 30 --reason "The new hosts arrive in May."

    Parameters
    ----------
    model
        Name of the model.
    """
    from gatewright.core.signatures import WAIVER
    from gatewright.core.waivers import accept_waiver
    from gatewright.wiring import connect

    services = connect()
    signing = signing_person(services, Path(key))
    now = services.now()
    spec = services.spec(model)
    statement = WaiverStatement(
        kind=WAIVER_KIND,
        model=spec.name,
        rule=rule,
        slice=slice_name,
        principal=signing.person.id,
        reason=reason.strip(),
        issued=now,
        expires=_after(now, days),
    )
    token = signing.token(statement, namespace=WAIVER)
    waiver = accept_waiver(token, services.policy(spec), [services.roster()], services.signatures, at=services.now())
    services.waivers.add(waiver)
    if as_json:
        print_json(_row(waiver, now))
    else:
        print_table([_readable(_row(waiver, now))], empty="")
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


def _after(now: datetime, days: float) -> datetime:
    from gatewright.core.errors import ApprovalError

    try:
        return now + timedelta(days=days)
    except (OverflowError, ValueError):
        raise ApprovalError(
            "that is no number of days.", where="--days", remedy="write a number, such as 30."
        ) from None


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
