"""Start runs of deployments, look at them, and answer the approval form, as the Prefect UI does."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed

from gatewright.core.errors import TargetError

__all__ = [
    "answer",
    "end_dead_runs",
    "form_text",
    "is_over",
    "is_waiting",
    "start",
    "status",
    "unfinished",
    "wait_for_pause_or_end",
]

POLL_SECONDS = 0.5


def start(deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
    """Start a run of ``flow/deployment``; a worker picks it up."""
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name(deployment)
        return client.create_flow_run_from_deployment(found.id, parameters=dict(parameters))


def unfinished(release_id: str) -> FlowRun | None:
    """A run that was started for this release and has not ended, whether or not it has opened it yet."""
    with get_client(sync_client=True) as client:
        going = client.read_flow_runs(flow_run_filter=_in_state("SCHEDULED", "PENDING", "RUNNING", "PAUSED"))
    return next((run for run in going if run.parameters.get("release_id") == release_id), None)


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
                remedy="look at the worker's log; a second start goes on from here.",
            )
        time.sleep(POLL_SECONDS)


def form_text(client: SyncPrefectClient, run: FlowRun) -> str | None:
    """The description of a waiting run's form; None for the moment between its pause and its form."""
    keyset = run.state.state_details.run_input_keyset if run.state else None
    if not keyset:
        return None
    try:
        # The description is written last, so the form's schema is there too.
        return str(client.read_flow_run_input(run.id, keyset["description"]))
    except PrefectHTTPStatusError as error:
        if error.response.status_code != 404:
            raise
        return None


def answer(run_id: UUID, typed: Mapping[str, str]) -> None:
    """Resume a waiting run with what was typed into its form.

    Raises TargetError when the server refuses the answer.
    """
    with get_client(sync_client=True) as client:
        for _ in range(60):
            if form_text(client, client.read_flow_run(run_id)) is None:
                time.sleep(POLL_SECONDS)
                continue
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
    raise TargetError("the run does not ask, or the server stays busy.", where=str(run_id), remedy="look at the run.")


def end_dead_runs() -> int:
    """Say of runs that were at work when everything was ended that they are dead; how many there were.

    To be called while no worker runs. What a schedule has missed meanwhile is dropped, not made up for.
    """
    with get_client(sync_client=True) as client:
        dead = client.read_flow_runs(flow_run_filter=_in_state("RUNNING", "PENDING", "CANCELLING"))
        for run in dead:
            client.set_flow_run_state(run.id, Crashed(message="its process was ended with everything else"))
        for run in client.read_flow_runs(flow_run_filter=_in_state("SCHEDULED")):
            if run.auto_scheduled and run.expected_start_time and run.expected_start_time < datetime.now(UTC):
                client.delete_flow_run(run.id)
    return len(dead)


def _in_state(*kinds: str) -> FlowRunFilter:
    return FlowRunFilter.model_validate({"state": {"type": {"any_": list(kinds)}}})
