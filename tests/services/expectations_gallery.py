"""Each of Great Expectations' core expectations twice: once as these rows fulfil it, once as they do not."""

from typing import Any

import pandas as pd

__all__ = ["GALLERY", "rows"]

EMPTY = float("nan")


def rows() -> pd.DataFrame:
    """Ten rows: whole numbers, real numbers with a gap, texts of several forms, and at the end a key."""
    return pd.DataFrame(
        {
            "whole": [1, 2, 3, 4, 5, 6, 7, 8, 9, 30],
            "other": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            "same": [1, 2, 3, 4, 5, 6, 7, 8, 9, 31],
            "real": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, EMPTY],
            "kind": ["a", "a", "a", "a", "b", "b", "b", "c", "c", None],
            "code": [f"n{number}" for number in range(10)],
            "day": [f"2000-01-{number:02}" for number in range(1, 11)],
            "json": ['{"a": 1}'] * 10,
            "mixed": ["n1", "2000-01-01", '{"a": 1}', "x", "x", "x", "x", "x", "x", "x"],
            "period": [2000] * 10,
            "key": list(range(10)),
        }
    )


def _on(column: str, good: dict[str, Any], bad: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"column": column, **good}, {"column": column, **bad}


def _pair(good: tuple[str, str], bad: tuple[str, str], **rest: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"column_A": good[0], "column_B": good[1], **rest}, {"column_A": bad[0], "column_B": bad[1], **rest}


def _list(good: list[str], bad: list[str], **rest: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"column_list": good, **rest}, {"column_list": bad, **rest}


COLUMNS = list(rows().columns)
PAIRS = [[number, number - 1] for number in range(1, 10)]
JSON = {"type": "object", "properties": {"a": {"type": "integer"}}}
NUMBER = {"type": "object", "properties": {"a": {"type": "string"}}}
WEIGHTS = {"values": ["a", "b", "c"], "weights": [0.45, 0.33, 0.22]}
SKEWED = {"values": ["a", "b", "c"], "weights": [0.01, 0.01, 0.98]}

# Type without `expect_` -> arguments that hold, arguments that do not.
GALLERY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "column_distinct_values_to_be_in_set": _on("kind", {"value_set": ["a", "b", "c", "d"]}, {"value_set": ["a"]}),
    "column_distinct_values_to_contain_set": _on("kind", {"value_set": ["a"]}, {"value_set": ["z"]}),
    "column_distinct_values_to_equal_set": _on("kind", {"value_set": ["a", "b", "c"]}, {"value_set": ["a"]}),
    "column_kl_divergence_to_be_less_than": _on(
        "kind",
        {"partition_object": WEIGHTS, "threshold": 0.1},
        {"partition_object": SKEWED, "threshold": 0.1},
    ),
    "column_max_to_be_between": _on("whole", {"max_value": 30}, {"max_value": 29}),
    "column_mean_to_be_between": _on("real", {"min_value": 4.4, "max_value": 4.6}, {"min_value": 5}),
    "column_median_to_be_between": _on("whole", {"min_value": 5.5, "max_value": 5.5}, {"min_value": 6}),
    "column_min_to_be_between": _on("whole", {"min_value": 1}, {"min_value": 2}),
    "column_most_common_value_to_be_in_set": _on("kind", {"value_set": ["a"]}, {"value_set": ["b"]}),
    "column_pair_values_a_to_be_greater_than_b": _pair(("whole", "other"), ("other", "whole")),
    "column_pair_values_to_be_equal": _pair(("whole", "whole"), ("whole", "same")),
    "column_pair_values_to_be_in_set": (
        {"column_A": "whole", "column_B": "other", "value_pairs_set": [*PAIRS, [30, 9]]},
        {"column_A": "whole", "column_B": "other", "value_pairs_set": PAIRS},
    ),
    "column_proportion_of_non_null_values_to_be_between": _on("real", {"min_value": 0.9}, {"min_value": 0.95}),
    "column_proportion_of_unique_values_to_be_between": _on("kind", {"max_value": 0.4}, {"min_value": 0.5}),
    "column_quantile_values_to_be_between": _on(
        "whole",
        {"quantile_ranges": {"quantiles": [0.1, 0.5], "value_ranges": [[1, 2], [5, 6]]}},
        {"quantile_ranges": {"quantiles": [0.1, 0.5], "value_ranges": [[1, 2], [7, 8]]}},
    ),
    "column_stdev_to_be_between": _on("real", {"min_value": 2.7, "max_value": 2.8}, {"max_value": 2.7}),
    "column_sum_to_be_between": _on("real", {"min_value": 40.5, "max_value": 40.5}, {"min_value": 41}),
    "column_to_exist": _on("whole", {}, {"column_index": 5}),
    "column_type_to_be": _on("kind", {"type_": "str"}, {"type_": "int64"}),
    "column_unique_value_count_to_be_between": _on("kind", {"max_value": 3}, {"min_value": 4}),
    "column_value_lengths_to_be_between": _on("day", {"min_value": 10}, {"min_value": 11}),
    "column_value_lengths_to_equal": _on("day", {"value": 10}, {"value": 9}),
    "column_value_z_scores_to_be_less_than": _on(
        "whole", {"threshold": 3, "double_sided": True}, {"threshold": 2, "double_sided": True}
    ),
    "column_values_to_be_between": _on("real", {"min_value": 0}, {"min_value": 1}),
    "column_values_to_be_dateutil_parseable": ({"column": "day"}, {"column": "mixed"}),
    "column_values_to_be_decreasing": ({"column": "period"}, {"column": "whole"}),
    "column_values_to_be_in_set": _on("kind", {"value_set": ["a", "b", "c"]}, {"value_set": ["a", "b"]}),
    "column_values_to_be_in_type_list": _on("whole", {"type_list": ["int64", "str"]}, {"type_list": ["str"]}),
    "column_values_to_be_increasing": ({"column": "period"}, {"column": "kind"}),
    "column_values_to_be_json_parseable": ({"column": "json"}, {"column": "mixed"}),
    "column_values_to_be_null": _on("kind", {"mostly": 0.1}, {"mostly": 0.2}),
    "column_values_to_be_of_type": _on("real", {"type_": "float64"}, {"type_": "int64"}),
    "column_values_to_be_unique": ({"column": "code"}, {"column": "kind"}),
    "column_values_to_match_json_schema": _on("json", {"json_schema": JSON}, {"json_schema": NUMBER}),
    "column_values_to_match_like_pattern": _on("day", {"like_pattern": "2000%"}, {"like_pattern": "2001%"}),
    "column_values_to_match_like_pattern_list": _on(
        "day", {"like_pattern_list": ["2000%", "x%"]}, {"like_pattern_list": ["2001%", "x%"]}
    ),
    "column_values_to_match_regex": _on("code", {"regex": "^n[0-9]$"}, {"regex": "^m"}),
    "column_values_to_match_regex_list": _on("code", {"regex_list": ["^n", "^m"]}, {"regex_list": ["^x", "^m"]}),
    "column_values_to_match_strftime_format": _on(
        "day", {"strftime_format": "%Y-%m-%d"}, {"strftime_format": "%d.%m.%Y"}
    ),
    "column_values_to_not_be_in_set": _on("kind", {"value_set": ["z"]}, {"value_set": ["a"]}),
    "column_values_to_not_be_null": _on("real", {"mostly": 0.9}, {}),
    "column_values_to_not_be_outliers": _on(
        "whole", {"method": "std", "multiplier": 3.0}, {"method": "iqr", "multiplier": 1.5}
    ),
    "column_values_to_not_match_like_pattern": _on("day", {"like_pattern": "2001%"}, {"like_pattern": "2000%"}),
    "column_values_to_not_match_like_pattern_list": _on(
        "day", {"like_pattern_list": ["2001%"]}, {"like_pattern_list": ["2000%"]}
    ),
    "column_values_to_not_match_regex": _on("code", {"regex": "^m"}, {"regex": "^n"}),
    "column_values_to_not_match_regex_list": _on("code", {"regex_list": ["^m"]}, {"regex_list": ["^n"]}),
    "compound_columns_to_be_unique": _list(["period", "key"], ["period", "kind"]),
    "multicolumn_sum_to_equal": (
        {"column_list": ["key", "period"], "sum_total": 2000, "mostly": 0.1},
        {"column_list": ["key", "period"], "sum_total": 2000},
    ),
    "multicolumn_values_to_be_equal": _list(["whole", "whole"], ["whole", "same"]),
    "select_column_values_to_be_unique_within_record": _list(["whole", "other"], ["whole", "same"]),
    "table_column_count_to_be_between": ({"max_value": len(COLUMNS)}, {"max_value": len(COLUMNS) - 1}),
    "table_column_count_to_equal": ({"value": len(COLUMNS)}, {"value": 1}),
    "table_columns_to_match_ordered_list": ({"column_list": COLUMNS}, {"column_list": COLUMNS[::-1]}),
    "table_columns_to_match_set": ({"column_set": COLUMNS[::-1]}, {"column_set": COLUMNS[1:]}),
    "table_row_count_to_be_between": ({"max_value": 10}, {"max_value": 9}),
    "table_row_count_to_equal": ({"value": 10}, {"value": 9}),
}
