"""Models that attack: whoever can write a model file must not get code run, memory taken, or other bytes served."""

from pathlib import Path

import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from gatewright.core.errors import GatewrightError, IntegrityError, ModelError
from gatewright.core.refs import ArtifactRef
from gatewright.services import model_probe
from gatewright.services.blobs import BlobStore
from gatewright.services.model_probe import ModelProbe, ProbeLimits, WarmUp
from gatewright.services.registry import ModelRegistry
from tests.attacks.hostile_models import (
    DISGUISES,
    TRAP,
    Exploit,
    Trap,
    archive,
    boasting_array,
    honest,
    with_a_second,
    with_arrays,
)
from tests.fakes import MemoryStore

ROWS = pd.DataFrame({"x": [0.0, 1.0]})
TIGHT = ProbeLimits(memory_bytes=512 << 20, seconds=2)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def blobs(store: MemoryStore, tmp_path: Path) -> BlobStore:
    return BlobStore(store, tmp_path / "cache")


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that is there if code of a model ran."""
    return tmp_path / "canary"


def put(blobs: BlobStore, body: bytes) -> ArtifactRef:
    """Somebody writes a file as a model, and says that it is skops."""
    return blobs.put(body, "application/x-skops")


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_pickle_in_disguise_runs_nothing(disguise: str, blobs: BlobStore, canary: Path) -> None:
    """It is refused for what it is, by its bytes; a careless reader of the same bytes does make the canary."""
    make, careless = DISGUISES[disguise]
    body = make(Exploit(canary))
    with pytest.raises(ModelError, match=r"pickle|run code"):
        ModelRegistry(blobs).load(put(blobs, body), trusted_types=["pathlib.Path"])
    assert not canary.exists()
    careless(body)
    assert canary.exists()


@pytest.mark.parametrize("body", [b"\x89HDF\r\n\x1a\n" + bytes(100), b"\x28\xb5\x2f\xfd" + bytes(9), b"0" * 200_000])
def test_other_formats_that_hide_code_are_refused(body: bytes, blobs: BlobStore) -> None:
    """Keras keeps code in HDF5; compressed bytes and endless opcodes are not looked into."""
    with pytest.raises(ModelError, match=r"HDF5|hides|pickle"):
        ModelRegistry(blobs).load(put(blobs, body), trusted_types=())


def test_a_type_that_nobody_allowed_is_not_built(blobs: BlobStore, canary: Path) -> None:
    """The same bytes do their harm for those who allow the type: the allowlist is all there is between."""
    ref = put(blobs, skops.io.dumps(Trap("touch", str(canary))))
    with pytest.raises(ModelError, match="nobody has allowed") as refused:
        ModelRegistry(blobs).load(ref, trusted_types=["tests.attacks.Other"])
    assert TRAP in str(refused.value)
    assert not canary.exists()
    ModelRegistry(blobs).load(ref, trusted_types=[TRAP])
    assert canary.exists()


def test_an_archive_that_unpacks_to_terabytes_is_refused_unread(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is taken from the archive's index, before anything is unpacked; also of an archive inside."""
    monkeypatch.setattr("gatewright.services.model_formats.content.MAX_UNPACKED_BYTES", 20_000)
    bomb = archive({"schema.json": b"{}", "big.npy": bytes(20_000)})
    nested = with_arrays(honest(), archive({"data.npy": bytes(20_001)}))
    for body in (bomb, nested):
        with pytest.raises(ModelError, match="more than 20000 bytes"):
            ModelRegistry(blobs).load(put(blobs, body), trusted_types=())


def test_an_array_that_says_it_is_huge_is_refused_before_memory_is_taken(blobs: BlobStore) -> None:
    """numpy allocates by the header."""
    body = with_arrays(honest(), boasting_array())
    with pytest.raises(ModelError, match="says that it has the shape"):
        ModelRegistry(blobs).load(put(blobs, body), trusted_types=())


def test_two_members_of_one_name_are_refused(blobs: BlobStore) -> None:
    """One reader would see the first, another the last."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        body = with_a_second(honest(), "schema.json", b"{}")
    with pytest.raises(ModelError, match="two members of one name"):
        ModelRegistry(blobs).load(put(blobs, body), trusted_types=())


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("allocate", "MemoryError"),
        ("sleep", "took longer than 2 s"),
        ("abort", "ended its process"),
        ("kill the examiner", "gave no answer"),
    ],
)
def test_harm_done_while_loading_ends_in_the_probe(harm: str, says: str, blobs: BlobStore) -> None:
    """50 GB, an hour of sleep, a crash: one clear error here, and the next model is examined as ever."""
    registry = ModelRegistry(blobs, ModelProbe(TIGHT))
    with pytest.raises(ModelError, match=says):
        registry.load(put(blobs, skops.io.dumps(Trap(harm))), trusted_types=[TRAP])
    assert registry.load(put(blobs, honest()), trusted_types=()).classes_.tolist() == [0, 1]


def test_the_probe_writes_no_files(blobs: BlobStore, canary: Path) -> None:
    """Not even for a type that was allowed."""
    with pytest.raises(ModelError, match="File too large"):
        ModelRegistry(blobs, ModelProbe(TIGHT)).load(
            put(blobs, skops.io.dumps(Trap("write", str(canary)))), trusted_types=[TRAP]
        )
    assert not canary.exists() or canary.read_bytes() == b""


def test_the_probe_knows_no_secret(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials in this process's environment are not in that of the examiner."""
    monkeypatch.setenv("GATEWRIGHT_STORE_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setattr(model_probe, "_EXAMINER", model_probe._Examiner())
    registry = ModelRegistry(blobs, ModelProbe(TIGHT))
    with pytest.raises(ModelError, match=r"PATH|/bin") as told:
        registry.load(put(blobs, skops.io.dumps(Trap("tell the environment"))), trusted_types=[TRAP])
    assert "hunter2" not in str(told.value)


def test_a_model_must_answer_a_row_in_the_probe(blobs: BlobStore) -> None:
    """What loads but cannot be asked is refused before anything here is asked."""
    model = LogisticRegression().fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    registry = ModelRegistry(blobs, ModelProbe(TIGHT))
    ref = registry.save(model)
    registry.load(ref, trusted_types=())
    with pytest.raises(ModelError, match="classes are"):
        registry.load(ref, trusted_types=(), warm_up=WarmUp(("a",), (), "binary_classification"))


class Counting(ModelProbe):
    """Counts questions, and does something after each."""

    def __init__(self, then=lambda: None) -> None:
        super().__init__(TIGHT)
        self.asked = 0
        self.then = then

    def require_loadable(self, *arguments, **more) -> None:
        self.asked += 1
        self.then()


def test_bytes_swapped_between_probe_and_load_are_not_loaded(store: MemoryStore, blobs: BlobStore) -> None:
    """What was probed is what is loaded here, from memory; who asks the store again gets an IntegrityError."""
    good, evil = (LogisticRegression().fit(ROWS, labels) for labels in ([0, 1], [1, 0]))
    ref = ModelRegistry(blobs).save(good)
    (key,) = store.objects
    other = skops.io.dumps(evil)
    registry = ModelRegistry(blobs, Counting(then=lambda: store.objects.update({key: other})))
    loaded = registry.load(ref, trusted_types=())
    assert ModelRegistry.score(loaded, ROWS, ["x"]).tolist() == ModelRegistry.score(good, ROWS, ["x"]).tolist()
    with pytest.raises(IntegrityError):
        registry.load(ref, trusted_types=())


def test_bytes_of_another_digest_are_not_loaded_whoever_handed_them_out(blobs: BlobStore) -> None:
    """The registry hashes what it loads, and does not rely on the store's word."""
    ref = ModelRegistry(blobs).save(LogisticRegression().fit(ROWS, [0, 1]))
    blobs.get = lambda _: honest()  # type: ignore[method-assign]
    with pytest.raises(IntegrityError):
        ModelRegistry(blobs).load(ref, trusted_types=())


def test_a_digest_is_probed_once_for_an_allowlist(blobs: BlobStore) -> None:
    """Another allowlist builds other types, so it is another question."""
    probe = Counting()
    registry = ModelRegistry(blobs, probe)
    ref = registry.save(LogisticRegression().fit(ROWS, [0, 1]))
    warm_up = WarmUp(("x",), (), "binary_classification")
    for _ in range(3):
        registry.load(ref, trusted_types=["a"], warm_up=warm_up)
        registry.load(ref, trusted_types=["a"])
    assert probe.asked == 1
    registry.load(ref, trusted_types=["b"])
    assert probe.asked == 2


def test_a_refused_model_is_refused_again(blobs: BlobStore) -> None:
    """A refusal is not remembered as an answer."""
    registry = ModelRegistry(blobs, ModelProbe(TIGHT))
    ref = put(blobs, skops.io.dumps(Trap("abort")))
    for _ in range(2):
        with pytest.raises(GatewrightError, match="ended its process"):
            registry.load(ref, trusted_types=[TRAP])
