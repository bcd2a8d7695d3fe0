"""Only the approved bytes, only when the target serves them; otherwise everything is as before."""

import pytest

from flows import gates
from gatewright.core.releases import ReleaseState
from gatewright.core.results import StageEvidence
from gatewright.services.store import S3Store
from tests.flows.world import APPROVE, World

pytestmark = pytest.mark.usefixtures("few_calls")


def impatient(spec: dict, folder) -> None:
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text().replace("serving_timeout_seconds: 60", "serving_timeout_seconds: 1"))


def test_a_target_that_does_not_serve_the_candidate_in_time_fails_the_release(world: World):
    """The scoring service follows another model, so it never reports this digest: the channel goes back."""
    model = world.variant("stuck", impatient)
    ended = world.retrain("1998", [APPROVE], model=model)
    moves = [entry.action for _, entry in world.services.channels.history(model, "production")]
    assert ended.state.name == "Failed"
    assert ended.view.state is ReleaseState.FAILED
    assert "serves" in ended.error
    assert moves == ["deploy", "revert"]
    assert world.serving(model) is None


def tampering(world: World, model: str, change) -> str:
    """Run a release whose evidence somebody changes in the store after the approval; returns the error."""

    def changed_first(opening, *rest):
        change(opening.release_id)
        return promote(opening, *rest)

    promote = gates.promote
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gates, "promote", changed_first)
        ended = world.retrain("1998", [APPROVE], model=model)
    assert ended.state.name == "Failed"
    assert world.serving(model) is None
    # At most the generation that it could have taken is closed.
    moves = [entry for _, entry in world.services.channels.history(model, "production")]
    assert [(move.action, move.model_sha256) for move in moves] in ([], [("revert", None)])
    return ended.error


def overwrite(store: S3Store, key: str, body: bytes) -> None:
    """What somebody with write access to the bucket can do behind our back."""
    store.client.put_object(Bucket=store.location.bucket, Key=key, Body=body)


def test_evidence_that_was_edited_after_the_approval_is_not_promoted(world: World):
    """The digest of what is in the store now is not the one that was approved."""
    model = world.variant("edited_evidence", impatient)

    def soften(release_id: str) -> None:
        key = f"releases/{release_id}/fairness.json"
        overwrite(world.services.records, key, world.services.records.get(key).replace(b"0.", b"0.0", 1))

    assert "approved was" in tampering(world, model, soften)


def test_a_model_that_was_swapped_after_the_approval_is_not_promoted(world: World):
    """The bytes under the approved digest have another digest."""
    model = world.variant("swapped_model", impatient)

    def swap(release_id: str) -> None:
        candidate = world.services.view(release_id).candidate.artifact.sha256
        location = world.services.records.location
        blobs = S3Store(location.model_copy(update={"bucket": world.services.settings.blob_bucket}))
        overwrite(blobs, f"blobs/sha256/{candidate[:2]}/{candidate}", b"another model")

    assert "Remedy:" in tampering(world, model, swap)


class PowerCutError(BaseException):
    """Ends a run as a power cut does: no handler of ours sees it."""


def test_a_run_that_died_is_taken_over_by_a_new_one(world: World):
    """The second run reads the evidence of the first, decides, and ends the release; no stage runs twice."""
    model = world.variant("power_cut", impatient)

    def cut(*_):
        raise PowerCutError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gates, "decide", cut)
        with pytest.raises(PowerCutError):
            world.retrain("1998", model=model, release_id="power-cut")
    services = world.services
    before = {name: services.evidence.digest(name, "power-cut") for name in services.evidence.names("power-cut")}
    assert services.view("power-cut").state is ReleaseState.OPEN

    reject = {**APPROVE, "decision": "reject"}
    ended = world.retrain("1998", [reject], model=model, release_id="power-cut")
    assert ended.view.state is ReleaseState.REJECTED
    assert all(services.evidence.digest(name, "power-cut") == digest for name, digest in before.items())
    assert services.evidence.read("evaluate", "power-cut", StageEvidence)


def test_an_ended_release_is_never_continued(world: World):
    """Running the same release id again is refused, and changes nothing."""
    model = world.variant("ended_once", impatient)
    reject = {**APPROVE, "decision": "reject"}
    world.retrain("1998", [reject], model=model, release_id="ended-once")
    again = world.retrain("1998", [APPROVE], model=model, release_id="ended-once")
    assert again.state.name == "Failed"
    assert "has ended as rejected" in again.error
    assert again.view.state is ReleaseState.REJECTED
