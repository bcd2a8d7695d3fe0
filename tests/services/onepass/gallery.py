"""Every type of Great Expectations' core gallery, with arguments that hold, that fail and that make no sense."""

import inspect
from typing import Any

__all__ = ["CASES", "core_types"]

Cases = dict[str, list[dict[str, Any]]]

WEIGHTS = {"values": ["a", "b", "c"], "weights": [0.5, 0.3, 0.2]}
BINS = {"bins": [-10, 0, 1, 5, 100], "weights": [0.25, 0.25, 0.25, 0.25]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
QUANTILES = {"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[-100, 10], [0, None], [None, 5]]}
RANGES: list[dict[str, Any]] = [
    {"min_value": 0, "max_value": 5},
    {"min_value": -(10**6), "max_value": 2**60, "strict_min": True, "strict_max": True},
    {"max_value": "2026-02-01"},
]
SETS: list[dict[str, Any]] = [
    {"value_set": [1, 2, 3]},
    {"value_set": ["a", "b", "c", "ü"]},
    {"value_set": [True, False]},
    {"value_set": ["2026-01-01", "2026-01-02"]},
]

COLUMN: Cases = {
    "column_distinct_values_to_be_in_set": SETS,
    "column_distinct_values_to_contain_set": SETS,
    "column_distinct_values_to_equal_set": SETS,
    "column_kl_divergence_to_be_less_than": [
        {"partition_object": WEIGHTS, "threshold": 0.1},
        {"partition_object": BINS, "threshold": 9, "tail_weight_holdout": 0.01, "internal_weight_holdout": 0.01},
    ],
    "column_max_to_be_between": RANGES,
    "column_mean_to_be_between": RANGES[:1],
    "column_median_to_be_between": RANGES[:1],
    "column_min_to_be_between": RANGES,
    "column_most_common_value_to_be_in_set": [*SETS[:2], {"value_set": ["a", "b"], "ties_okay": True}],
    "column_proportion_of_non_null_values_to_be_between": [{"min_value": 0.95}],
    "column_proportion_of_unique_values_to_be_between": [{"max_value": 0.5}],
    "column_quantile_values_to_be_between": [
        {"quantile_ranges": QUANTILES},
        {"quantile_ranges": QUANTILES, "allow_relative_error": "linear"},
    ],
    "column_stdev_to_be_between": RANGES[:1],
    "column_sum_to_be_between": RANGES[:1],
    "column_to_exist": [{}],
    "column_type_to_be": [{"type_": "int64"}, {"type_": "str"}],
    "column_unique_value_count_to_be_between": [{"min_value": 1, "max_value": 4}],
    "column_value_lengths_to_be_between": [{"min_value": 1, "max_value": 2}],
    "column_value_lengths_to_equal": [{"value": 1}],
    "column_value_z_scores_to_be_less_than": [
        {"threshold": 1.5, "double_sided": True},
        {"threshold": 1, "double_sided": False},
    ],
    "column_values_to_be_between": RANGES,
    "column_values_to_be_dateutil_parseable": [{}],
    "column_values_to_be_decreasing": [{}],
    "column_values_to_be_in_set": [*SETS, {"value_set": ["a", "b"], "mostly": 0.5}],
    "column_values_to_be_in_type_list": [{"type_list": ["int64", "str"]}, {"type_list": ["date", "bool"]}],
    "column_values_to_be_increasing": [{}, {"strictly": True}],
    "column_values_to_be_json_parseable": [{}],
    "column_values_to_be_null": [{}, {"mostly": 0.01}],
    "column_values_to_be_of_type": [{"type_": "int64"}, {"type_": "str"}, {"type_": "bool"}],
    "column_values_to_be_unique": [{}],
    "column_values_to_match_json_schema": [{"json_schema": SCHEMA}],
    "column_values_to_match_like_pattern": [{"like_pattern": "a%"}],
    "column_values_to_match_like_pattern_list": [{"like_pattern_list": ["a%"]}],
    "column_values_to_match_regex": [{"regex": "^[a-c1-3]"}],
    "column_values_to_match_regex_list": [{"regex_list": ["^a", "1$"]}, {"regex_list": ["."], "match_on": "all"}],
    "column_values_to_match_strftime_format": [{"strftime_format": "%Y-%m-%d"}],
    "column_values_to_not_be_in_set": SETS,
    "column_values_to_not_be_null": [{}, {"mostly": 0.5}],
    "column_values_to_not_be_outliers": [{"method": "iqr"}, {"method": "std", "multiplier": 2}],
    "column_values_to_not_match_like_pattern": [{"like_pattern": "a%"}],
    "column_values_to_not_match_like_pattern_list": [{"like_pattern_list": ["a%"]}],
    "column_values_to_not_match_regex": [{"regex": "^[a-c1-3]"}],
    "column_values_to_not_match_regex_list": [{"regex_list": ["^a", "1$"]}],
}
IGNORED_PAIRS = ("both_values_are_missing", "either_value_is_missing", "neither")
IGNORED_ROWS = ("all_values_are_missing", "any_value_is_missing", "never")
PAIR: Cases = {
    "column_pair_values_a_to_be_greater_than_b": [
        *({"or_equal": True, "ignore_row_if": rule} for rule in IGNORED_PAIRS),
        {"or_equal": False},
    ],
    "column_pair_values_to_be_equal": [{"ignore_row_if": rule} for rule in IGNORED_PAIRS],
    "column_pair_values_to_be_in_set": [
        {"value_pairs_set": [(1, 2), ("a", "b"), ("a", None)], "ignore_row_if": rule} for rule in IGNORED_PAIRS
    ],
}
RECORD: Cases = {
    "compound_columns_to_be_unique": [{"ignore_row_if": rule} for rule in IGNORED_ROWS],
    "multicolumn_sum_to_equal": [{"sum_total": 3, "ignore_row_if": rule} for rule in IGNORED_ROWS],
    "multicolumn_values_to_be_equal": [{"ignore_row_if": rule} for rule in IGNORED_ROWS],
    "select_column_values_to_be_unique_within_record": [{"ignore_row_if": rule} for rule in IGNORED_ROWS],
}
TABLE: Cases = {
    "query_results_to_match_comparison": [
        {"base_query": "select 1 from {batch}", "comparison_data_source_name": "x", "comparison_query": "select 1"}
    ],
    "table_column_count_to_be_between": [{"min_value": 1, "max_value": 99}, {"max_value": 2}],
    "table_column_count_to_equal": [{"value": 3}],
    "table_columns_to_match_ordered_list": [{"column_list": ["whole", "text"]}],
    "table_columns_to_match_set": [{"column_set": ["whole"], "exact_match": False}, {"column_set": ["none"]}],
    "table_row_count_to_be_between": [{"min_value": 1}, {"max_value": 2}],
    "table_row_count_to_equal": [{"value": 60}, {"value": 61}],
    "unexpected_rows_expectation": [{"unexpected_rows_query": "select * from {batch} where whole > 3"}],
    "table_row_count_to_equal_other_table": [{"other_table_name": "other"}],
}
CASES = {"column": COLUMN, "pair": PAIR, "record": RECORD, "table": TABLE}


def core_types() -> set[str]:
    """What the installed Great Expectations has, without ``expect_``."""
    from great_expectations.expectations import core
    from great_expectations.expectations.expectation import Expectation

    found = {
        one.expectation_type for _, one in inspect.getmembers(core, inspect.isclass) if issubclass(one, Expectation)
    }
    return {name.removeprefix("expect_") for name in found if name}
