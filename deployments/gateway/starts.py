"""Starting a deployment: with its parameters, in the name of whoever is logged in, and nothing else.

A rollback carries a stamp of that name, which its flow verifies.
"""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from deployments.gateway.bodies import refuse_templates
from deployments.gateway.inside import Inside
from deployments.gateway.refusals import RefusalError
from deployments.gateway.routes import API
from gatewright.core.rollback_order import ROLLBACK_KIND, STAMP_KIND, RollbackStamp
from gatewright.core.signatures import ROLLBACK_STAMP, Signer
from gatewright.core.tokens import MAX_TOKEN, kind_of, token_of

__all__ = ["Starts"]

ACTORS = frozenset({"requested_by", "actor"})
# A deployment that has all of these puts an earlier model back, whatever it is called.
ROLLBACK = frozenset({"model", "actor", "reason", "to_release", "rollback_id", "token"})
# What Prefect's UI and client always send; parameters are checked whatever they say, and runs name themselves.
_DROPPED = frozenset({"parameters", "state", "name", "enforce_parameter_schema", "idempotency_key", "message"})


class Starts:
    """Rewrites the body of ``create_flow_run``."""

    def __init__(self, inside: Inside, signer: Signer, now: Callable[[], datetime], channel: str) -> None:
        self._inside = inside
        self._signer = signer
        self._now = now
        self._channel = channel

    async def rewritten(self, deployment_id: str, who: str, body: dict[str, Any]) -> dict[str, Any]:
        """Only parameters that the deployment has, those that say who asks set to ``who``. Raises RefusalError.

        The token of a rollback becomes a stamp, unless a person has signed one.
        """
        refuse_templates(body)
        for name in sorted(body.keys() - _DROPPED):
            if _says_something(body[name]):
                raise RefusalError(403, f"People set parameters, not `{name[:40]}`.")
        deployment = await self._inside.read(f"{API}/deployments/{deployment_id}")
        known = _known(deployment)
        parameters = _parameters(known, who, body.get("parameters") or {})
        if known >= ROLLBACK and not _is_signed(parameters.get("token")):
            parameters |= await asyncio.to_thread(self._stamped, parameters, who)
        return {
            "parameters": parameters,
            "enforce_parameter_schema": True,
            "state": {"type": "SCHEDULED", "state_details": _when(body.get("state"))},
        }

    def _stamped(self, asked: dict[str, Any], who: str) -> dict[str, Any]:
        """The stamp, and the name of the order that it is for."""
        operation = asked.get("rollback_id") or f"rollback-{uuid.uuid4()}"
        try:
            stamp = RollbackStamp(
                kind=STAMP_KIND,
                model=asked.get("model"),
                environment=self._channel,
                to_release=asked.get("to_release"),
                operation=operation,
                principal=who,
                reason=asked.get("reason"),
                at=self._now(),
            ).to_bytes()
        except ValidationError:
            raise RefusalError(400, "A rollback names the model and why; a release by its id.") from None
        token = token_of(stamp, self._signer.sign(stamp, namespace=ROLLBACK_STAMP))
        if len(token) > MAX_TOKEN:
            raise RefusalError(400, "The reason is too long: say it in fewer words.")
        return {"rollback_id": operation, "token": token}


def _is_signed(token: Any) -> bool:
    """Whether it is a person's own statement, which says more than a stamp. It is verified in the flow."""
    return isinstance(token, str) and kind_of(token) == ROLLBACK_KIND


def _known(deployment: dict[str, Any]) -> frozenset[str]:
    schema = deployment.get("parameter_openapi_schema") or {}
    return frozenset(schema.get("properties") or {})


def _parameters(known: frozenset[str], who: str, typed: Any) -> dict[str, Any]:
    if not isinstance(typed, dict) or not typed.keys() <= known:
        raise RefusalError(400, f"This deployment has the parameters {', '.join(sorted(known)) or 'none'}.")
    return {**typed, **dict.fromkeys(ACTORS & known, who)}


def _when(state: Any) -> dict[str, Any]:
    """When to start, from the state that was sent; any other state would be a run that never ran."""
    if state is None:
        return {}
    if not isinstance(state, dict) or state.get("type") != "SCHEDULED":
        raise RefusalError(403, "People start runs as SCHEDULED, in no other state.")
    details = state.get("state_details") or {}
    at = details.get("scheduled_time") if isinstance(details, dict) else None
    return {"scheduled_time": at} if isinstance(at, str) else {}


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_says_something(part) for part in value.values())
    return value not in (None, "", False) and value != []
