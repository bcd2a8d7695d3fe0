"""The run stops for people, and nothing but a clear answer lets it go on."""

import pytest
import yaml

from gatewright.core.releases import ReleaseState
from tasks.approve import ApprovalForm
from tests.flows.world import APPROVE, BREAK_GLASS, FORCED, SIGNED, World

pytestmark = pytest.mark.usefixtures("few_calls")

# Nothing at all, no such decision, a reason that is too short, no approver.
NOT_FILLED_IN = [{}, {**APPROVE, "decision": "perhaps"}, {**APPROVE, "reason": "short"}, {**APPROVE, "approver": ""}]


@pytest.fixture(scope="module")
def model(world: World) -> str:
    """A model of its own, so that these releases do not disturb the example's history."""
    return world.variant("approvals")


def kinds(world: World, ended) -> list[str]:
    return [e.kind for e in ended.view.events]


def test_an_invalid_answer_is_asked_again_and_recorded(world: World, model: str):
    """A name outside the roster never approves; the next form says why, and a rejection ends the release."""
    stranger = {**APPROVE, "approver": "nobody.known"}
    reject = {**APPROVE, "decision": "reject", "reason": "The fairness gap needs a closer look."}
    ended = world.retrain("1998", [stranger, reject], model=model)
    assert ended.state.name == "Rejected"
    assert ended.view.state is ReleaseState.REJECTED
    assert kinds(world, ended) == ["opened", "decided", "waiting", "answer_refused", "rejected"]
    assert "The last answer was refused" in world.forms[-1]["description"]
    assert world.serving(model) is None


def test_the_server_refuses_a_form_that_is_not_filled_in(world: World, model: str):
    """No field has a default, so the run stays paused until somebody answers properly."""
    reject = {**APPROVE, "decision": "reject"}
    before = len(world.forms)
    ended = world.retrain("1998", [*NOT_FILLED_IN, reject], model=model)
    assert sum("refused" in form for form in world.forms[before:]) == len(NOT_FILLED_IN)
    assert kinds(world, ended) == ["opened", "decided", "waiting", "rejected"]


def test_running_past_the_window_ends_the_release_as_expired(world: World):
    """Nobody answers within the window: expired, and nothing serves."""

    def hurry(spec: dict, folder) -> None:
        policy = folder / "policy.yaml"
        policy.write_text(policy.read_text().replace("window_hours: 72", "window_hours: 0.001"))

    model = world.variant("hurried", hurry)
    ended = world.retrain("1998", model=model)
    assert ended.state.name == "Expired"
    assert ended.view.state is ReleaseState.EXPIRED
    assert world.serving(model) is None


def test_the_author_cannot_approve_their_own_candidate(world: World, model: str):
    """Four eyes: who asked for the training is refused as approver."""
    own = {**APPROVE, "approver": "dana.reyes"}
    reject = {**APPROVE, "decision": "reject", "approver": "sam.okafor"}
    ended = world.retrain("1998", [own, reject], model=model, requested_by="dana.reyes")
    refused = next(e for e in ended.view.events if e.kind == "answer_refused")
    assert "author" in refused.note
    assert ended.view.state is ReleaseState.REJECTED


def test_a_forced_resume_without_an_answer_is_asked_again(world: World, model: str):
    """Whoever forces the run's state plants no approval: it is recorded as refused and asked again."""
    ended = world.retrain("1998", [FORCED, {**APPROVE, "decision": "reject"}], model=model)
    assert "answer_refused" in kinds(world, ended)
    assert ended.view.state is ReleaseState.REJECTED


def test_a_second_release_of_a_model_must_wait_for_the_first(world: World, model: str):
    """While one waits for people, another is refused with the reason and what to do."""
    first, second = world.while_waiting(model)
    assert second.state.name == "Failed"
    assert "has not ended" in second.error
    assert first.view.state is ReleaseState.REJECTED


def test_no_field_of_the_form_has_a_default():
    """An empty resume is refused because every field is required."""
    schema = ApprovalForm.with_initial_data(description="x").model_json_schema()
    assert set(schema["required"]) == {"decision", "approver", "reason", "token"}


def two_signatures(spec: dict, folder) -> None:
    """Two people must sign, and the target that never serves is waited for one second only."""
    policy = yaml.safe_load((folder / "policy.yaml").read_text())
    policy["tiers"][0] |= {"risk": "high", "assurance": "signed", "approvals": 2}
    policy["serving_timeout_seconds"] = 1
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy))


def test_two_people_sign_and_typed_names_and_second_signatures_do_not_count(world: World):
    """The run asks until two distinct people have signed, and then moves the channel."""
    model = world.variant("two_signatures", two_signatures)
    answers = [APPROVE, SIGNED, SIGNED, {**SIGNED, "approver": "sam.okafor"}]
    ended = world.retrain("1998", answers, model=model)
    refused = [e.note for e in ended.view.events if e.kind == "answer_refused"]
    assert ["is not enough" in refused[0], "answered already" in refused[1], len(refused)] == [True, True, 2]
    approved = [(e.actor, e.assurance) for e in ended.view.events if e.kind == "approved"]
    assert approved == [("dana.reyes", "signed"), ("sam.okafor", "signed")]
    moves = [move for _, move in world.services.channels.history(model, "production")]
    assert (moves[0].action, moves[0].actor) == ("deploy", "dana.reyes, sam.okafor")
    assert all(move.seal for move in moves)


def test_one_person_breaks_the_glass_where_two_must_sign(world: World):
    """It goes on without the quorum, in that person's name, and the ledger says so before anything moves."""
    model = world.variant("broken_glass", two_signatures)
    ended = world.retrain("1998", [BREAK_GLASS], model=model)
    assert kinds(world, ended) == ["opened", "decided", "waiting", "break_glass", "failed"]
    event = next(e for e in ended.view.events if e.kind == "break_glass")
    assert (event.actor, event.assurance) == ("dana.reyes", "signed")
    moves = [move for _, move in world.services.channels.history(model, "production")]
    assert [(move.action, move.actor) for move in moves] == [("deploy", "dana.reyes"), ("revert", "dana.reyes")]
