"""Validate data with a Great Expectations suite, through Great Expectations itself.

An expectation that raised counts as a failed critical one: a rule that could not be measured never passes.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gatewright.core.errors import DataError, SpecError
from gatewright.core.refs import DatasetRef
from gatewright.core.results import Measurement
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.expectations_masking import SAMPLE_ROWS, sample_rows
from gatewright.services.expectations_summary import (
    FailedExpectation,
    Run,
    Samples,
    ValidationOutcome,
    ValidationSummary,
    outcome_of,
)

if TYPE_CHECKING:
    from gatewright.services.onepass.run import OnePassRun

__all__ = [
    "FailedExpectation",
    "ValidationOutcome",
    "ValidationSummary",
    "masked_columns_of",
    "run_suite_on_files",
    "run_suite_on_frame",
    "validate",
    "validate_elsewhere",
    "validate_files",
    "validation_measurements",
]


def validate(
    frame: pd.DataFrame,
    suite_path: Path,
    *,
    dataset_name: str,
    masked_columns: Collection[str],
    parameters: Mapping[str, Any] | None = None,
) -> ValidationOutcome:
    """Run the suite in ``suite_path`` over ``frame``; ``parameters`` fill its ``{"$PARAMETER": name}``.

    Raises SpecError for a suite that is no suite, and DataError for a frame without rows, of which Great
    Expectations would say that all its values are as expected.
    """
    if frame.empty:
        raise DataError("there are no rows to validate.", where=dataset_name, remedy="deliver the data again.")
    rows = frame.reset_index(drop=True)
    outcome = run_suite_on_frame(rows, suite_path, parameters or {})

    def sample(failed: Sequence[Mapping[str, Any]]) -> Samples:
        return [sample_rows(rows.iloc[_positions(entry)], masked_columns) for entry in failed]

    return outcome_of(
        Run(outcome, len(rows), list(rows.columns), sample, "pandas"), dataset=dataset_name, masked=masked_columns
    )


def validate_files(
    paths: Sequence[Path],
    suite_path: Path,
    *,
    dataset_name: str,
    masked_columns: Collection[str],
    parameters: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    plain: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ValidationOutcome:
    """Run the suite over Parquet files, one table in their order, in one streaming pass.

    ``columns`` are those of the table, by default all of the first file. ``plain`` shows categories as their
    values. ``progress`` is told how many rows have been read. Raises SpecError for a suite that is no suite,
    DataError for files without rows, that do not fit together, or that are no Parquet.
    """
    run = run_suite_on_files(paths, suite_path, parameters or {}, columns=columns, plain=plain, progress=progress)
    table = run.table

    def sample(failed: Sequence[Mapping[str, Any]]) -> Samples:
        rows = table.take([position for entry in failed for position in _positions(entry)])
        ends = pd.Series([len(_positions(entry)) for entry in failed]).cumsum().tolist()
        return [
            sample_rows(rows.iloc[end - len(_positions(entry)) : end], masked_columns)
            for entry, end in zip(failed, ends, strict=True)
        ]

    return outcome_of(
        Run(run.outcome, table.rows, table.names, sample, "onepass", run.outside),
        dataset=dataset_name,
        masked=masked_columns,
    )


def validate_elsewhere(
    spec: ModelSpec,
    dataset: DatasetRef,
    suite_path: Path,
    *,
    masked_columns: Collection[str],
    parameters: Mapping[str, Any],
    blobs: BlobStore,
) -> ValidationOutcome:
    """Run the suite where the data are, on the engine of ``spec.validation``. Raises as ``run_elsewhere`` does."""
    from gatewright.services.expectations_elsewhere import run_elsewhere, sample_elsewhere

    run = run_elsewhere(spec, dataset, suite_path, parameters, blobs=blobs)

    def sample(failed: Sequence[Mapping[str, Any]]) -> Samples:
        return [sample_elsewhere(entry, masked_columns) for entry in failed]

    return outcome_of(
        Run(run.outcome, run.rows, run.columns, sample, run.source), dataset=dataset.name, masked=masked_columns
    )


def validation_measurements(outcome: ValidationOutcome, slice: str = "all") -> tuple[Measurement, ...]:
    """Exact counts of one validation on ``slice`` (``training``, ``evaluation``)."""
    summary = outcome.summary
    named = {
        severity: [failure for failure in summary.failures if failure.severity == severity]
        for severity in summary.failed
    }
    counts: list[tuple[str, int, str]] = [
        ("failed_critical_expectations", summary.failed["critical"], _names(named["critical"])),
        ("failed_warning_expectations", summary.failed["warning"], _names(named["warning"])),
        ("expectations_evaluated", summary.evaluated, ""),
        ("rows", summary.rows, ""),
    ]
    return tuple(
        Measurement(metric=metric, slice=slice, value=float(count), n=summary.rows, note=note)
        for metric, count, note in counts
    )


def masked_columns_of(spec: ModelSpec) -> tuple[str, ...]:
    """Columns whose values evidence must not show: the sensitive ones, and what identifies a row's subject."""
    identifiers = [name for name in spec.data.key if name != spec.data.time_column and name not in spec.features]
    return tuple(dict.fromkeys([*(feature.column for feature in spec.sensitive), *identifiers]))


def _positions(entry: Mapping[str, Any]) -> list[int]:
    return list((entry["result"].get("partial_unexpected_index_list") or [])[:SAMPLE_ROWS])


def _context() -> Any:
    # Read once, when the library is imported.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types import base

    # The default configuration leaves a temporary directory behind at each run.
    memory = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    silent = base.ProgressBarsConfig(globally=False)
    config = base.DataContextConfig(store_backend_defaults=memory, progress_bars=silent, analytics_enabled=False)
    return gx.get_context(mode="ephemeral", project_config=config)


def run_suite_on_files(
    paths: Sequence[Path],
    suite_path: Path,
    parameters: Mapping[str, Any],
    *,
    columns: Sequence[str] | None = None,
    plain: bool = False,
    progress: Callable[[int], None] | None = None,
) -> "OnePassRun":
    """Great Expectations' own result, unmasked, of the suite over Parquet files. Raises as ``validate_files`` does."""
    from gatewright.services.expectations_suite import read_suite
    from gatewright.services.onepass.table import ParquetTable

    table = ParquetTable(paths, columns=columns, plain=plain, progress=progress)
    context, suite = _context(), read_suite(suite_path, parameters)
    from gatewright.services.onepass.run import run_onepass

    expectations = len(suite.expectations)
    run = run_onepass(context, table, suite, parameters)
    _refuse_dropped(run.outcome, expectations, suite_path)
    return run


def run_suite_on_frame(frame: pd.DataFrame, suite_path: Path, parameters: Mapping[str, Any]) -> Any:
    """Great Expectations' own result, unmasked, of the suite over ``frame``."""
    context = _context()
    from gatewright.services.expectations_suite import read_suite

    suite = read_suite(suite_path, parameters)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    # Storing a result, as a ValidationDefinition does, fails on numpy's bool under pandas 3.1.
    outcome = batch.validate(suite, expectation_parameters=dict(parameters), result_format="SUMMARY")
    _refuse_dropped(outcome, len(suite.expectations), suite_path)
    return outcome


def _refuse_dropped(outcome: Any, expectations: int, suite_path: Path) -> None:
    if len(outcome.results) != expectations:
        raise SpecError(
            f"Great Expectations answered {len(outcome.results)} of {expectations} expectations.",
            where=str(suite_path),
            remedy="look for expectations it merges or drops, and reword them.",
        )


def _names(failures: Sequence[FailedExpectation]) -> str:
    return "; ".join(
        f"{failure.expectation} ({failure.column or 'table'}){' raised' if failure.exception else ''}"
        for failure in failures
    )
