"""Read a Great Expectations suite strictly.

Great Expectations itself logs and drops an expectation whose type or severity it does not know; a misspelt
rule would then pass for ever. Here every mistake is a SpecError that names the file and the expectation.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gatewright.core.errors import SpecError

__all__ = ["read_suite"]

SUITE_KEYS = {"name", "expectations", "meta", "notes"}
EXPECTATION_KEYS = {"type", "kwargs", "severity", "meta", "description", "notes"}
SEVERITIES = ("critical", "warning", "info")
PARAMETER = "$PARAMETER"


def read_suite(path: Path, parameters: Mapping[str, Any]) -> Any:
    """The suite in ``path`` as a ``great_expectations.ExpectationSuite``.

    Raises SpecError when the file is missing, is not a suite, is empty, states an expectation twice, or holds
    an expectation that Great Expectations does not know, that lacks a severity, or that names a parameter
    which is not in ``parameters``.
    """
    document = _parse(path)
    expectations = [
        _expectation(entry, f"{path}, expectation {number}")
        for number, entry in enumerate(document["expectations"], start=1)
    ]
    _refuse_repetition(document["expectations"], path)
    _refuse_unknown_parameters(document, parameters, path)
    from great_expectations import ExpectationSuite

    return ExpectationSuite(name=document["name"], expectations=expectations)


def _parse(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_unique_keys, parse_constant=_no_constant
        )
    except OSError as error:
        raise _wrong(f"cannot read the suite: {error.strerror}", str(path)) from None
    except ValueError as error:
        raise _wrong(f"not valid JSON: {error}", str(path)) from None
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise _wrong("not a suite: it needs a `name` and a list of `expectations`", str(path))
    _refuse_unknown_keys(document, SUITE_KEYS, str(path))
    if not isinstance(document.get("expectations"), list) or not document["expectations"]:
        raise _wrong("the suite has no expectations, so it would check nothing", str(path))
    return document


def _expectation(entry: Any, where: str) -> Any:
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise _wrong("an expectation needs a `type`", where)
    _refuse_unknown_keys(entry, EXPECTATION_KEYS, where)
    if entry.get("severity") not in SEVERITIES:
        raise _wrong(f"`severity` must be one of {', '.join(SEVERITIES)}", where)
    try:
        return ExpectationConfiguration(**{"kwargs": {}, **entry}).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise _wrong(f"`{entry['type']}`: {' '.join(str(error).split())}", where) from None


def _refuse_repetition(entries: list[dict[str, Any]], path: Path) -> None:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        stated = json.dumps([entry["type"], entry.get("kwargs", {})], sort_keys=True)
        if stated in seen:
            raise _wrong(f"it repeats expectation {seen[stated]}", f"{path}, expectation {number}")
        seen[stated] = number


def _refuse_unknown_parameters(document: Any, parameters: Mapping[str, Any], path: Path) -> None:
    for expression in _expressions(document):
        # GX parameters may be sums such as `period - 1`.
        name = expression.split()[0] if expression.split() else ""
        if name not in parameters:
            raise _wrong(f"the parameter `{name}` is not given; given: {', '.join(parameters) or 'none'}", str(path))


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if PARAMETER in value:
            yield str(value[PARAMETER])
        for inner in value.values():
            yield from _expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _expressions(inner)


def _refuse_unknown_keys(entry: dict[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise _wrong(f"unknown key `{unknown[0]}`; valid keys: {', '.join(sorted(allowed))}", where)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the key `{name}` stands twice")
    return dict(pairs)


def _no_constant(text: str) -> float:
    raise ValueError(f"`{text}` is not a number that can be compared")


def _wrong(problem: str, where: str) -> SpecError:
    return SpecError(
        f"{problem.rstrip('.')}.",
        where=where,
        remedy="correct the suite; `expectations/crash_triage/training.json` is an example.",
    )
