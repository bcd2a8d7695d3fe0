"""A shard is read at its position, and the sums of shards are the sums of the rows."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewright.core.checks.profile_build import build_profile, filled_profile
from gatewright.core.checks.profile_sums import current_sums
from gatewright.core.errors import DataError
from gatewright.core.sharding import Shard
from gatewright.services.batches import Batch
from gatewright.services.file_binary import FileSums, file_sums
from gatewright.services.file_columns import FileColumns
from gatewright.services.shards import plan_files, read_shard, sum_shard

COLUMNS = FileColumns(label="label", score="score", champion_score="champion", sensitive=("sex", "region"))


@dataclass(frozen=True)
class Positions:
    """The sum of row number times value: wrong as soon as one position is."""

    total: int

    def __add__(self, other: Self) -> Self:
        return type(self)(self.total + other.total)

    @classmethod
    def of(cls, batch: Batch) -> Self:
        values = batch.rows.column("number").to_numpy()
        return cls(int((np.arange(batch.start, batch.start + values.size) * values).sum()))


def write(path: Path, rows: int, *, group: int, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, rows)
    table = pa.table(
        {
            "number": np.arange(rows),
            "label": label,
            "score": np.clip(0.3 * label + 0.7 * rng.random(rows), 0, 1),
            "champion": np.clip(0.2 * label + 0.8 * rng.random(rows), 0, 1),
            "sex": np.where(rng.random(rows) < 0.5, "f", "m"),
            "region": rng.choice(["N", "E", "S"], rows),
        }
    )
    pq.write_table(table, path, row_group_size=group)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of 200,000 and 100,000 rows in uneven groups: more than are kept as rows."""
    folder = tmp_path_factory.mktemp("shards")
    return [write(folder / "a", 200_000, group=17_000), write(folder / "b", 100_000, group=40_000, seed=1)]


def everything(files: list[Path], shards: int) -> FileSums:
    parts = [
        sum_shard(shard, COLUMNS.all(), partial(file_sums, columns=COLUMNS, where=shard.file))
        for shard in plan_files(files, shards)
    ]
    # The last first: shards come back in any order.
    return sum(parts[-2::-1], parts[-1])


def bytes_of(sums: FileSums) -> tuple[bytes, bytes]:
    assert sums.fairness is not None
    return sums.evaluation.to_bytes(), sums.fairness.to_bytes()


@pytest.mark.parametrize("shards", [3, 8])
def test_evaluation_and_fairness_are_the_same_bytes_from_any_number_of_shards(files: list[Path], shards: int) -> None:
    """One shard a file and many give equal evidence, to the byte."""
    assert bytes_of(everything(files, shards)) == bytes_of(everything(files, 1))


def test_few_rows_are_the_same_bytes_from_any_number_of_shards(tmp_path: Path) -> None:
    """Also where the rows themselves are kept, for exact areas under curves."""
    few = [write(tmp_path / "few", 5_000, group=300)]
    assert {bytes_of(everything(few, shards)) for shards in (1, 3, 8)} == {bytes_of(everything(few, 1))}


@pytest.mark.parametrize("shards", [3, 8])
def test_drift_is_the_same_from_any_number_of_shards(files: list[Path], shards: int) -> None:
    """Against one reference profile, the profile sums of shards add up to those of the files."""
    reference = pq.read_table(files[0], columns=["score", "region"]).slice(0, 10_000).to_pandas()
    profile = build_profile(reference, ("score", "region"), ("region",))

    def added(number: int) -> bytes:
        plan = plan_files(files, number)
        parts = [sum_shard(one, ["score", "region"], lambda batch: current_sums(batch.rows, profile)) for one in plan]
        return filled_profile(profile, sum(parts[1:], parts[0])).to_bytes()

    assert added(shards) == added(1)


def test_rows_keep_their_position_in_the_whole_dataset(files: list[Path]) -> None:
    """The second file goes on where the first ends."""
    first, second = np.arange(200_000), np.arange(100_000)
    expected = int((first * first).sum() + ((200_000 + second) * second).sum())
    for shards in (1, 3, 8):
        parts = [sum_shard(shard, ["number"], Positions.of) for shard in plan_files(files, shards)]
        assert sum(parts[1:], parts[0]) == Positions(expected)


def test_batches_are_small_however_large_the_row_group(tmp_path: Path) -> None:
    """Memory is bounded by the batch."""
    file = write(tmp_path / "one", 300_000, group=300_000)
    sizes = [batch.rows.num_rows for batch in read_shard(plan_files([file], 8)[0], ["number"])]
    assert sum(sizes) == 300_000
    assert max(sizes) <= 1 << 17


def test_a_file_that_changed_after_planning_is_refused(tmp_path: Path) -> None:
    """Its rows would be counted at wrong positions, or twice."""
    file = write(tmp_path / "one", 1_000, group=100)
    plan = plan_files([file], 2)
    write(tmp_path / "one", 1_000, group=90)
    with pytest.raises(DataError, match="the plan says 500"):
        list(read_shard(plan[0], ["number"]))


def test_a_shard_beyond_the_end_of_the_file_is_refused(tmp_path: Path) -> None:
    """Fewer row groups than planned are not an empty shard."""
    write(tmp_path / "one", 100, group=100)
    with pytest.raises(DataError, match="have 0 rows, the plan says 100"):
        list(read_shard(Shard(str(tmp_path / "one"), 1, 1, 100, 100), ["number"]))


def test_what_cannot_be_read_is_named(tmp_path: Path, files: list[Path]) -> None:
    """A missing column, a file that is no Parquet, and no rows at all."""
    with pytest.raises(DataError, match="the column `nothing` is missing"):
        list(read_shard(plan_files(files, 1)[0], ["nothing"]))
    (tmp_path / "text").write_text("no Parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        plan_files([tmp_path / "text"], 1)
    with pytest.raises(DataError, match="there are no rows"):
        plan_files([write(tmp_path / "empty", 0, group=1)], 1)
