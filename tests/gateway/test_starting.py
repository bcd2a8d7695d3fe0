"""Starting a deployment: in one's own name, with its parameters, and nothing else."""

import uuid
from typing import Any

import httpx
import pytest

from gatewright.core.errors import ServerError
from gatewright.services.prefect_api import PrefectApi
from tests.gateway.conftest import Server

# What the two UIs and the client always send.
UI = {"state": {"type": "SCHEDULED", "message": "Run from the Prefect UI", "state_details": {"deferred": False}}}
CLIENT = {
    "name": "quick-fox", "tags": [], "labels": {}, "context": {}, "job_variables": {}, "idempotency_key": "x",
    "empirical_policy": {"retries": None}, "parent_task_run_id": None, "work_queue_name": None, **UI,
}  # fmt: skip


def start(server: Server, deployment: str, body: Any, who: str = "kim.larsen") -> httpx.Response:
    with server.as_person(who) as client:
        return client.post(f"/api/deployments/{deployment}/create_flow_run", json=body)


@pytest.mark.parametrize("extra", [{}, UI, CLIENT])
def test_who_asks_is_the_login_s_name_whatever_was_typed(server: Server, extra: dict[str, Any]) -> None:
    """Otherwise the author of a candidate could have somebody else named as its author, and approve it."""
    typed = {"model": "crash_triage", "requested_by": "dana.reyes", "actor": "dana.reyes"}
    run = start(server, server.deployment(), {"parameters": typed, **extra})
    assert run.status_code in (200, 201), run.text
    expected = {"model": "crash_triage", "requested_by": "kim.larsen", "actor": "kim.larsen"}
    assert (run.json()["parameters"], run.json()["state"]["type"]) == (expected, "SCHEDULED")


def test_a_start_may_be_planned(server: Server) -> None:
    """The UI's `later` is kept."""
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z", "pause_key": "x"}}
    run = start(server, server.deployment(), {"parameters": {}, "state": later}).json()
    assert run["state"]["state_details"]["scheduled_time"] == "2099-01-01T00:00:00Z"
    assert run["state"]["state_details"]["pause_key"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"state": {"type": "COMPLETED"}}, 403),
        ({"state": {"type": "PAUSED", "state_details": {"pause_key": "approval-1"}}}, 403),
        ({"state": "SCHEDULED"}, 403),
        ({"tags": ["x"]}, 403),
        ({"job_variables": {"env": {"GATEWRIGHT_CHANNEL": "production"}}}, 403),
        ({"work_queue_name": "another"}, 403),
        ({"infrastructure_document_id": str(uuid.uuid4())}, 403),
        ({"parent_task_run_id": str(uuid.uuid4())}, 403),
        ({"empirical_policy": {"retries": 3}}, 403),
        ({"labels": {"prefect.flow.id": "x"}}, 403),
        ({"context": {"a": 1}}, 403),
        ({"something_new": {"a": [1]}}, 403),
        ({"parameters": {"unknown": 1}}, 400),
        ({"parameters": [1]}, 400),
        ({"parameters": {"model": {"__prefect_kind": "jinja", "template": "{{ 1 }}"}}}, 400),
        ({"parameters": {"__prefect_kind": "workspace_variable", "variable_name": "x"}}, 400),
        ({"parameters": {"model": 5}, "enforce_parameter_schema": False}, 409),
    ],
)
def test_a_start_that_says_more_is_refused(server: Server, body: dict[str, Any], status: int) -> None:
    """States, infrastructure, environment, templates, unchecked parameters: no run is made."""
    deployment = server.deployment()
    assert start(server, deployment, body).status_code == status
    with server.as_service() as client:
        made = client.post("/api/flow_runs/count", json={"deployments": {"id": {"any_": [deployment]}}})
    assert made.json() == 0


def test_other_ways_to_start_are_refused(server: Server) -> None:
    """In bulk, and past the deployment."""
    deployment = server.deployment()
    with server.as_person() as client:
        assert client.post(f"/api/deployments/{deployment}/create_flow_run/bulk", json=[{}]).status_code == 403
        assert client.post(f"/api/deployments/{deployment}/schedule", json={}).status_code == 403
        assert client.post(f"/api/deployments/{uuid.uuid4()}/create_flow_run", json={}).status_code == 404


def test_the_command_line_starts_and_follows_a_run_as_whoever_is_logged_in(server: Server) -> None:
    """As `gatewright rollback` does: by the deployment's name, and the actor is the login's."""
    deployment = server.deployment()
    with server.as_service() as service:
        name = service.get(f"/api/deployments/{deployment}").json()["name"]
    client = server.as_person("dana.reyes")
    client.base_url = httpx.URL(f"{server.url}/api/")
    prefect = PrefectApi(client)
    run_id = prefect.start(f"release/{name}", {"model": "crash_triage", "actor": "kim.larsen"})
    assert prefect.state(run_id).type == "SCHEDULED"
    with server.as_service() as service:
        parameters = service.get(f"/api/flow_runs/{run_id}").json()["parameters"]
    assert parameters == {"model": "crash_triage", "actor": "dana.reyes", "requested_by": "dana.reyes"}
    with pytest.raises(ServerError, match="there is no deployment"):
        prefect.start("release/nothing", {})
    with pytest.raises(ServerError, match="Prefect refuses the run"):
        prefect.start(f"release/{name}", {"unknown": 1})
