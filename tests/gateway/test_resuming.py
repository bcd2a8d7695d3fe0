"""Who resumed a run: the stamp proves the name, and nothing that is typed or planted does."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from gatewright.core.approval import accept
from gatewright.core.break_glass import break_glass_statement
from gatewright.core.errors import ApprovalError
from gatewright.core.policy import BreakGlass
from gatewright.core.roster import Roster
from gatewright.core.statements import Answer, Approval, GatewayStamp, Pause, Request, statement_for
from gatewright.core.strict_yaml import parse_yaml
from gatewright.core.tokens import parse_token, token_of
from gatewright.services.pauses import PauseNote
from gatewright.services.ssh_signatures import SshSignatures
from tests.core import examples
from tests.gateway.conftest import NOTE, Server

REASON = "The evidence is convincing."
TYPED = {"decision": "approve", "approver": "kim.larsen", "reason": REASON, "token": "none"}


def resume(server: Server, run: str, typed: Any, who: str = "dana.reyes") -> httpx.Response:
    with server.as_person(who) as client:
        return client.post(f"/api/flow_runs/{run}/resume", json=typed)


def answered(server: Server, typed: dict[str, str], who: str = "dana.reyes") -> tuple[Answer, str]:
    """What the flow reads after a run was resumed, and the run."""
    run = server.waiting_run()
    reply = resume(server, run, {"run_input": typed}, who)
    assert reply.json()["status"] == "ACCEPT", reply.text
    return Answer(**server.stored_answer(run)), run


def question(**changes: object) -> Request:
    now = datetime.now(UTC)
    given = {"evidence_root": NOTE.evidence_root, "nonce": NOTE.nonce, "asked_at": now - timedelta(minutes=5)}
    given["expires_at"] = now + timedelta(hours=1)
    tier = examples.policy().tiers[0].model_copy(update={"assurance": "gateway"})
    return examples.request().model_copy(update={**given, "tier": tier, **changes})


def judged(server: Server, answer: Answer, request: Request, run: str, key: str = "approval-1") -> Approval:
    roster = parse_yaml(server.people.roster.read_text(), Roster, where="roster")
    pause, at = Pause(run_id=run, key=key), datetime.now(UTC)
    return accept(answer, request, [roster], SshSignatures(), pause=pause, at=at)


def test_the_name_is_the_login_s_whatever_was_typed(server: Server) -> None:
    """Dana types that she is Kim; the stamp says Dana, and the flow believes the stamp."""
    answer, run = answered(server, TYPED)
    assert (answer.decision, answer.approver, answer.reason) == ("approve", "dana.reyes", REASON)
    approval = judged(server, answer, question(), run)
    assert (approval.principal, approval.assurance, approval.role) == ("dana.reyes", "gateway", "release-manager")
    stamp = parse_token(answer.token).read(GatewayStamp)
    assert (stamp.run_id, stamp.pause_key, stamp.decision) == (run, "approval-1", "approve")
    assert (stamp.evidence_root, stamp.nonce) == (NOTE.evidence_root, NOTE.nonce)
    assert abs(stamp.at - datetime.now(UTC)) < timedelta(minutes=2)


def test_a_stamp_counts_for_its_own_question_only(server: Server) -> None:
    """Not for another run, pause, nonce, evidence, decision or reason, nor after its body was edited."""
    answer, run = answered(server, TYPED)
    replays = [
        lambda: judged(server, answer, question(), str(uuid.uuid4())),
        lambda: judged(server, answer, question(), run, "approval-2"),
        lambda: judged(server, answer, question(nonce="00" * 32), run),
        lambda: judged(server, answer, question(evidence_root="00" * 32), run),
        lambda: judged(server, answer.model_copy(update={"decision": "reject"}), question(), run),
        lambda: judged(server, answer.model_copy(update={"token": "none"}), question(), run),
        lambda: judged(server, answer, question(asked_at=datetime.now(UTC) + timedelta(minutes=10)), run),
        lambda: judged(server, edited(answer), question(), run),
    ]
    for replay in replays:
        with pytest.raises(ApprovalError):
            replay()


def edited(answer: Answer) -> Answer:
    body, signature = parse_token(answer.token)
    return answer.model_copy(update={"token": token_of(body.replace(b"dana.reyes", b"kim.larsen"), signature)})


def test_a_key_that_the_roster_does_not_name_stamps_nobody(server: Server) -> None:
    """Also not from before the day on which the gateway's key was added."""
    answer, run = answered(server, TYPED)
    roster = parse_yaml(server.people.roster.read_text(), Roster, where="roster")
    late = [machine.model_dump() for machine in roster.machines]
    for machine in late:
        machine["keys"] = [{**key, "added": date(2099, 1, 1)} for key in machine["keys"]]
    for machines in ([], late):
        other = Roster.model_validate({**roster.model_dump(), "machines": machines})
        with pytest.raises(ApprovalError, match="not signed by an identity gateway"):
            accept(
                answer,
                question(),
                [other],
                SshSignatures(),
                pause=Pause(run_id=run, key="approval-1"),
                at=datetime.now(UTC),
            )


def test_a_pasted_signature_is_left_as_it_is(server: Server) -> None:
    """It says more than a stamp; whether it holds is the flow's to say. An emergency must not become an approval."""
    who, at = {"principal": "dana.reyes", "reason": REASON}, datetime.now(UTC)
    glass = examples.policy(break_glass=BreakGlass(roles=("release-manager",), hours=4))
    for statement in (
        statement_for(question(), meaning="approve", issued=at, **who),
        break_glass_statement(question(), glass, issued=at, **who),
    ):
        signed = token_of(statement.to_bytes(), b"SSHSIG of somebody")
        answer, _ = answered(server, {**TYPED, "token": f"  {signed}\n"})
        assert (answer.token, answer.approver) == (signed, "dana.reyes")


@pytest.mark.parametrize("token", ["", "NONE", "a.b", "e30=.e30=", "." * 50, "not a token"])
def test_any_other_token_is_replaced_by_the_stamp(server: Server, token: str) -> None:
    """An old stamp, and junk, go nowhere."""
    answer, run = answered(server, {**TYPED, "token": token})
    assert judged(server, answer, question(), run).assurance == "gateway"


def test_a_stamp_of_somebody_else_is_replaced(server: Server) -> None:
    """Kim reads Dana's stamp, which Prefect shows, and pastes it: the new one says Kim."""
    dana, _ = answered(server, TYPED)
    answer, _ = answered(server, {**TYPED, "token": dana.token}, who="kim.larsen")
    assert parse_token(answer.token).read(GatewayStamp).principal == answer.approver == "kim.larsen"


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"run_input": {}},
        {"run_input": None},
        {"run_input": {**TYPED, "reason": ""}},
        {"run_input": {**TYPED, "decision": "maybe"}},
    ],
)
def test_an_answer_that_is_not_filled_in_leaves_the_run_waiting(server: Server, typed: dict[str, Any]) -> None:
    """Refused in the words that Prefect's form shows."""
    run = server.waiting_run()
    reply = resume(server, run, typed)
    assert (reply.status_code, reply.json()["status"]) == (200, "REJECT")
    assert server.state_of(run) == "Paused"


def test_a_reason_that_makes_the_token_too_long_is_refused(server: Server) -> None:
    """The form takes 8000 characters of token."""
    run = server.waiting_run()
    assert "too long" in resume(server, run, {"run_input": {**TYPED, "reason": "\u20ac" * 2000}}).text
    assert server.state_of(run) == "Paused"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps({"run_input": {**TYPED, "more": "x"}}), 400),
        (json.dumps({"run_input": TYPED, "state": {"type": "COMPLETED"}}), 400),
        (json.dumps({"run_input": {**TYPED, "approver": {"id": "sam.okafor"}}}), 400),
        (json.dumps({"run_input": {**TYPED, "reason": 5}}), 400),
        (json.dumps({"run_input": {"__prefect_kind": "jinja", "template": "{{ 1 }}"}}), 400),
        (json.dumps({"run_input": {**TYPED, "reason": {"__prefect_kind": "jinja", "template": "{{ 1 }}"}}}), 400),
        (json.dumps({"run_input": {**TYPED, "reason": [[{"a": {"__prefect_kind": "json", "value": '"x"'}}]]}}), 400),
        (json.dumps({"run_input": TYPED})[:-1] + ', "run_input": {}}', 400),
        ('{"run_input": {"decision": "reject", "decision": "approve", "reason": "long enough", "token": "none"}}', 400),
        ('{"run_input": {"decision": "approve", "reason": "\\ud800 lone surrogate", "token": "none"}}', 400),
        ('{"run_input": NaN}', 400),
        ("[" * 50_000, 400),
        ('{"a":' * 500 + "1" + "}" * 500, 400),
        ("[]", 400),
        ("1" * 5000, 400),
        (b"\xff\xfe{}".decode("latin-1"), 400),
        (json.dumps({"run_input": {**TYPED, "reason": "x" * 100_001}}), 413),
    ],
)
def test_a_body_that_is_more_than_an_answer_is_refused(server: Server, body: str, status: int) -> None:
    """Extra fields, templates that the server would render, duplicate keys, nesting, other JSON, too much of it."""
    run = server.waiting_run()
    with server.as_person() as client:
        headers = {"Content-Type": "application/json"}
        assert client.post(f"/api/flow_runs/{run}/resume", content=body, headers=headers).status_code == status
    assert server.state_of(run) == "Paused"


def test_an_answer_cannot_be_planted_nor_a_state_forced(server: Server) -> None:
    """What anybody can do to a Prefect server: the input under its known key, a state by force, a run of one's own."""
    run = server.waiting_run()
    planted = {"key": "paused-approval-1-response", "value": json.dumps({**TYPED, "approver": "sam.okafor"})}
    forced: dict[str, Any] = {"state": {"type": "RUNNING"}, "force": True}
    with server.as_person() as client:
        for path, body in (("input", planted), ("set_state", forced), ("resume/", {"run_input": TYPED})):
            assert client.post(f"/api/flow_runs/{run}/{path}", json=body).status_code == 403
        bulk = {"flow_runs": {"id": {"any_": [run]}}, **forced}
        assert client.post("/api/flow_runs/bulk_set_state", json=bulk).status_code == 403
        assert client.post("/api/flow_runs/", json={"flow_id": server.flow(), **forced}).status_code == 403
        assert client.get(f"/api/flow_runs/{run}/input/paused-approval-1-response").status_code == 404
    assert server.state_of(run) == "Paused"


def test_a_pause_that_nobody_wrote_down_is_not_stamped(server: Server) -> None:
    """Another flow's question, or one whose key would leave its directory: the run keeps waiting."""
    for key in ("approval-9", "..", "../../releases/example-1", "Approval-1"):
        run = server.waiting_run(note=None, pause_key=key)
        reply = resume(server, run, {"run_input": TYPED})
        assert (reply.status_code, server.state_of(run)) == (409, "Paused")


def test_a_run_that_does_not_wait_is_not_stamped(server: Server) -> None:
    """Answered already, unknown, or spelled in capitals: the same run."""
    _, run = answered(server, TYPED)
    assert resume(server, run, {"run_input": TYPED}).status_code == 409
    assert resume(server, run.upper(), {"run_input": TYPED}).status_code == 409
    assert resume(server, str(uuid.uuid4()), {"run_input": TYPED}).status_code == 404


def test_somebody_who_left_reads_but_does_not_write(server: Server) -> None:
    """The roster says who may; the login only says who it is."""
    run, deployment = server.waiting_run(), server.deployment()
    with server.as_person("lou.gone") as client:
        assert client.get(f"/api/flow_runs/{run}").status_code == 200
        for path in (f"flow_runs/{run}/resume", f"deployments/{deployment}/create_flow_run"):
            reply = client.post(f"/api/{path}", json={})
            assert (reply.status_code, reply.json()["detail"]) == (403, "lou.gone is not in the roster today.")
    assert server.state_of(run) == "Paused"


def test_a_note_of_another_release_makes_another_stamp(server: Server) -> None:
    """The stamp repeats what the store says is asked, not what the caller says."""
    run = server.waiting_run("approval-2", NOTE.model_copy(update={"nonce": "12" * 32}))
    assert resume(server, run, {"run_input": TYPED}).json()["status"] == "ACCEPT"
    answer = Answer(**server.stored_answer(run, "approval-2"))
    with pytest.raises(ApprovalError):
        judged(server, answer, question(), run, "approval-2")
    assert judged(server, answer, question(nonce="12" * 32), run, "approval-2").principal == "dana.reyes"


def test_the_note_type_is_what_the_gate_writes() -> None:
    """Four digests and names; a gateway that read more would trust more."""
    assert PauseNote.model_fields.keys() == {"release_id", "request_sha256", "evidence_root", "nonce"}
