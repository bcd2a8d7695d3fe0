"""Start runs of deployments, look at them, and answer the approval form, as the Prefect UI does."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError

from gatewright.core.errors import TargetError

__all__ = ["answer", "is_over", "is_waiting", "mark_crashed", "start", "status", "wait_for_pause_or_end"]

POLL_SECONDS = 0.5


def start(deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
    """Start a run of ``flow/deployment``; a worker picks it up."""
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name(deployment)
        return client.create_flow_run_from_deployment(found.id, parameters=dict(parameters))


def status(run_id: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id)


def is_over(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def is_waiting(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_paused()


def wait_for_pause_or_end(run_id: UUID, check: Callable[[], None], *, seconds: float) -> FlowRun:
    """Raises TargetError when the run does neither in time."""
    deadline = time.monotonic() + seconds
    while True:
        check()
        run = status(run_id)
        if is_over(run) or is_waiting(run):
            return run
        if time.monotonic() > deadline:
            raise TargetError(
                f"the run `{run.name}` is still {run.state_name} after {seconds:.0f} s.",
                where="Prefect server",
                remedy="look at the worker's log.",
            )
        time.sleep(POLL_SECONDS)


def answer(run_id: UUID, typed: Mapping[str, str]) -> None:
    """Resume a waiting run with what was typed into its form.

    Raises TargetError when the server refuses the answer.
    """
    with get_client(sync_client=True) as client:
        for _ in range(10):
            try:
                reply = client.resume_flow_run(run_id, run_input=dict(typed))
            except PrefectHTTPStatusError as error:
                # SQLite may still be busy with the suspension.
                if error.response.status_code != 503:
                    raise
                time.sleep(1)
                continue
            if reply.status.value == "ACCEPT":
                return
            raise TargetError(f"the answer was refused: {reply.details}", where=str(run_id), remedy="answer again.")
    raise TargetError("the Prefect server stays busy.", where=str(run_id), remedy="answer again in a minute.")


def mark_crashed(run_id: UUID) -> None:
    """Say that a run has died that the server still believes to be running."""
    from prefect.states import Crashed

    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, Crashed(message="its process was ended"), force=True)
