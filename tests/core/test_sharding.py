"""A plan of shards holds every row group once, in order, each at its position in the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.sharding import FileGroups, Shard, plan_shards

FILES = st.lists(st.lists(st.integers(0, 50), max_size=12), min_size=1, max_size=5)


def files_of(groups: list[list[int]]) -> list[FileGroups]:
    return [FileGroups(f"{index}.parquet", tuple(rows)) for index, rows in enumerate(groups)]


@given(groups=FILES, shards=st.integers(1, 20))
def test_every_row_group_is_in_one_shard_at_its_position(groups: list[list[int]], shards: int) -> None:
    """Files and row groups come in their order, and the first row of each shard is the sum of those before it."""
    files = files_of(groups)
    plan = plan_shards(files, shards)
    held = [(shard.file, number) for shard in plan for number in range(shard.first_group, shard.last_group + 1)]
    assert held == [(file.file, number) for file in files for number in range(len(file.rows))]
    assert [shard.start_row for shard in plan] == [sum(one.rows for one in plan[:k]) for k in range(len(plan))]
    assert sum(shard.rows for shard in plan) == sum(map(sum, groups))


@given(groups=FILES, shards=st.integers(1, 20))
def test_no_shard_is_larger_than_its_share_and_one_row_group(groups: list[list[int]], shards: int) -> None:
    """So the slowest worker has little more to do than the others; there is at most one more shard a file."""
    plan = plan_shards(files_of(groups), shards)
    rows = [count for file in groups for count in file]
    assert all(shard.rows <= sum(rows) / shards + max(rows) for shard in plan)
    assert len(plan) <= shards + len(groups) - 1


def test_even_row_groups_are_shared_evenly() -> None:
    """Ten groups of 100 rows for three shards: 400, 300, 300."""
    plan = plan_shards([FileGroups("a", (100,) * 10)], 3)
    assert plan == (Shard("a", 0, 3, 0, 400), Shard("a", 4, 6, 400, 300), Shard("a", 7, 9, 700, 300))


def test_a_shard_never_leaves_its_file() -> None:
    """Positions go on from one file to the next."""
    plan = plan_shards([FileGroups("a", (5,)), FileGroups("b", (7, 7))], 1)
    assert plan == (Shard("a", 0, 0, 0, 5), Shard("b", 0, 1, 5, 14))


def test_no_shards_are_refused() -> None:
    """Nothing would be added up."""
    with pytest.raises(ValueError, match="at least one"):
        plan_shards([FileGroups("a", (5,))], 0)
