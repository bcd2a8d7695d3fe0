"""Check a file of predictions of any size: shards on the engine of the settings, one verdict."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from gatewright.core.errors import SpecError
from gatewright.core.file_verdict import FileVerdict
from gatewright.core.policy import default_rules
from gatewright.services.file_binary import file_sums, measure_sums
from gatewright.services.file_check import judge_file
from gatewright.services.file_columns import FileColumns, Terms
from gatewright.services.reports.check_page import check_page
from gatewright.services.shards import plan_files
from gatewright.services.text_files import read_rules
from gatewright.settings import Settings
from tasks.shards import sum_shards, task_runner

__all__ = ["check_scores"]


@task(name="check", cache_policy=NO_CACHE, persist_result=False)
def check_scores(files: Sequence[str], columns: FileColumns, policy: str | None) -> FileVerdict:
    """Add up the shards of ``files``, one dataset in their order; judge; show the verdict as an artifact.

    Raises SpecError for a path outside the root, DataError and ModelError as `gatewright check`.
    """
    settings = Settings()
    paths = [_inside(settings, file) for file in files]
    rules = default_rules() if policy is None else read_rules(_inside(settings, policy))
    where = ", ".join(files)
    plan = plan_files(paths, settings.shards)
    get_run_logger().info("%d rows in %d shards on %s", sum(s.rows for s in plan), len(plan), settings.engine)
    with task_runner(settings.engine, address=settings.engine_address) as runner:
        sums = sum_shards(plan, columns.all(), partial(file_sums, columns=columns, where=where), runner=runner)
    found = measure_sums(sums, Terms(rules.confidence, rules.minimum_support))
    verdict = judge_file(where, columns, found, rules)
    create_markdown_artifact(key="check", markdown=check_page(verdict), description=where)
    return verdict


def _inside(settings: Settings, relative: str) -> Path:
    """What a person named in the form, as a file under the root and nowhere else."""
    root = settings.root.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise SpecError("there is no such file under the root.", where=relative, remedy=f"name a file under {root}.")
    return path
