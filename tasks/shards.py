"""Add up shards on threads of this process, on Dask or on Ray, through Prefect's task runners.

What travels to a worker is a shard (a file name and four numbers), the columns and the builder; what comes back are
its sums. They are merged on the workers too, ``FAN_IN`` at a time, so that no process holds the sums of all shards.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any, Literal, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import UnfinishedRun
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from gatewright.core.sharding import Shard
from gatewright.services.batches import Batch
from gatewright.services.shards import Mergeable, sum_shard

__all__ = ["Engine", "sum_shards", "task_runner"]

Engine = Literal["local", "dask", "ray"]
# One merge holds this many sums at once.
FAN_IN = 16

LOOPBACK = "127.0.0.1"

S = TypeVar("S", bound=Mergeable)
Runner = TaskRunner[Any]


def sum_shards(plan: Sequence[Shard], columns: Sequence[str], build: Callable[[Batch], S], *, runner: Runner) -> S:
    """The sum of ``build`` over all rows of ``plan``: the same bytes from any plan and on any runner.

    ``runner`` is a started one (``with task_runner(...) as runner``). ``build`` must be picklable for Dask and Ray:
    a function of a module, or a ``functools.partial`` of one. Workers must see the files under the same names.
    Raises what the first failing shard raised, and ValueError for an empty plan.
    """
    if not plan:
        raise ValueError("there are no shards to add up")
    given = {"columns": tuple(columns), "build": build}
    leaves: list[PrefectFuture[Any]] = [runner.submit(_shard, {"shard": shard, **given}) for shard in plan]
    parts = leaves
    while len(parts) > 1:
        parts = [runner.submit(_merge, {"parts": group}) for group in _groups(parts)]
    try:
        total: S = parts[0].result()
    except UnfinishedRun:
        # Prefect says only that the merge never began.
        for leaf in leaves:
            leaf.result()
        raise
    return total


def task_runner(engine: Engine, *, address: str | None = None, workers: int | None = None) -> Runner:
    """Prefect's runner for ``engine``: on the cluster at ``address``, else on this machine, on loopback.

    ``workers``: threads (``local``) or processes of one thread each, by default one a processor.
    """
    count = workers or os.cpu_count() or 1
    if engine == "dask":
        return _dask(address, count)
    return _ray(address, count) if engine == "ray" else ThreadPoolTaskRunner(max_workers=count)


def _dask(address: str | None, workers: int) -> Runner:
    from prefect_dask.task_runners import DaskTaskRunner

    # Without an address there is no dashboard; the port of its server must be any free one all the same.
    port = {"dashboard_address": f"{LOOPBACK}:0"}
    size = {"n_workers": workers, "threads_per_worker": 1}
    local = {**size, "host": LOOPBACK, "dashboard_address": None, "scheduler_kwargs": port}
    return DaskTaskRunner(address=address) if address else DaskTaskRunner(cluster_kwargs=local)


def _ray(address: str | None, workers: int) -> Runner:
    # Read when the library is imported, here and in its workers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:
        _keep_ray_on_loopback()
    from prefect_ray import RayTaskRunner

    local = {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": LOOPBACK}
    runner: Runner = RayTaskRunner(address=address) if address else RayTaskRunner(init_kwargs=local)
    return runner


def _keep_ray_on_loopback() -> None:
    """Otherwise Ray turns a loopback address into a reachable one, and its servers listen to everybody.

    Ray's processes read the environment. This one may have imported Ray long before, with what stood there then:
    Prefect imports all its integrations to load a block.
    """
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    ray._private.ray_constants.ENABLE_RAY_CLUSTER = False


@task(name="shard", cache_policy=NO_CACHE, persist_result=False)
def _shard(shard: Shard, columns: Sequence[str], build: Callable[[Batch], S]) -> S:
    return sum_shard(shard, columns, build)


@task(name="merge", cache_policy=NO_CACHE, persist_result=False)
def _merge(parts: list[S]) -> S:
    return reduce(add, parts)


def _groups(parts: list[Any]) -> Iterator[list[Any]]:
    for first in range(0, len(parts), FAN_IN):
        yield parts[first : first + FAN_IN]
