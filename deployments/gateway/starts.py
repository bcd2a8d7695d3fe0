"""Starting a deployment: with its parameters, in the name of whoever is logged in, and nothing else."""

from typing import Any

from deployments.gateway.bodies import refuse_templates
from deployments.gateway.inside import Inside
from deployments.gateway.refusals import RefusalError
from deployments.gateway.routes import API

__all__ = ["Starts"]

ACTORS = frozenset({"requested_by", "actor"})
# What Prefect's UI and client always send; parameters are checked whatever they say, and runs name themselves.
_DROPPED = frozenset({"parameters", "state", "name", "enforce_parameter_schema", "idempotency_key", "message"})


class Starts:
    """Rewrites the body of ``create_flow_run``."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    async def rewritten(self, deployment_id: str, who: str, body: dict[str, Any]) -> dict[str, Any]:
        """Only parameters that the deployment has, those that say who asks set to ``who``. Raises RefusalError."""
        refuse_templates(body)
        for name in sorted(body.keys() - _DROPPED):
            if _says_something(body[name]):
                raise RefusalError(403, f"People set parameters, not `{name[:40]}`.")
        deployment = await self._inside.read(f"{API}/deployments/{deployment_id}")
        return {
            "parameters": _parameters(deployment, who, body.get("parameters") or {}),
            "enforce_parameter_schema": True,
            "state": {"type": "SCHEDULED", "state_details": _when(body.get("state"))},
        }


def _parameters(deployment: dict[str, Any], who: str, typed: Any) -> dict[str, Any]:
    schema = deployment.get("parameter_openapi_schema") or {}
    known = (schema.get("properties") or {}).keys()
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
