"""What serves follows the channel; what cannot be loaded leaves what served before."""

from typing import Any

import pytest

from gatewright.core.errors import StoreError
from gatewright.core.releases import Opening
from gatewright.services.targets.serving_model import ModelSource, ServingModel
from tests.services.targets.world import NOW, World, tiny_model, tiny_spec


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def follower(world: World, clock: Clock | None = None) -> ServingModel:
    return ServingModel(ModelSource(**world.parts()), now=lambda: NOW, clock=clock or Clock())


def pin(world: World, release_id: str, spec: Any) -> None:
    """Open a release under ``spec``."""
    ref = world.blobs.put(spec.to_bytes(), "application/json")
    opening = Opening(
        release_id=release_id,
        model="tiny",
        period="2001",
        features=spec.features,
        spec=ref,
        policy=ref,
        roster=ref,
        champion=None,
        channel_generation=0,
        code_revision="abc",
        environment_sha256="0" * 64,
        requested_by="somebody",
        flow_run="run",
        opened_at=NOW,
        expires_at=NOW,
    )
    world.evidence.write("opening", release_id, opening)


def test_before_the_first_deployment_nothing_serves(world: World) -> None:
    """And the reason is given."""
    serving = follower(world)
    serving.refresh()
    assert serving.current is None
    assert "no deployment" in str(serving.error)


def test_the_head_of_the_channel_serves(world: World) -> None:
    """With its release, its generation and the spec's terms."""
    digest = world.deploy("r1", tiny_model(1))
    serving = follower(world)
    serving.refresh()
    assert serving.error is None
    assert serving.current
    found = serving.current
    assert (found.model_sha256, found.release_id, found.generation) == (digest, "r1", 1)
    assert (found.threshold, found.categorical, found.since) == (0.5, ("sex",), NOW)


def test_a_move_swaps_the_model(world: World) -> None:
    """The next look serves the next model."""
    serving = follower(world)
    world.deploy("r1", tiny_model(1))
    serving.refresh()
    second = world.deploy("r2", tiny_model(2))
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == second


def test_a_confirmation_does_not_load_again(world: World) -> None:
    """The same digest keeps the loaded model and takes the new generation."""
    serving = follower(world)
    digest = world.deploy("r1", tiny_model(1))
    serving.refresh()
    assert serving.current
    loaded = serving.current.ask
    world.move("r1", digest, "confirm")
    serving.refresh()
    assert serving.current.ask is loaded
    assert serving.current.generation == 2


def test_a_head_without_a_model_ends_serving(world: World) -> None:
    """The way back from a failed first release is that nothing serves."""
    serving = follower(world)
    world.deploy("r1", tiny_model(1))
    serving.refresh()
    world.move("r1", None, "revert")
    serving.refresh()
    assert serving.current is None
    assert serving.error is None


def test_a_damaged_model_leaves_the_old_one_serving(world: World) -> None:
    """``wanted`` and ``error`` tell what went wrong."""
    serving = follower(world)
    first = world.deploy("r1", tiny_model(1))
    serving.refresh()
    second = world.release("r2", tiny_model(2))
    world.damage(second)
    world.move("r2", second)
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == first
    assert serving.wanted == second
    assert second in str(serving.error)


@pytest.mark.parametrize("body", [b"\x80\x04N.", b"junk"])
def test_bytes_that_are_no_model_leave_the_old_one_serving(body: bytes, world: World) -> None:
    """A pickle or junk with the right digest is refused by its content."""
    serving = follower(world)
    first = world.deploy("r1", tiny_model(1))
    serving.refresh()
    world.registry.save = lambda model: world.blobs.put(model, "application/x-skops")  # type: ignore[method-assign]
    world.deploy("r2", body)
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == first
    assert serving.error


def test_a_model_that_cannot_score_is_not_swapped_in(world: World) -> None:
    """It is asked for one score before it gets a request."""
    serving = follower(world)
    first = world.deploy("r1", tiny_model(1))
    serving.refresh()
    digest = world.release("r2", tiny_model(2), features=("age", "sex"))
    world.move("r2", digest)
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == first
    assert "cannot score" in str(serving.error)


def test_an_encoder_that_refuses_new_categories_can_be_warmed_up(world: World) -> None:
    """The warm-up row uses a category that the encoder has learned."""
    serving = follower(world)
    digest = world.deploy("r1", tiny_model(1, unknown="error"))
    serving.refresh()
    assert serving.error is None
    assert serving.current
    assert serving.current.model_sha256 == digest


def test_a_model_that_failed_is_tried_again_later_and_not_at_every_look(world: World) -> None:
    """1 s after the first failure, 2 s after the second."""
    clock = Clock()
    serving = follower(world, clock)
    digest = world.release("r1", tiny_model(1))
    key = next(key for key in world.store.keys("") if digest in key)
    body = world.store.objects.pop(key)
    world.move("r1", digest)
    serving.refresh()
    world.store.objects[key] = body
    clock.now = 0.9
    serving.refresh()
    assert serving.current is None
    clock.now = 1.0
    serving.refresh()
    assert serving.current
    assert serving.error is None


def test_while_a_model_is_loaded_the_service_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine that takes long, and whoever waits was told that nothing was deployed yet."""
    serving, said, load = follower(world), [], ModelSource.load
    serving.refresh()
    digest = world.deploy("r1", tiny_model(1))
    monkeypatch.setattr(ModelSource, "load", lambda *given: said.append(serving.error) or load(*given))
    serving.refresh()
    assert (said, serving.error) == ([f"model {digest} is being loaded."], None)


def test_a_new_move_does_not_wait_for_an_old_failure(world: World) -> None:
    """The champion put back by a revert serves at the next look."""
    serving = follower(world)
    first = world.release("r1", tiny_model(1))
    damaged = world.release("r2", tiny_model(2))
    world.damage(damaged)
    world.move("r2", damaged)
    serving.refresh()
    world.move("r1", first, "revert")
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == first


def test_a_revert_finds_the_release_that_made_the_model(world: World) -> None:
    """The move belongs to the failed release; the model and its terms belong to the one before."""
    serving = follower(world)
    first = world.deploy("r1", tiny_model(1))
    world.deploy("r2", tiny_model(2))
    world.move("r2", first, "revert")
    serving.refresh()
    assert serving.current
    assert (serving.current.model_sha256, serving.current.release_id) == (first, "r1")


def test_a_digest_of_no_release_is_never_loaded(world: World) -> None:
    """A blob alone is no release."""
    serving = follower(world)
    world.move("r1", "f" * 64)
    serving.refresh()
    assert serving.current is None
    assert "no release" in str(serving.error)


def test_the_terms_are_those_of_the_release(world: World) -> None:
    """A later edit of model.yaml changes no approved model's threshold."""
    pin(world, "r1", tiny_spec(decision_threshold=0.1))
    world.deploy("r1", tiny_model(1))
    serving = follower(world)
    serving.refresh()
    assert serving.current
    assert serving.current.threshold == 0.1


def test_a_store_that_is_down_leaves_the_model_serving(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service outlives its store."""
    serving = follower(world)
    first = world.deploy("r1", tiny_model(1))
    serving.refresh()

    def down(model: str, channel: str) -> None:
        raise StoreError("no answer.", where="store", remedy="wait.")

    monkeypatch.setattr(world.channels, "head", down)
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == first
    assert "no answer" in str(serving.error)


def test_an_error_nobody_thought_of_leaves_the_model_serving(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text is for the log; ``/health`` gets its kind."""
    serving = follower(world)
    first = world.deploy("r1", tiny_model(1))
    serving.refresh()

    def broken(model: str, channel: str) -> None:
        raise MemoryError("secret detail")

    monkeypatch.setattr(world.channels, "head", broken)
    serving.refresh()
    assert serving.current
    assert serving.current.model_sha256 == first
    assert "MemoryError" in str(serving.error)
    assert "secret" not in str(serving.error)
