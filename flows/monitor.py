"""Monitor: look at production, and respond in stages."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.outcome import run_name
from gatewright.core.results import Status
from tasks.monitor import watch

__all__ = ["monitor"]

ENDS = {"record": "Healthy", "alert": "Alert", "retrain": "Retraining asked", "rollback": "Rollback asked"}


@flow(name="monitor", flow_run_name=run_name, retries=0)
def monitor(model: str, days: Annotated[int, Field(ge=1, le=366)] = 30) -> State[None]:
    """Compare the predictions of the last ``days``, and the labels known by now, with the training reference."""
    report = watch(model, days)
    if report is None:
        return Completed(name="Nothing serves", message=f"no model of {model} is deployed")
    passed = all(finding.result.status is Status.PASSED for finding in report.decision.findings)
    name = "Inconclusive" if report.decision.response == "record" and not passed else ENDS[report.decision.response]
    return Completed(name=name, message=report.decision.reasons[0])
