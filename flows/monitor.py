"""Monitor: look at production, and respond in stages."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.outcome import run_name
from gatewright.core.responses import Verdict
from tasks.monitor import watch

__all__ = ["monitor"]

ENDS: dict[Verdict, str] = {
    "healthy": "Healthy",
    "inconclusive": "Inconclusive",
    "alert": "Alert",
    "retrain": "Retraining asked",
    "rollback": "Rollback asked",
}


@flow(name="monitor", flow_run_name=run_name, retries=0)
def monitor(model: str, days: Annotated[int, Field(ge=1, le=366)] = 30) -> State[None]:
    """Compare the predictions of the last ``days``, and the labels known by now, with the training reference."""
    report = watch(model, days)
    if report is None:
        return Completed(name="Nothing serves", message=f"no model of {model} is deployed")
    return Completed(name=ENDS[report.decision.verdict], message=report.decision.reasons[0])
