"""The suite that validation is timed with: 45 expectations over the 30 columns of the table."""

from typing import Any

from benchmarks.data import CATEGORIES, SENSITIVE

__all__ = ["COLUMNS", "EXPECTATIONS", "suite_document"]

NAMES = [*(f"n{k}" for k in range(14)), *(f"i{k}" for k in range(6)), *CATEGORIES, "day", *SENSITIVE]
COLUMNS = tuple(NAMES)
BOUND = 7


def _expect(kind: str, severity: str = "critical", **arguments: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": arguments, "severity": severity}


def _numbers() -> list[dict[str, Any]]:
    quantiles = {"quantiles": [0.05, 0.5, 0.95], "value_ranges": [[-2, -1], [-0.2, 0.2], [1, 2]]}
    return [
        *(_expect("column_values_to_not_be_null", column=f"n{k}") for k in range(6)),
        _expect("column_values_to_not_be_null", "warning", column="n13", mostly=0.94),
        *(
            _expect("column_values_to_be_between", column=f"n{k}", min_value=-BOUND, max_value=BOUND)
            for k in (*range(6), 13)
        ),
        _expect("column_values_to_be_between", "warning", column="n6", min_value=-3, max_value=3, mostly=0.99),
        *(_expect("column_mean_to_be_between", column=f"n{k}", min_value=-0.1, max_value=0.1) for k in (0, 1)),
        _expect("column_stdev_to_be_between", column="n0", min_value=0.9, max_value=1.1),
        _expect("column_median_to_be_between", column="n1", min_value=-0.1, max_value=0.1),
        _expect("column_quantile_values_to_be_between", column="n2", quantile_ranges=quantiles),
        _expect("column_max_to_be_between", column="n12", min_value=1, max_value=5000),
        _expect("column_min_to_be_between", column="n12", min_value=0, max_value=1),
        _expect(
            "column_value_z_scores_to_be_less_than",
            "warning",
            column="n3",
            threshold=4,
            double_sided=True,
            mostly=0.999,
        ),
    ]


def _integers() -> list[dict[str, Any]]:
    return [
        *(
            _expect("column_values_to_be_between", column=f"i{k}", min_value=0, max_value=10 ** (k + 1) - 1)
            for k in range(3)
        ),
        _expect("column_values_to_be_in_set", column="i5", value_set=[0, 1]),
        _expect("column_unique_value_count_to_be_between", column="i1", min_value=2, max_value=100),
        _expect("column_sum_to_be_between", "info", column="i5", min_value=1),
        *(_expect("column_values_to_be_of_type", column=name, type_="int64") for name in ("i0", "i4")),
    ]


def _texts() -> list[dict[str, Any]]:
    return [
        *(
            _expect("column_values_to_be_in_set", column=name, value_set=[f"{name}-{k:03}" for k in range(size)])
            for name, size in CATEGORIES.items()
            if name in ("c0", "c1", "c2")
        ),
        _expect("column_values_to_match_regex", column="c4", regex=r"^c4-\d{3}$"),
        _expect("column_values_to_match_regex", column="c5", regex=r"^c5-\d{3}$"),
        _expect("column_value_lengths_to_equal", column="c3", value=6),
        *(
            _expect("column_distinct_values_to_equal_set", column=name, value_set=values)
            for name, values in SENSITIVE.items()
        ),
        _expect("column_values_to_not_be_null", column="day"),
    ]


def _table() -> list[dict[str, Any]]:
    return [
        _expect("table_row_count_to_be_between", min_value=1000),
        _expect("table_columns_to_match_set", column_set=list(COLUMNS), exact_match=False),
        _expect("column_pair_values_a_to_be_greater_than_b", column_A="n12", column_B="i5", or_equal=False, mostly=0.1),
        _expect("column_proportion_of_unique_values_to_be_between", column="c3", max_value=0.1),
    ]


EXPECTATIONS = [*_numbers(), *_integers(), *_texts(), *_table()]


def suite_document() -> dict[str, Any]:
    """The suite as Great Expectations' JSON."""
    return {"name": "benchmark", "expectations": EXPECTATIONS}
