"""Attacks on a channel by somebody who can write to the bucket but does not hold the pipeline's key."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gatewright.core.channels import ChannelEntry, previous_deployed, seal_message
from gatewright.core.errors import IntegrityError, TargetError
from gatewright.core.records import canonical_json
from gatewright.core.roster import Machine, PublicKey
from gatewright.core.signatures import APPROVAL, Signer
from gatewright.services.channel_seals import TrustedSeals, sealed
from gatewright.services.channel_store import ChannelStore
from gatewright.services.deployment import Deployment
from gatewright.services.generations import GenerationLog
from gatewright.services.ssh_signatures import SshSignatures, SshSigner, new_key
from gatewright.services.targets.base import Target
from gatewright.services.targets.serving_model import ModelSource, ServingModel
from tests.core.examples import roster
from tests.services.targets.world import NOW, World, tiny_model

Forge = Callable[["Attack", str], None]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SshSigner]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("pipeline", "next", "stranger"):
        new_key(folder / name, name)
    return {name: SshSigner(folder / name) for name in ("pipeline", "next", "stranger")}


class Obedient(Target):
    """Serves whatever it is asked for, unless it is ``stuck``."""

    stuck = False

    def serving(self) -> str | None:
        return None

    def wait_until_serving(self, model_sha256: str | None, *, timeout_seconds: float, **_: object) -> None:
        if self.stuck:
            raise TargetError("it does not load.", where="target", remedy="none.")


class Attack:
    """A channel where ``good`` was deployed by the pipeline, and ``evil`` lies in the store, saved but not approved."""

    def __init__(self, root: Path, keys: dict[str, SshSigner]) -> None:
        self.keys = keys
        self.world = World(root)
        self.machine_keys = [PublicKey(key=keys["pipeline"].public_key, added=date(2026, 1, 1))]
        self.named_since = NOW - timedelta(days=1)
        self.target = Obedient()
        self.good = self.world.release("r1", tiny_model(1))
        self.evil = self.world.release("r2", tiny_model(2))
        self.serve("r1", self.good)
        self.serving = self.follower()
        self.serving.refresh()

    def trusted(self) -> TrustedSeals:
        return TrustedSeals(SshSignatures(), self._pipeline_keys, lambda at: at >= self.named_since)

    def channels(self) -> ChannelStore:
        """As another process sees them."""
        return ChannelStore(self.world.store, self.trusted())

    def follower(self) -> ServingModel:
        source = ModelSource(**{**self.world.parts(), "channels": self.channels()})
        return ServingModel(source, now=lambda: NOW)

    def serve(self, release_id: str, model: str, *, by: str = "pipeline", at: datetime = NOW) -> ChannelEntry:
        """What the pipeline does for an approved release."""
        channels = self.channels()
        deployment = Deployment(channels, self.target, "production", lambda: at, self.keys[by])
        expected = len(channels.history("tiny", "production"))
        intent = move(release_id, model, at=at)
        return deployment.serve("tiny", intent, expected=expected, timeout_seconds=1)

    def write(self, entry: ChannelEntry) -> None:
        """Put a move into the bucket as the next generation, its hash chain intact."""
        log = GenerationLog(self.world.store, "channels/tiny/production")
        log.append(entry.model_dump(mode="json"), expected=len(log.all()))

    def _pipeline_keys(self, at: datetime) -> tuple[str, ...]:
        keys = tuple(self.machine_keys)
        machines = (Machine(id="pipeline", role="pipeline", keys=keys),) if keys else ()
        return roster().model_copy(update={"machines": machines}).machine_keys("pipeline", at)


@pytest.fixture
def attack(tmp_path: Path, keys: dict[str, SshSigner]) -> Attack:
    return Attack(tmp_path, keys)


def move(release_id: str, model: str | None, action: str = "deploy", *, at: datetime = NOW) -> ChannelEntry:
    return ChannelEntry(
        action=action,
        release_id=release_id,
        model_sha256=model,
        actor="somebody",
        reason="a test",
        operation=release_id,
        at=at,
    )


def signed(signer: Signer, entry: ChannelEntry, n: int, model: str = "tiny", channel: str = "production"):
    return sealed(entry, signer, model, channel, n)


def without_a_seal(attack: Attack, evil: str) -> None:
    attack.write(move("r2", evil))


def with_the_seal_of_a_stranger(attack: Attack, evil: str) -> None:
    attack.write(signed(attack.keys["stranger"], move("r2", evil), 3))


def with_the_seal_of_another_move(attack: Attack, evil: str) -> None:
    _, real = attack.channels().history("tiny", "production")[-1]
    attack.write(real.model_copy(update={"model_sha256": evil, "release_id": "r2"}))


def with_a_seal_for_another_generation(attack: Attack, evil: str) -> None:
    attack.write(signed(attack.keys["pipeline"], move("r2", evil), 4))


def with_a_seal_for_another_model(attack: Attack, evil: str) -> None:
    attack.write(signed(attack.keys["pipeline"], move("r2", evil), 3, model="tiny-2"))


def with_a_seal_for_another_channel(attack: Attack, evil: str) -> None:
    attack.write(signed(attack.keys["pipeline"], move("r2", evil), 3, channel="staging"))


def with_a_signature_for_another_purpose(attack: Attack, evil: str) -> None:
    entry = move("r2", evil)
    blob = attack.keys["pipeline"].sign(seal_message(entry, "tiny", "production", 3), namespace=APPROVAL)
    attack.write(signed(_Says(blob), entry, 3))


def with_a_seal_that_is_no_base64(attack: Attack, evil: str) -> None:
    attack.write(move("r2", evil).model_copy(update={"seal": "é"}))


class _Says:
    """Gives the same signature whatever it is asked to sign."""

    public_key = ""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        return self._blob


FORGERIES = [
    without_a_seal,
    with_the_seal_of_a_stranger,
    with_the_seal_of_another_move,
    with_a_seal_for_another_generation,
    with_a_seal_for_another_model,
    with_a_seal_for_another_channel,
    with_a_signature_for_another_purpose,
    with_a_seal_that_is_no_base64,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_pointer_written_into_the_bucket_is_never_followed(attack: Attack, forge: Forge) -> None:
    """The model before keeps serving and the reason is said; a service that starts afresh serves nothing."""
    forge(attack, attack.evil)
    afresh = attack.follower()
    for serving in (attack.serving, afresh):
        serving.refresh()
        assert "the pipeline did not make this move" in str(serving.error)
    assert attack.serving.current
    assert attack.serving.current.model_sha256 == attack.good
    assert afresh.current is None


def test_a_move_by_the_pipeline_is_followed(attack: Attack) -> None:
    """The same world without a forgery: its moves are sealed and serve."""
    attack.serve("r2", attack.evil)
    attack.serving.refresh()
    assert attack.serving.error is None
    assert attack.serving.current
    assert attack.serving.current.model_sha256 == attack.evil


def test_a_forged_way_back_to_nothing_does_not_stop_the_service(attack: Attack) -> None:
    """A move to no model needs the seal as well."""
    attack.write(move("r1", None, "revert"))
    attack.serving.refresh()
    assert attack.serving.current
    assert attack.serving.current.model_sha256 == attack.good


def test_a_forged_confirmation_is_no_model_to_roll_back_to(attack: Attack) -> None:
    """Otherwise the pipeline itself would seal the forged model on the next step back."""
    attack.write(move("r2", attack.evil))
    attack.write(move("r2", attack.evil, "confirm"))
    forged = [entry for _, entry in ChannelStore(attack.world.store).history("tiny", "production")]
    target = previous_deployed([*forged, move("r3", attack.good, "confirm")])
    assert target
    assert target.model_sha256 == attack.evil
    with pytest.raises(IntegrityError, match="no seal") as caught:
        attack.channels().history("tiny", "production")
    assert caught.value.where == "channels/tiny/production/0000000003.json"


def test_a_rewritten_past_is_found_though_the_head_is_sealed(attack: Attack) -> None:
    """Every generation's seal counts, not only the last one's."""
    store = attack.world.store
    attack.serve("r2", attack.evil)
    entries = [entry for _, entry in attack.channels().history("tiny", "production")]
    entries[1] = entries[1].model_copy(update={"reason": "rewritten"})
    for key in [key for key in store.objects if key.startswith("channels/")]:
        del store.objects[key]
    for entry in entries:
        attack.write(entry)
    assert len(ChannelStore(store).history("tiny", "production")) == 4
    with pytest.raises(IntegrityError, match="not by a key"):
        attack.channels().head("tiny", "production")


def test_a_revoked_key_seals_nothing_more(attack: Attack) -> None:
    """What it sealed before it was revoked still counts."""
    revoked = NOW + timedelta(hours=1)
    attack.machine_keys[0] = attack.machine_keys[0].model_copy(update={"revoked": revoked})
    assert len(attack.channels().history("tiny", "production")) == 2
    attack.write(signed(attack.keys["pipeline"], move("r2", attack.evil, at=revoked), 3))
    with pytest.raises(IntegrityError, match="not by a key"):
        attack.channels().history("tiny", "production")


def test_a_revoked_key_cannot_seal_with_an_earlier_date(attack: Attack) -> None:
    """Once its successor has moved the channel, a move that is older by more than two minutes is refused."""
    revoked = NOW + timedelta(hours=1)
    attack.machine_keys[0] = attack.machine_keys[0].model_copy(update={"revoked": revoked})
    attack.machine_keys.append(PublicKey(key=attack.keys["next"].public_key, added=date(2026, 1, 1)))
    attack.serve("r3", attack.good, by="next", at=revoked + timedelta(minutes=2))
    head = len(attack.channels().history("tiny", "production"))
    backdated = move("r2", attack.evil, at=revoked - timedelta(microseconds=1))
    attack.write(signed(attack.keys["pipeline"], backdated, head + 1))
    with pytest.raises(IntegrityError, match="older than the move before"):
        attack.channels().history("tiny", "production")


def test_a_key_counts_from_the_day_it_was_added(attack: Attack) -> None:
    """Not for what is said to have been sealed before."""
    before = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    attack.world.store.objects.clear()
    attack.write(signed(attack.keys["pipeline"], move("r2", attack.evil, at=before), 1))
    with pytest.raises(IntegrityError, match="not by a key"):
        attack.channels().head("tiny", "production")


def test_without_a_key_in_the_roster_nothing_is_trusted(attack: Attack) -> None:
    """An empty list of keys is no leave to skip them."""
    attack.machine_keys.clear()
    with pytest.raises(IntegrityError, match="not by a key"):
        attack.channels().head("tiny", "production")


def test_before_the_roster_named_a_pipeline_moves_have_no_seal(attack: Attack) -> None:
    """They count; the first one after that day must be sealed."""
    attack.world.store.objects.clear()
    attack.write(move("r1", attack.good, at=attack.named_since - timedelta(microseconds=1)))
    assert len(attack.channels().history("tiny", "production")) == 1
    attack.write(move("r2", attack.evil, at=attack.named_since))
    with pytest.raises(IntegrityError, match="no seal"):
        attack.channels().head("tiny", "production")


def test_a_move_without_a_seal_cannot_be_dated_back_to_that_time(attack: Attack) -> None:
    """The sealed move before it is younger."""
    attack.write(move("r2", attack.evil, at=attack.named_since - timedelta(hours=1)))
    with pytest.raises(IntegrityError, match="older than"):
        attack.channels().head("tiny", "production")


def test_a_roster_without_a_pipeline_does_not_free_a_sealed_channel(attack: Attack) -> None:
    """After the first sealed move every move has a seal."""
    attack.named_since = NOW + timedelta(days=2)
    attack.write(move("r2", attack.evil))
    with pytest.raises(IntegrityError, match="no seal"):
        attack.channels().head("tiny", "production")


@pytest.mark.parametrize("signer", ["stranger", None])
def test_a_move_that_no_reader_would_trust_is_not_written(attack: Attack, signer: str | None) -> None:
    """A pipeline with a wrong key, or with none, stops before it blocks the channel."""
    held = attack.keys[signer] if signer else None
    deployment = Deployment(attack.channels(), attack.target, "production", lambda: NOW, held)
    with pytest.raises(IntegrityError, match="key into the roster"):
        deployment.serve("tiny", move("r2", attack.evil), expected=2, timeout_seconds=1)
    assert len(attack.channels().history("tiny", "production")) == 2


def test_the_way_back_is_sealed_too(attack: Attack) -> None:
    """A target that does not load: deploy and revert both carry the pipeline's seal."""
    attack.target.stuck = True
    with pytest.raises(TargetError):
        attack.serve("r2", attack.evil)
    history = attack.channels().history("tiny", "production")
    assert [entry.action for _, entry in history] == ["deploy", "confirm", "deploy", "revert"]
    assert len({entry.seal for _, entry in history}) == 4


def test_what_a_seal_signs_is_written_down(attack: Attack) -> None:
    """Canonical JSON of the move and of its place: an auditor can put it together from the exported files."""
    entry = move("r1", "a" * 64)
    assert seal_message(entry, "tiny", "production", 7) == canonical_json(
        {
            "kind": "channel-seal",
            "model": "tiny",
            "channel": "production",
            "n": 7,
            "entry": {
                "action": "deploy",
                "evidence_root": None,
                "release_id": "r1",
                "model_sha256": "a" * 64,
                "actor": "somebody",
                "reason": "a test",
                "operation": "r1",
                "at": "2026-01-02T03:04:05Z",
            },
        }
    )
