"""Starting a deployment: in one's own name, with its parameters, and nothing else."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ApprovalError, ServerError
from gatewright.core.policy import RollbackTerms
from gatewright.core.rollback_order import RollbackOrder, RollbackStamp, RollbackStatement, claim_of
from gatewright.core.rollback_proof import AcceptedRollback, accept_rollback
from gatewright.core.roster import Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.core.tokens import parse_token, token_of
from gatewright.core.way_back import way_back
from gatewright.services.prefect_api import PrefectApi
from gatewright.services.ssh_signatures import SshSignatures
from tests.core.examples import in_force, policy
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


ROLLBACK = ("model", "actor", "reason", "to_release", "rollback_id", "token")
BACK = {"model": "example", "actor": "kim.larsen", "reason": "It misses too many of the old."}


def started(server: Server, parameters: dict[str, Any], who: str = "dana.reyes") -> RollbackOrder:
    """What the flow of a rollback reads."""
    run = start(server, server.deployment(ROLLBACK), {"parameters": parameters}, who)
    assert run.status_code in (200, 201), run.text
    given = dict(run.json()["parameters"])
    return RollbackOrder(operation=given.pop("rollback_id"), to_release=given.pop("to_release", None), **given)


def accepted(server: Server, order: RollbackOrder, to: str | None = None, **moved: object) -> AcceptedRollback:
    """As the flow verifies it, under a policy that asks for the gateway, with real signatures."""
    roster = parse_yaml(server.people.roster.read_text(), Roster, where="roster")
    moves = [
        ChannelEntry(
            action=action, release_id=name, model_sha256=digit * 64, actor="x", reason="y", operation=name,
            at=datetime(2026, 1, 1, tzinfo=UTC),
        ).model_copy(update=moved)
        for name, digit in (("example-1", "1"), ("example-2", "2"), ("example-3", "3"))
        for action in ("deploy", "confirm")
    ]  # fmt: skip
    way, now = way_back(moves, "example", "production", to), datetime.now(UTC)
    terms = in_force(policy(rollback=RollbackTerms(roles=("release-manager",), assurance="gateway")))
    return accept_rollback(claim_of(order), way, terms, in_force(roster), SshSignatures(), at=now)


def test_a_rollback_carries_a_stamp_of_who_started_it(server: Server) -> None:
    """Whatever was typed as the actor or the token; the order has a name by which it is carried out once."""
    for typed in ({}, {"token": "none"}, {"token": "a.b"}, {"token": ""}):
        order = started(server, {**BACK, **typed})
        found = accepted(server, order)
        assert (found.principal, found.assurance, found.role) == ("dana.reyes", "gateway", "release-manager")
        assert (found.to_release, found.reason, found.operation) == ("example-2", BACK["reason"], order.operation)
    assert order.operation != started(server, BACK).operation


def test_a_stamped_rollback_counts_for_what_was_asked_only(server: Server) -> None:
    """Not with other parameters, to another release, by another name, on another channel's moves, nor once edited."""
    order = started(server, {**BACK, "rollback_id": "back-1"})
    assert accepted(server, order).operation == "back-1"
    body, signature = parse_token(str(order.token))
    edited = token_of(body.replace(b"dana.reyes", b"kim.larsen"), signature)
    others = [
        {"model": "another"}, {"actor": "kim.larsen"}, {"reason": "Another reason than given."},
        {"operation": "back-2"}, {"to_release": "example-1"}, {"token": None}, {"token": "none"},
        {"token": edited, "actor": "kim.larsen"},
    ]  # fmt: skip
    for changes in others:
        with pytest.raises(ApprovalError):
            accepted(server, order.model_copy(update=changes))
    with pytest.raises(ApprovalError, match="for another release"):
        accepted(server, order, to="example-1")
    with pytest.raises(ApprovalError, match="the channel has moved since"):
        accepted(server, order, at=datetime.now(UTC) + timedelta(minutes=5))


def test_whoever_may_not_roll_back_is_stamped_and_refused_by_the_flow(server: Server) -> None:
    """The stamp says who started it, the policy and the roster say whether that is enough."""
    with pytest.raises(ApprovalError, match="holds no role"):
        accepted(server, started(server, BACK, who="kim.larsen"))


def test_a_signed_rollback_is_left_as_it_is_and_a_stamp_of_somebody_else_is_replaced(server: Server) -> None:
    """A person's own statement says more; Dana's stamp, which Prefect shows, is of no use to Kim."""
    said = RollbackStatement(
        kind="rollback", model="example", environment="production", to_release="example-2", to_model_sha256="2" * 64,
        from_generation=6, from_model_sha256="3" * 64, operation="back-1", policy_sha256="a" * 64,
        roster_sha256="b" * 64, issued=datetime.now(UTC), expires=datetime.now(UTC), principal="dana.reyes",
        reason=BACK["reason"],
    )  # fmt: skip
    signed = token_of(said.to_bytes(), b"SSHSIG of somebody")
    assert started(server, {**BACK, "rollback_id": "back-1", "token": signed}).token == signed
    order = started(server, BACK)
    replayed = started(server, {**BACK, "rollback_id": order.operation, "token": order.token}, who="kim.larsen")
    assert parse_token(str(replayed.token)).read(RollbackStamp).principal == replayed.actor == "kim.larsen"


@pytest.mark.parametrize(
    "parameters",
    [
        {"actor": "dana.reyes"},
        {**BACK, "model": "../etc"},
        {**BACK, "to_release": "Example <b>"},
        {**BACK, "rollback_id": "a/b"},
        {**BACK, "reason": "\N{GRINNING FACE}" * 2000},
    ],
)
def test_a_rollback_that_cannot_be_stamped_is_not_started(server: Server, parameters: dict[str, Any]) -> None:
    """No model, no reason, names that are none, and a reason too long for a token."""
    assert start(server, server.deployment(ROLLBACK), {"parameters": parameters}, "dana.reyes").status_code == 400
