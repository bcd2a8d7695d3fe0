"""JSON Schemas (draft 2020-12) of the YAML that people write, for editors and for checks outside Gatewright.

They come from the records that parse the files, so a schema knows every key, type and range. Rules between keys are
added where JSON Schema can say them; what it cannot say (one id twice, a band that overlaps) only the parser refuses.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gatewright.core.policy import Policy, RuleSet
from gatewright.core.records import Record
from gatewright.core.roster import Roster
from gatewright.core.routing import Routes
from gatewright.core.spec import ModelSpec

__all__ = ["SCHEMAS", "SchemaKind", "file_name", "json_schema", "modeline", "schema_text"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


class SchemaKind(NamedTuple):
    """One kind of file: the record that parses it, and which file it is."""

    record: type[Record]
    title: str


SCHEMAS: Mapping[str, SchemaKind] = {
    "model": SchemaKind(ModelSpec, "Gatewright model spec (model.yaml)"),
    "notifications": SchemaKind(Routes, "Gatewright notifications (policies/notifications.yaml)"),
    "policy": SchemaKind(Policy, "Gatewright policy (policies/<model>.yaml)"),
    "roster": SchemaKind(Roster, "Gatewright roster (policies/roster.yaml)"),
    "rules": SchemaKind(RuleSet, "Gatewright rules (gatewright check --policy)"),
}


def json_schema(name: str) -> Schema:
    """The schema of one of ``SCHEMAS``; raises KeyError for another name."""
    kind = SCHEMAS[name]
    schema = kind.record.model_json_schema()
    parts = {kind.record.__name__: schema, **schema.get("$defs", {})}
    for part, one in parts.items():
        _describe(one)
        one.update(_BETWEEN_KEYS.get(part, {}))
    return {"$schema": DIALECT, **schema, "title": kind.title}


def schema_text(name: str) -> str:
    """The schema as it is printed and stored: the same bytes each time. Raises KeyError as `json_schema`."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def file_name(name: str) -> str:
    """``policy.schema.json``."""
    return f"{name}.schema.json"


def modeline(name: str, folder: str) -> str:
    """The first line of a YAML file that tells editors (the YAML language server) which schema it follows."""
    return f"# yaml-language-server: $schema={folder.rstrip('/')}/{file_name(name)}"


def _describe(schema: Schema) -> None:
    """Give each key the sentences of the record's description that name it."""
    said = " ".join(schema.get("description", "").split())
    if said:
        schema["description"] = _unmarked(said)
    sentences = re.split(r"(?<=[.;]) (?=[A-Z`])", said)
    for name, value in schema.get("properties", {}).items():
        about = [one for one in sentences if re.search(rf"``{re.escape(name)}\b", one)]
        value.pop("title", None)
        if about and "description" not in value:
            value["description"] = _unmarked(" ".join(about))


def _unmarked(text: str) -> str:
    return text.replace("``", "`").rstrip(";")


def _when(key: str, *values: object) -> Schema:
    return {"properties": {key: {"enum": list(values)}}, "required": [key]}


def _given(*keys: str) -> Schema:
    """The keys are there and not null."""
    return {"required": list(keys), "properties": {key: {"not": {"type": "null"}} for key in keys}}


def _only_with(key: str, condition: Schema) -> Schema:
    """``key`` is needed where the condition holds, and refused elsewhere."""
    return {"if": condition, "then": _given(key), "else": {"not": _given(key)}}


_A_LIMIT: Schema = {"anyOf": [_given("minimum"), _given("maximum")]}
_IS_A_LIMIT: Schema = {"not": _when("test", "superiority", "non_inferiority", "equivalence")}
_HAS_MARGIN: Schema = _when("test", "non_inferiority", "equivalence")
_TEST_SETS_LIMITS: Schema = {
    "if": _IS_A_LIMIT,
    "then": _A_LIMIT,
    "else": {"not": {"anyOf": [_given("minimum"), _given("maximum"), _when("decide_on", "value")]}},
}
_BINARY: Schema = _when("task", "binary_classification")
_POSITIVE: Schema = {"properties": {"target": _given("positive")}}

# What the records' validators say, as far as JSON Schema can say it too.
_BETWEEN_KEYS: Mapping[str, Schema] = {
    "ModelSpec": {
        "allOf": [
            _only_with("decision_threshold", _BINARY),
            {"if": _BINARY, "then": _POSITIVE, "else": {"not": {**_POSITIVE, "required": ["target"]}}},
            {"properties": {"suites": {"required": ["training", "evaluation"]}}},
            {"properties": {"features": {"uniqueItems": True}}},
        ]
    },
    "Validation": {
        "if": _when("engine", "sql"),
        "then": _given("connection", "table"),
        "else": {"not": {"anyOf": [_given("connection"), _given("table")]}},
    },
    "Perturbation": {
        "allOf": [
            _only_with("factor", _when("kind", "unit_error", "out_of_range")),
            {"if": {"not": _when("kind", "noise", "shift")}, "then": {"properties": {"amount": {"maximum": 1}}}},
            {"if": _given("where"), "then": {**_when("kind", "shift"), "required": ["kind", "values"]}},
        ]
    },
    "Rule": {"allOf": [_only_with("margin", _HAS_MARGIN), _TEST_SETS_LIMITS]},
    "MonitoringRule": _A_LIMIT,
    "Tier": {
        "allOf": [
            {
                "if": {"properties": {"approvals": {"minimum": 1}}},
                "then": {"properties": {"roles": {"minItems": 1}}},
            },
            {
                "if": _given("escalate_after_hours"),
                "then": {"required": ["escalate_to"], "properties": {"escalate_to": {"minItems": 1}}},
                "else": {"properties": {"escalate_to": {"maxItems": 0}}},
            },
        ]
    },
    "Conditions": {"minProperties": 1},
}
