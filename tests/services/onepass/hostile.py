"""A small table with a column of everything that goes wrong, and both engines on it."""

import datetime
import json
import math
import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["ROWS", "hostile_table", "one_pass", "stock"]

ROWS = 60
DAY = datetime.date(2026, 1, 1)
NOON = datetime.datetime(2026, 1, 1, 12)


def hostile_table() -> pa.Table:
    """Sixty rows; a name says what is in the column."""
    n = range(ROWS)
    return pa.table(
        {
            "whole": [k % 5 for k in n],
            "whole_with_gaps": [None if k % 7 == 3 else k % 5 for k in n],
            "big": [2**53 + k for k in n],
            "big_with_gaps": [None if k == 40 else 2**53 + k for k in n],
            "tiny": pa.array([k % 3 for k in n], pa.int8()),
            "unsigned": pa.array([2**64 - 1 - k % 4 for k in n], pa.uint64()),
            "real": [math.nan if k % 11 == 0 else None if k % 13 == 0 else math.sin(k) * 10 for k in n],
            "endless": [math.inf if k == 50 else -0.0 if k % 2 else 0.0 for k in n],
            "single": pa.array([k / 7 for k in n], pa.float32()),
            "no_number": pa.nulls(ROWS, pa.float64()),
            "no_text": pa.nulls(ROWS, pa.string()),
            "nothing": pa.nulls(ROWS),
            "late_nothing": pa.array([None if k > 20 else k for k in n], pa.int64()),
            "flag": [k % 3 == 0 for k in n],
            "flag_with_gaps": [None if k % 9 == 0 else k % 2 == 0 for k in n],
            "text": [("a", "b", "c", "a")[k % 4] for k in n],
            "text_with_gaps": [(None, "ü", "", "日本", "a\u0301", "a", "\U0001f600", "x" * 300)[k % 8] for k in n],
            "text_unique": [f"key-{k}" for k in n],
            "text_of_numbers": [str(k % 6) for k in n],
            "text_of_json": ['{"a": 1}', '{"a": "x"}', "[", "2026-01-02"] * (ROWS // 4),
            "day": [DAY + datetime.timedelta(days=k % 40) for k in n],
            "day_with_gaps": [None if k % 10 == 0 else DAY + datetime.timedelta(days=k) for k in n],
            "moment": pa.array([NOON + datetime.timedelta(hours=k) for k in n], pa.timestamp("us")),
            "moment_with_gaps": pa.array([None if k == 5 else NOON for k in n], pa.timestamp("ns")),
            "moment_somewhere": pa.array([NOON for _ in n], pa.timestamp("us", tz="Europe/Berlin")),
            "category": pa.array([("a", "b", None)[k % 3] for k in n]).dictionary_encode(),
            "decimal": [Decimal(k) / 4 for k in n],
            "constant": [1.5] * ROWS,
            "sorted": [float(k) for k in n],
            "list": [[k % 2] for k in n],
            "odd name'`": [k % 2 for k in n],
        }
    )


def write(table: pa.Table, path: Path, *, row_group_size: int = 17) -> Path:
    """``table`` as Parquet in row groups that fit no block."""
    pq.write_table(table, path, row_group_size=row_group_size)
    return path


def suite_of(expectations: Sequence[dict[str, Any]]) -> Any:
    """A GX suite of ``{"type", "kwargs"}`` entries; the type without ``expect_``."""
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return gx.ExpectationSuite(
        name="hostile",
        expectations=[
            ExpectationConfiguration(type=_full(one["type"]), kwargs=one["kwargs"], meta={"n": n}).to_domain_obj()
            for n, one in enumerate(expectations)
        ],
    )


def one_pass(
    path: Path, expectations: Sequence[dict[str, Any]], *, block_rows: int, result_format: Any = "SUMMARY"
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Results of our engine in the suite's order, comparable, and what was computed outside the pass."""
    from gatewright.services.onepass.run import run_onepass
    from gatewright.services.onepass.table import ParquetTable

    table = ParquetTable([path], block_rows=block_rows)
    run = run_onepass(_context(), table, suite_of(expectations), {}, result_format)
    return _comparable(run.outcome), run.outside


def stock(
    path: Path, expectations: Sequence[dict[str, Any]], *, result_format: Any = "SUMMARY"
) -> list[dict[str, Any]]:
    """Results of stock Great Expectations on the frame that pandas reads, in the suite's order, comparable."""
    asset = _context().data_sources.add_pandas("frames").add_dataframe_asset("frame")
    frame = pd.read_parquet(path)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return _comparable(batch.validate(suite_of(expectations), result_format=result_format))


def _full(name: str) -> str:
    return name if name == "unexpected_rows_expectation" else f"expect_{name}"


def _context() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types import base

    memory = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    silent = base.ProgressBarsConfig(globally=False)
    return gx.get_context(
        mode="ephemeral",
        project_config=base.DataContextConfig(
            store_backend_defaults=memory, progress_bars=silent, analytics_enabled=False
        ),
    )


def _comparable(outcome: Any) -> list[dict[str, Any]]:
    results = sorted(outcome.results, key=lambda one: one.expectation_config.meta["n"])
    return [_entry(one.to_json_dict()) for one in results]


def _entry(result: dict[str, Any]) -> dict[str, Any]:
    config, info = result["expectation_config"], result.get("exception_info") or {}
    infos = [info] if "raised_exception" in info else list(info.values())
    # The name of the engine's class stands in some messages. How many metrics report the same is left to chance.
    messages = {str(one["exception_message"]).replace("OnePassEngine", "PandasExecutionEngine") for one in infos}
    return {
        "type": config["type"],
        "kwargs": json.dumps(
            {k: v for k, v in config["kwargs"].items() if k != "batch_id"}, sort_keys=True, default=str
        ),
        "success": bool(result["success"]),
        "result": json.loads(json.dumps(result["result"], default=str, sort_keys=True)),
        "raised": sorted(messages),
    }
