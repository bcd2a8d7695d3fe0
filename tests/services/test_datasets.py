"""Data files are checked before anything trusts them, then pinned: each fault is one clear error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewright.core.errors import DataError, GatewrightError, IntegrityError, SpecError
from gatewright.core.records import sha256_hex
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.blobs import BlobStore
from gatewright.services.datasets import Datasets
from gatewright.services.parquet_probe import Caps, probe_parquet
from tests.fakes import MemoryStore

EXAMPLE = Path(__file__).parents[2] / "examples/crash_triage"
SPEC = parse_yaml((EXAMPLE / "model.yaml").read_text(), ModelSpec, where="model.yaml")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A spec's directory with the years 1997 and 1998, which tests may break."""
    (tmp_path / "data").mkdir()
    for year in ("1997", "1998"):
        body = (EXAMPLE / f"data/{year}.parquet").read_bytes()
        (tmp_path / f"data/{year}.parquet").write_bytes(body)
    return tmp_path


@pytest.fixture
def datasets(store: MemoryStore, root: Path) -> Datasets:
    return Datasets(BlobStore(store, root / "cache"), root)


def at(path: str) -> ModelSpec:
    return SPEC.model_copy(update={"data": SPEC.data.model_copy(update={"path": path})})


def rewrite(root: Path, change: Callable[[pd.DataFrame], pd.DataFrame], year: str = "1997") -> Path:
    path = root / f"data/{year}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    return path


def refusal(datasets: Datasets, spec: ModelSpec = SPEC, periods: tuple[str, ...] = ("1997",)) -> GatewrightError:
    with pytest.raises(GatewrightError) as caught:
        datasets.pin(spec, periods, name="training")
    return caught.value


def test_a_pinned_file_is_named_by_the_digest_of_its_bytes(datasets: Datasets, root: Path) -> None:
    """Anyone can recompute the digest with sha256sum; the address does not depend on the machine."""
    ref = datasets.pin(SPEC, ["1997", "1998"], name="training")
    body = (root / "data/1997.parquet").read_bytes()
    assert ref.files[0].artifact.sha256 == sha256_hex(body)
    assert [file.uri for file in ref.files] == ["data/1997.parquet", "data/1998.parquet"]
    assert ref.periods == ("1997", "1998")
    assert ref.rows == 3975 + 4427


def test_loaded_rows_are_those_pinned_even_when_the_file_changed_since(datasets: Datasets, root: Path) -> None:
    """After the pin only the stored bytes count."""
    before = pd.read_parquet(root / "data/1997.parquet")
    ref = datasets.pin(SPEC, ["1997"], name="training")
    (root / "data/1997.parquet").write_bytes(b"gone")
    pd.testing.assert_frame_equal(datasets.load(ref, list(before.columns)), before)


def test_loaded_columns_come_in_the_order_asked_for_and_files_in_theirs(datasets: Datasets) -> None:
    """Rows of 1997 stand before rows of 1998."""
    ref = datasets.pin(SPEC, ["1997", "1998"], name="training")
    frame = datasets.load(ref, ["yearacc", "dead"])
    assert list(frame.columns) == ["yearacc", "dead"]
    assert frame["yearacc"].is_monotonic_increasing
    assert len(frame) == ref.rows


def test_categories_written_as_dictionaries_load_as_plain_text(datasets: Datasets, root: Path) -> None:
    """Each file has its own dictionary; concatenated they must still be one text column."""
    rewrite(root, lambda frame: frame.astype({"dvcat": "category"}))
    ref = datasets.pin(SPEC, ["1997", "1998"], name="training")
    assert datasets.load(ref, ["dvcat"])["dvcat"].dtype == "str"


def test_a_file_address_is_read(store: MemoryStore, root: Path) -> None:
    """file:///path works as well as a path, in a folder that the settings name."""
    datasets = Datasets(BlobStore(store, root / "cache"), Path("/nowhere"), more=[root / "data"])
    ref = datasets.pin(at(f"{(root / 'data').as_uri()}/{{period}}.parquet"), ["1997"], name="training")
    assert ref.rows == 3975


@pytest.mark.parametrize("address", ["s3://bucket/{period}.parquet", "file://elsewhere/{period}.parquet"])
def test_other_addresses_are_refused(datasets: Datasets, address: str) -> None:
    """The error says what can be read."""
    error = refusal(datasets, at(address))
    assert isinstance(error, SpecError)
    assert "cannot read data from" in error.problem
    assert "file:///" in error.remedy


def test_an_unknown_period_is_refused_with_the_nearest_one(datasets: Datasets) -> None:
    """A typing mistake is named with what was meant."""
    error = refusal(datasets, periods=("1979",))
    assert "`1979`" in error.problem
    assert "did you mean" in error.remedy


@pytest.mark.parametrize("periods", [(), ("1997", "1997")])
def test_a_dataset_has_each_period_once_and_at_least_one(datasets: Datasets, periods: tuple[str, ...]) -> None:
    """The first period has nothing before it to train on."""
    assert isinstance(refusal(datasets, periods=periods), SpecError)


def test_a_file_that_is_not_there_is_refused(datasets: Datasets, root: Path) -> None:
    """The error holds the whole path."""
    error = refusal(datasets, periods=("1999",))
    assert isinstance(error, DataError)
    assert error.where == str(root / "data/1999.parquet")
    assert "No such file" in error.problem


def test_an_empty_file_is_refused(datasets: Datasets, root: Path) -> None:
    """Zero bytes are no data."""
    (root / "data/1997.parquet").write_bytes(b"")
    assert "empty (0 bytes)" in refusal(datasets).problem


@pytest.mark.parametrize("kept", [-1, 20_000, 4])
def test_a_truncated_file_is_refused(datasets: Datasets, root: Path, kept: int) -> None:
    """An upload that broke off is not readable Parquet, wherever it broke."""
    path = root / "data/1997.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    error = refusal(datasets)
    assert "not a usable Parquet file" in error.problem
    assert error.where == str(path)


def test_damaged_pages_are_found_though_the_footer_is_whole(datasets: Datasets, root: Path) -> None:
    """Reading the footer alone would let this file pass."""
    path = root / "data/1997.parquet"
    body = bytearray(path.read_bytes())
    body[100:4000] = bytes(3900)
    path.write_bytes(bytes(body))
    assert pq.read_schema(path).names
    assert "not a usable Parquet file" in refusal(datasets).problem


def test_a_text_file_is_refused(datasets: Datasets, root: Path) -> None:
    """A CSV under the name of a Parquet file is no Parquet file."""
    (root / "data/1997.parquet").write_text("dvcat,dead\n10-24,alive\n" * 100)
    assert "not a usable Parquet file" in refusal(datasets).problem


def test_a_file_without_rows_is_refused(datasets: Datasets, root: Path) -> None:
    """All columns are there, but nothing in them."""
    rewrite(root, lambda frame: frame.iloc[:0])
    assert "no rows" in refusal(datasets).problem


def test_a_missing_column_is_named_with_the_nearest_one(datasets: Datasets, root: Path) -> None:
    """A renamed column is told from an absent one."""
    path = rewrite(root, lambda frame: frame.rename(columns={"ageOFocc": "AgeOfOcc"}))
    error = refusal(datasets)
    assert error.problem == "the column `ageOFocc` is missing."
    assert "is it `AgeOfOcc`?" in error.remedy
    assert error.where == str(path)


def test_a_column_that_no_feature_needs_must_be_there_too(datasets: Datasets, root: Path) -> None:
    """The leakage gate needs the columns that must not be features."""
    rewrite(root, lambda frame: frame.drop(columns="injSeverity"))
    assert "`injSeverity` is missing" in refusal(datasets).problem


def test_a_number_that_arrives_as_text_is_refused(datasets: Datasets, root: Path) -> None:
    """The error names file, column, found and expected type."""
    path = rewrite(root, lambda frame: frame.astype({"ageOFocc": str}))
    error = refusal(datasets)
    assert "`ageOFocc` has the type" in error.problem
    assert "string, expected number" in error.problem
    assert error.where == f"{path}, column ageOFocc"


def test_a_label_that_arrives_as_a_number_is_refused(datasets: Datasets, root: Path) -> None:
    """The spec's positive value is text, so no number could ever be positive."""
    rewrite(root, lambda frame: frame.assign(dead=0))
    assert "`dead` has the type int64, expected text" in refusal(datasets).problem


def test_a_column_may_not_change_its_kind_between_files(datasets: Datasets, root: Path) -> None:
    """Concatenated, codes and names of one category would be different categories."""
    rewrite(root, lambda frame: frame.assign(sex=1), year="1998")
    error = refusal(datasets, periods=("1997", "1998"))
    assert "`sex` has the type int64, expected text, as in" in error.problem


def test_a_column_that_is_there_twice_is_refused(datasets: Datasets, root: Path) -> None:
    """Readers would pick one of the two silently."""
    path = root / "data/1997.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("sex", table["airbag"]), path)
    assert "`sex` is there 2 times" in refusal(datasets).problem


def test_a_refused_file_leaves_nothing_in_the_store(datasets: Datasets, store: MemoryStore, root: Path) -> None:
    """Bytes are stored only after every check of their file."""
    rewrite(root, lambda frame: frame.iloc[:0])
    refusal(datasets)
    assert not store.objects


@pytest.mark.parametrize(
    ("caps", "problem"),
    [
        (Caps(rows=3974), "more than 3974 rows"),
        (Caps(decoded_bytes=100_000), "decodes to more than 100000 bytes"),
        (Caps(file_bytes=1000), "larger than 1000 bytes"),
        (Caps(seconds=0.001), "took longer"),
    ],
)
def test_a_file_over_a_limit_is_refused(store: MemoryStore, root: Path, caps: Caps, problem: str) -> None:
    """Rows, decoded bytes, stored bytes and time are all limited."""
    assert problem in refusal(Datasets(BlobStore(store, root / "cache"), root, caps)).problem


def test_a_small_file_that_decodes_to_gigabytes_is_refused() -> None:
    """One long text repeated: under 100 kB of file, 4 GB of values, decoded away from this process."""
    text = pa.DictionaryArray.from_arrays(np.zeros(40_000, np.int32), ["x" * 100_000])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": text}), sink, compression="zstd", store_schema=False)
    body = sink.getvalue().to_pybytes()
    assert len(body) < 100_000
    with pytest.raises(DataError, match=r"decodes to more than|memory limit"):
        probe_parquet(body, Caps(decoded_bytes=1 << 28), where="bomb.parquet")


def test_text_that_is_not_utf8_is_refused() -> None:
    """Such bytes would fail later, in whatever stage shows them first."""
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": broken}), sink)
    with pytest.raises(DataError, match="UTF8"):
        probe_parquet(sink.getvalue().to_pybytes(), Caps(), where="a.parquet")


def test_changed_bytes_in_the_store_are_not_loaded(datasets: Datasets, store: MemoryStore) -> None:
    """The blob store hashes again on every read."""
    ref = datasets.pin(SPEC, ["1997"], name="training")
    key = next(iter(store.objects))
    store.objects[key] = store.objects[key][:-1] + b"x"
    with pytest.raises(IntegrityError):
        datasets.load(ref, ["dead"])


def test_a_reference_with_another_number_of_rows_is_not_loaded(datasets: Datasets) -> None:
    """A reference that was edited by hand does not describe its bytes."""
    ref = datasets.pin(SPEC, ["1997"], name="training")
    edited = ref.model_copy(update={"files": (ref.files[0].model_copy(update={"rows": 1}),)})
    with pytest.raises(IntegrityError, match="its reference says 1"):
        datasets.load(edited, ["dead"])


def test_loading_a_column_that_is_not_there_names_it(datasets: Datasets) -> None:
    """The error names the column and lists those of the file."""
    ref = datasets.pin(SPEC, ["1997"], name="training")
    with pytest.raises(DataError, match="`nope` is missing"):
        datasets.load(ref, ["dead", "nope"])


def test_a_dataset_without_files_is_not_loaded(datasets: Datasets) -> None:
    """No files is an error, not an empty frame."""
    ref = datasets.pin(SPEC, ["1997"], name="training").model_copy(update={"files": ()})
    with pytest.raises(DataError, match="no files"):
        datasets.load(ref, ["dead"])
