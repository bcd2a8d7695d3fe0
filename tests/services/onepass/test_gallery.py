"""Every core expectation gives, over hostile data, what stock Great Expectations gives, field by field."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.onepass.gallery import CASES, core_types
from tests.services.onepass.hostile import hostile_table, one_pass, stock, write

PAIRS = [
    ("whole", "whole_with_gaps"),
    ("text", "text_with_gaps"),
    ("real", "sorted"),
    ("day", "day_with_gaps"),
    ("flag", "flag_with_gaps"),
    ("big", "big_with_gaps"),
    ("text", "whole"),
    ("moment", "moment_with_gaps"),
    ("category", "text"),
    ("no_number", "no_text"),
    ("whole", "absent"),
]
RECORDS = [
    ["whole", "whole_with_gaps", "tiny"],
    ["text", "text_with_gaps"],
    ["text_unique", "whole"],
    ["real", "sorted"],
    ["no_number", "no_text"],
    ["big", "big_with_gaps"],
    ["category", "text"],
    ["flag", "flag_with_gaps"],
    ["list", "whole"],
    ["whole", "absent"],
]
# All of them take minutes, most of it in Great Expectations: `python -m tests.services.onepass.test_gallery [SECONDS]`.
EVERY = 23


def every_case() -> Iterator[dict[str, Any]]:
    """Each type and its arguments, on each column, pair of columns or record."""
    domains: dict[str, list[dict[str, Any]]] = {
        "column": [{"column": name} for name in [*hostile_table().column_names, "absent"]],
        "pair": [{"column_A": a, "column_B": b} for a, b in PAIRS],
        "record": [{"column_list": names} for names in RECORDS],
        "table": [{}],
    }
    for group, types in CASES.items():
        for name, arguments in types.items():
            for given in arguments:
                for domain in domains[group]:
                    yield {"type": name, "kwargs": {**domain, **given}}


def differences(path: Path, cases: list[dict[str, Any]], block_rows: int) -> list[tuple[Any, Any]]:
    """What the two engines do not agree on."""
    found: list[tuple[Any, Any]] = []
    # Great Expectations' time grows with the square of the expectations that raise.
    for at in range(0, len(cases), 40):
        some = cases[at : at + 40]
        ours, _ = one_pass(path, some, block_rows=block_rows)
        found += [(one, other) for one, other in zip(ours, stock(path, some), strict=True) if one != other]
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(hostile_table(), tmp_path_factory.mktemp("hostile") / "hostile.parquet")


def test_no_type_of_the_core_gallery_is_forgotten() -> None:
    """A type that a new Great Expectations brings must be added to the cases."""
    assert core_types() == {name for types in CASES.values() for name in types}


@pytest.mark.parametrize("start", [1])
def test_a_table_of_one_block_gives_stock_results_to_the_last_bit(start: int, path: Path) -> None:
    """Success, observed values, counts, shown rows and exceptions are equal for each type and kind of column."""
    cases = list(every_case())[start::EVERY]
    assert differences(path, cases, block_rows=1000) == []


def test_expectations_about_the_table_give_stock_results(path: Path) -> None:
    """From the footers, and never about another table."""
    cases = [case for case in every_case() if case["type"] in CASES["table"]]
    assert differences(path, cases, block_rows=1000) == []


def main(seconds: float) -> None:
    """Compare case by case, each 23rd first, until ``seconds`` are over; print differences and how far it came."""
    end = time.monotonic() + seconds
    every = list(every_case())
    cases = [case for start in range(EVERY) for case in every[start::EVERY]]
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        file = write(hostile_table(), Path(folder) / "hostile.parquet")
        while done < len(cases) and time.monotonic() < end:
            for one, other in differences(file, cases[done : done + 40], block_rows=1000):
                print(f"ours:  {one}\nstock: {other}")
            done = min(done + 40, len(cases))
            print(f"{done} of {len(cases)}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0)
