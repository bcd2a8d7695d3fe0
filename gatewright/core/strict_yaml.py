"""Read what a person wrote, strictly: every mistake is refused with file, line and the nearest valid name."""

import difflib
import json
import math
import re
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gatewright.core.errors import SpecError

__all__ = ["MAX_BYTES", "line_of", "parse_yaml"]

MAX_BYTES = 1_000_000
# A policy nests five deep; more is a mistake or an attack on the parser's stack.
MAX_DEPTH = 20
# An integer of more digits is nobody's, and takes long to compare.
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,29})?(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[int | str, ...]


def parse_yaml(text: str, kind: type[Model], *, where: str) -> Model:
    """Parse YAML into ``kind``.

    Raises SpecError for a syntax error, an alias, a tag, a duplicate or unknown key, NaN, a value out of range
    or a missing key; the message holds the line and, for a misspelt key, the nearest valid name.
    """
    root = _compose(text, where)
    lines: dict[Path, int] = {}
    value = _plain(root, (), lines, where)
    if not isinstance(value, dict):
        raise SpecError("the file must be a mapping.", where=f"{where}:1", remedy="start with `key: value` lines.")
    try:
        # As JSON, where lists are tuples and text may be an enum, but `yes` is no number and "1" neither.
        return kind.model_validate_json(json.dumps(value, default=_iso), strict=True)
    except ValidationError as error:
        raise _explain(error, kind, lines, where) from None


def line_of(text: str, key: Path, *, where: str) -> int:
    """The line of a key in YAML that `parse_yaml` took; that of the nearest key above it where it is not there."""
    lines: dict[Path, int] = {}
    _plain(_compose(text, where), (), lines, where)
    return _line(key, lines)


def _compose(text: str, where: str) -> yaml.Node:
    if len(text.encode()) > MAX_BYTES:
        raise SpecError(f"the file is larger than {MAX_BYTES} bytes.", where=where, remedy="split it.")
    try:
        _accept_events(text, where)
        root = yaml.SafeLoader(text).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        raise SpecError(f"not valid YAML: {problem}.", where=f"{where}:{line}", remedy="correct the syntax.") from None
    if root is None:
        raise SpecError("the file is empty.", where=f"{where}:1", remedy="fill it in; `docs/` shows an example.")
    return root


def _accept_events(text: str, where: str) -> None:
    """Before a tree is built: the parser's time grows with the square of the depth."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        here = f"{where}:{event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent):
            remedy = "write the value out where it is used."
            raise SpecError("YAML aliases (`*name`) are not allowed.", where=here, remedy=remedy)
        if getattr(event, "tag", None) is not None:
            raise SpecError("YAML tags (`!name`) are not allowed.", where=here, remedy="write the value alone.")
        if depth > MAX_DEPTH:
            raise SpecError(f"nested deeper than {MAX_DEPTH}.", where=here, remedy="flatten the file.")


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], where: str) -> Any:
    lines[path] = node.start_mark.line + 1
    here = f"{where}:{lines[path]}"
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, where)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), lines, where) for index, child in enumerate(node.value)]
    return _scalar(node, here)


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], where: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _key(key_node, f"{where}:{key_node.start_mark.line + 1}")
        if key in result:
            raise SpecError(
                f"the key `{key}` stands twice.",
                where=f"{where}:{key_node.start_mark.line + 1}",
                remedy="keep one of the two; YAML would silently take the last.",
            )
        result[key] = _plain(value_node, (*path, key), lines, where)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return result


def _key(node: yaml.Node, here: str) -> str:
    key = _scalar(node, here)
    if not isinstance(key, str):
        raise SpecError(f"the key `{key}` is not text.", where=here, remedy="quote it.")
    return key


def _iso(day: date) -> str:
    return day.isoformat()


def _scalar(node: yaml.Node, here: str) -> Any:
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(
            f"not a plain value: {error}.", where=here, remedy="write a number, text or true/false."
        ) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise SpecError(
            f"`{node.value}` is not a number that can be compared.",
            where=here,
            remedy="write a finite number.",
        )
    if type(value) in (int, float) and not _DECIMAL.fullmatch(node.value):
        # YAML 1.1 takes 010 for eight, 1:30 for ninety, and hexadecimal numbers of any length.
        raise SpecError(
            f"`{node.value[:60]}` is not written as a decimal number.",
            where=here,
            remedy="write it in digits, without a zero before them, or quote it where text is meant.",
        )
    if not (value is None or isinstance(value, str | bool | int | float | date)):
        raise SpecError("not a plain value.", where=here, remedy="write a number, text or true/false.")
    return value


def _explain(error: ValidationError, kind: type[BaseModel], lines: dict[Path, int], where: str) -> SpecError:
    # A misspelt required key gives two errors, and the one that holds the wrong word helps more.
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    location: Path = tuple(first["loc"])
    at = f"{where}:{_line(location, lines)}"
    name = ".".join(str(part) for part in location) or kind.__name__
    if first["type"] == "extra_forbidden":
        return SpecError(f"unknown key `{name}`.", where=at, remedy=_hint(str(location[-1]), _names(kind)))
    given = f", but is `{str(first['input'])[:60]}`" if isinstance(first["input"], str | int | float) else ""
    return SpecError(f"`{name}`: {first['msg']}{given}.", where=at, remedy="correct the value.")


def _hint(key: str, names: set[str]) -> str:
    def likeness(name: str) -> float:
        # A typo seldom changes the length, so `minimun` is `minimum` rather than `minimum_n`.
        return difflib.SequenceMatcher(None, key, name).ratio() - 0.05 * abs(len(key) - len(name))

    nearest = max(names, key=likeness)
    return f"did you mean `{nearest}`?" if likeness(nearest) > 0.5 else f"valid keys: {', '.join(sorted(names))}."


def _line(location: Path, lines: dict[Path, int]) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _names(kind: type[BaseModel]) -> set[str]:
    """All key names valid anywhere below ``kind``."""
    names: set[str] = set()
    for key, field in kind.model_fields.items():
        names.add(field.alias or key)
        for inner in _models(field.annotation):
            names |= _names(inner)
    return names


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)
