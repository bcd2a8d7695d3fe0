"""Events for automations: what people should be told of a model."""

from typing import Any

from prefect.events import emit_event

__all__ = ["tell"]


def tell(event: str, model: str, payload: dict[str, Any]) -> None:
    """Raise ``gatewright.<event>`` about ``model``. Events can be lost: the ledger is what counts."""
    resource = {"prefect.resource.id": f"gatewright.model.{model}", "prefect.resource.name": model}
    emit_event(event=f"gatewright.{event}", resource=resource, payload=payload)
