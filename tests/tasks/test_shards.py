"""Shards on threads, on Dask and on Ray add up to the same bytes of evidence."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
from prefect.plugins import load_prefect_collections

from gatewright.core.checks.evaluation import measure_evaluation_sums
from gatewright.core.checks.fairness import measure_fairness_sums
from gatewright.core.errors import DataError
from gatewright.core.records import canonical_json
from gatewright.services.file_binary import FileSums, file_sums
from gatewright.services.file_columns import FileColumns
from gatewright.services.shards import plan_files
from tasks import shards
from tasks.shards import Engine, sum_shards, task_runner

COLUMNS = FileColumns(label="label", score="score", champion_score="champion", sensitive=("sex",))
ENGINES: tuple[Engine, ...] = ("local", "dask", "ray")
ROWS = 60_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shards") / "rows.parquet"
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, ROWS)
    table = pa.table(
        {
            "label": label,
            "score": np.clip(0.3 * label + 0.7 * rng.random(ROWS), 0, 1),
            "champion": np.clip(0.2 * label + 0.8 * rng.random(ROWS), 0, 1),
            "sex": np.where(rng.random(ROWS) < 0.5, "f", "m"),
        }
    )
    pq.write_table(table, path, row_group_size=5_000)
    return path


@pytest.fixture(scope="module")
def runners(prefect_server: None) -> Iterator[dict[Engine, Any]]:
    """One small cluster of each kind, on loopback, started once.

    Ray has been imported before, as it is where Prefect has loaded a block: its default is to listen to everybody.
    """
    load_prefect_collections()
    assert ray.__version__
    with (
        task_runner("local", workers=2) as on_threads,
        task_runner("dask", workers=1) as on_dask,
        task_runner("ray", workers=1) as on_ray,
    ):
        yield {"local": on_threads, "dask": on_dask, "ray": on_ray}


def evidence(sums: FileSums) -> bytes:
    """What would be stored: every measurement, canonically."""
    assert sums.fairness is not None
    measured = [
        *measure_evaluation_sums(sums.evaluation, confidence=0.9, seed=0),
        *measure_fairness_sums(sums.fairness, confidence=0.9, minimum_support=30, seed=0),
    ]
    return canonical_json({"measurements": [one.model_dump(mode="json") for one in measured]})


def added(file: Path, number: int, runner: Any) -> FileSums:
    build = partial(file_sums, columns=COLUMNS, where=str(file))
    return sum_shards(plan_files([file], number), COLUMNS.all(), build, runner=runner)


@pytest.fixture(scope="module")
def expected(file: Path, runners: dict[Engine, Any]) -> bytes:
    return evidence(added(file, 1, runners["local"]))


@pytest.mark.parametrize("number", [3, 8])
def test_evidence_is_the_same_bytes_from_any_number_of_shards(
    number: int, file: Path, runners: dict[Engine, Any], expected: bytes
) -> None:
    """One, three and eight shards say the same, interval by interval."""
    assert b"area_under_curve" in expected or b"auc" in expected
    assert evidence(added(file, number, runners["local"])) == expected


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_clusters_give_the_same_bytes(engine: Engine, file: Path, runners: dict[Engine, Any], expected: bytes) -> None:
    """A worker in another process, and merges among workers, change nothing."""
    assert evidence(added(file, 8, runners[engine])) == expected


def test_merging_in_several_rounds_changes_nothing(
    file: Path, runners: dict[Engine, Any], expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight shards, two at a time, are merged in three rounds."""
    monkeypatch.setattr(shards, "FAN_IN", 2)
    assert evidence(added(file, 8, runners["local"])) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failing_shard_fails_the_whole_with_its_own_error(
    engine: Engine, file: Path, runners: dict[Engine, Any]
) -> None:
    """Nothing is added up without it."""
    build = partial(file_sums, columns=COLUMNS, where=str(file))
    with pytest.raises(DataError, match="the column `nothing` is missing"):
        sum_shards(plan_files([file], 3), ["nothing"], build, runner=runners[engine])


def test_an_empty_plan_is_refused(runners: dict[Engine, Any]) -> None:
    """Sums of nothing would pass for sums of something."""
    with pytest.raises(ValueError, match="no shards"):
        sum_shards([], ["label"], lambda batch: 0, runner=runners["local"])


def test_clusters_on_this_machine_listen_on_loopback_only(runners: dict[Engine, Any]) -> None:
    """No process here has a port that others can reach; usage statistics and dashboards are off."""
    here = psutil.Process()
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening
    assert listening <= {"127.0.0.1", "::1"}
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert runners["ray"].init_kwargs["include_dashboard"] is False
    assert httpx.get(runners["dask"].client.dashboard_link).status_code == 404
