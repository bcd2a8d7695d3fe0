"""Files and addresses that attack: bombs, keys that stand twice, numbers that are none, places that are not ours."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewright.core.errors import DataError, IntegrityError, SpecError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import Policy
from gatewright.core.records import Record, canonical_json
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening
from gatewright.core.roster import Roster
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.blobs import BlobStore
from gatewright.services.datasets import Datasets
from gatewright.services.parquet_probe import Caps
from tests.fakes import MemoryStore
from tests.services.reports.example_view import CANDIDATE, NOON, OPENING, SPEC

KINDS = [ModelSpec, Policy, Roster]


def bomb() -> str:
    """306 bytes that would become 9 to the power of 9 values."""
    levels = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    levels += [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(levels)


YAML = {
    "alias bomb": (bomb(), "aliases"),
    "merge key": ("a: &a {x: 1}\nb:\n  <<: *a\n", "aliases"),
    "deep lists": ("x: " + "[" * 100_000, "nested deeper"),
    "deep mappings": ("\n".join(" " * n + f"k{n}:" for n in range(500)), "nested deeper"),
    "a key twice": ("version: 1\nversion: 2\n", "stands twice"),
    "a key twice inside": ("x:\n  - {a: 1, b: 2, a: 3}\n", "stands twice"),
    "NaN": ("x: .nan\n", r"is not a number that can be compared"),
    "infinity": ("x: -.inf\n", r"is not a number that can be compared"),
    "a Python object": ("x: !!python/object/apply:os.system ['true']\n", "tags"),
    "a set, which is no list": ("x: !!set {a, b}\n", "tags"),
    "two documents": ("a: 1\n---\nb: 2\n", "YAML"),
    "too large": ("x: " + "y" * 1_000_001, "larger than"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", YAML)
def test_yaml_that_attacks_is_refused(attack: str, kind: type[Record]) -> None:
    """Before it is expanded, with its line; the same for spec, policy and roster."""
    text, says = YAML[attack]
    with pytest.raises(SpecError, match=says):
        parse_yaml(text, kind, where="file.yaml")


STORED: list[Record] = [OPENING, CANDIDATE, SPEC, LedgerEntry(kind="opened", release_id="r", actor="a", at=NOON)]


@pytest.mark.parametrize("record", STORED, ids=lambda record: type(record).__name__)
def test_stored_json_means_one_thing(record: Record) -> None:
    """What another reader could read otherwise is no record."""
    body = record.to_bytes()
    key, value = next(iter(json.loads(body).items()))
    member = canonical_json({key: value})[1:-1]
    attacks = {
        "a key twice": b"{" + member + b"," + body[1:],
        "a key twice, the first is another": b'{"' + key.encode() + b'":"other",' + body[1:],
        "spaces": json.dumps(json.loads(body)).encode(),
        "another order": b"{" + body[1:-1].replace(member + b",", b"", 1) + b"," + member + b"}",
        "a line at the end": body + b"\n",
        "an escape for a letter": body.replace(b'"a', b'"\\u0061', 1).replace(b'"m', b'"\\u006d', 1),
        "NaN": b'{"x":NaN}',
        "infinity": b'{"x":1e999}',
        "deep": b"[" * 100_000,
        "an unknown key": body[:-1] + b',"zz":1}',
    }
    assert type(record).from_bytes(body, where="key") == record
    for attack, bad in attacks.items():
        with pytest.raises(IntegrityError):
            pytest.fail(f"{attack}: {type(record).from_bytes(bad, where='key')!r}")


def test_a_number_that_compares_with_nothing_is_in_no_record() -> None:
    """`value < minimum` is false for NaN, so it would pass a check that was written the wrong way round."""
    for text in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        body = CANDIDATE.to_bytes().replace(b'"seed":0', b'"seed":' + text)
        assert body != CANDIDATE.to_bytes()
        with pytest.raises(IntegrityError):
            Candidate.from_bytes(body, where="key")
        with pytest.raises(IntegrityError):
            Opening.from_bytes(body, where="key")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The model's folder, beside a folder of secrets in the same format."""
    for name in ("model/data", "secrets"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        write(folder / "1998.parquet", rows(1))
    return tmp_path / "model"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def rows(number: int, text: str = "x") -> pa.Table:
    return pa.table({name: pa.array([text] * number) for name in SPEC.columns()})


def write(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd")


def pin(root: Path, store: MemoryStore, address: str, caps: Caps | None = None) -> None:
    source = SPEC.data.model_copy(update={"path": address})
    spec = SPEC.model_copy(update={"data": source})
    Datasets(BlobStore(store, root.parent / "cache"), root, caps).pin(spec, ["1998"], name="training")


ADDRESSES = {
    "an absolute path": "{outside}/{{period}}.parquet",
    "up and out": "../secrets/{{period}}.parquet",
    "down, up and out": "data/../../secrets/{{period}}.parquet",
    "a file address": "file://{outside}/{{period}}.parquet",
    "a file address of this host": "file://localhost{outside}/{{period}}.parquet",
    "an escaped file address": "file://{root}/%2e%2e/secrets/{{period}}.parquet",
    "the system": "/proc/self/environ#{{period}}",
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_file_outside_the_folder_of_the_model_is_not_read(name: str, root: Path, store: MemoryStore) -> None:
    """The spec's author is not the pipeline: what the pipeline may read is not for all to see."""
    address = ADDRESSES[name].format(outside=root.parent / "secrets", root=root)
    with pytest.raises(SpecError, match="outside the model's folder"):
        pin(root, store, address)
    assert store.objects == {}


@pytest.mark.parametrize("link", ["file", "folder"])
def test_a_link_out_of_the_folder_is_not_followed(link: str, root: Path, store: MemoryStore) -> None:
    """A repository may hold links, and their text looks harmless."""
    outside = root.parent / "secrets"
    if link == "file":
        (root / "data/1998.parquet").unlink()
        (root / "data/1998.parquet").symlink_to(outside / "1998.parquet")
    else:
        (root / "more").symlink_to(outside)
    with pytest.raises(SpecError, match="outside the model's folder"):
        pin(root, store, "data/{period}.parquet" if link == "file" else "more/{period}.parquet")
    assert store.objects == {}


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/{period}",
        "https://169.254.169.254/{period}",
        "http://[fd00:ec2::254]/{period}",
        "http://localhost:4200/api/{period}",
        "ftp://elsewhere/{period}",
        "s3://bucket/{period}.parquet",
        "gopher://127.0.0.1:6379/_{period}",
        "file://169.254.169.254/share/{period}.parquet",
    ],
)
def test_no_address_is_asked_over_the_network(
    address: str, root: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link-local address hands out the machine's credentials."""
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("somebody was asked"))
    with pytest.raises(SpecError, match="cannot read data from"):
        pin(root, store, address)
    assert store.objects == {}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [pipe, folder])
def test_what_is_no_regular_file_is_not_waited_for(
    make: Callable[[Path], None], root: Path, store: MemoryStore
) -> None:
    """A pipe would be read for ever."""
    (root / "data/1998.parquet").unlink()
    make(root / "data/1998.parquet")
    with pytest.raises(DataError, match=r"no regular file|directory"):
        pin(root, store, "data/{period}.parquet")


def test_a_parquet_bomb_is_refused_in_a_process_of_its_own(root: Path, store: MemoryStore) -> None:
    """Some kilobytes of file that decode to gigabytes; what is here stays small, and nothing is stored."""
    path = root / "data/1998.parquet"
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 40_000, pa.int32()), ["x" * 100_000])
    pq.write_table(pa.table({"a": long}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 100_000
    before = peak_memory()
    with pytest.raises(DataError, match=r"decodes to more than|memory limit"):
        pin(root, store, "data/{period}.parquet", Caps(decoded_bytes=200 << 20))
    assert peak_memory() - before < 100 << 20
    assert store.objects == {}


def peak_memory() -> int:
    """The most bytes this process ever held."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


def test_more_rows_than_the_cap_are_refused(root: Path, store: MemoryStore) -> None:
    """Rows of nothing take no memory, and still time in every stage."""
    write(root / "data/1998.parquet", rows(1001))
    with pytest.raises(DataError, match="more than 1000 rows"):
        pin(root, store, "data/{period}.parquet", Caps(rows=1000))
    assert store.objects == {}


def test_a_footer_that_lies_is_no_measure(root: Path, store: MemoryStore) -> None:
    """It promises a row where there are zeros: what counts is what was decoded."""
    path = root / "data/1998.parquet"
    body = path.read_bytes()
    footer = body[-8 - int.from_bytes(body[-8:-4], "little") :]
    path.write_bytes(b"PAR1" + bytes(len(body) - len(footer) - 4) + footer)
    assert pq.read_metadata(path).num_rows == 1
    with pytest.raises(DataError, match="not a usable Parquet file"):
        pin(root, store, "data/{period}.parquet")
    assert store.objects == {}


def test_a_honest_file_is_read(root: Path, store: MemoryStore) -> None:
    """All refusals above are of files that differ from one that is not refused for where it lies."""
    with pytest.raises(DataError, match=r"type|kind|number") as refused:
        pin(root, store, "data/{period}.parquet")
    assert refused.value.where.startswith(str(root))
