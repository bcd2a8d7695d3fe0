"""``gatewright schema``: editors refuse what the parser refuses, before anything is run."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gatewright.cli import main
from gatewright.core.errors import SpecError
from gatewright.core.schemas import SCHEMAS, file_name, json_schema
from gatewright.core.strict_yaml import parse_yaml

ROOT = Path(__file__).parents[2]
FILES = {
    "model": ROOT / "examples/crash_triage/model.yaml",
    "notifications": ROOT / "policies/notifications.yaml",
    "policy": ROOT / "policies/crash_triage.yaml",
    "roster": ROOT / "policies/roster.yaml",
    "rules": ROOT / "gatewright/core/default_rules.yaml",
}
# Key, wrong value and reason: each is refused by the strict parser, with a message of its own.
MISTAKES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "an unknown key": ("policy", lambda v: v["rules"][0].update(minimun=1)),
    "a missing key": ("model", lambda v: v["card"].pop("limits")),
    "a value out of range": ("policy", lambda v: v.update(alpha=0.9)),
    "text where a number belongs": ("policy", lambda v: v.update(review_at_warnings="4")),
    "a word that is none of the choices": ("policy", lambda v: v["rules"][0].update(severity="blok")),
    "a name that could be a path": ("roster", lambda v: v["people"][0].update(id="../dana")),
    "a path without its period": ("model", lambda v: v["data"].update(path="data/all.parquet")),
    "a private key": ("roster", lambda v: v["people"][0].update(keys=[{"key": "-----BEGIN", "added": "2026-01-01"}])),
    "a rule without a limit": ("rules", lambda v: v["rules"][0].pop("minimum")),
    "a margin without its test": ("rules", lambda v: v["rules"][0].update(margin=0.1)),
    "a test with a limit": ("rules", lambda v: v["rules"][3].update(minimum=0.1)),
    "a threshold on a regression": ("model", lambda v: v.update(task="regression")),
    "a suite that is not named": ("model", lambda v: v["suites"].pop("training")),
    "SQL without a table": ("model", lambda v: v.update(validation={"engine": "sql", "connection": "env:DB"})),
    "a unit error without its factor": ("model", lambda v: v["perturbations"][3].pop("factor")),
    "half of an escalation": ("policy", lambda v: v["tiers"][0].pop("escalate_to")),
    "approvals by nobody": ("policy", lambda v: v["tiers"][2].update(roles=[])),
    "an address where its variable belongs": (
        "notifications",
        lambda v: v.update(routes=[{"role": "*", "send": ["mailto://x"]}]),
    ),
    "a condition of nothing": ("policy", lambda v: v["tiers"][0].update(when={})),
}  # fmt: skip


def content(path: Path) -> Any:
    """As an editor sees it: dates are text."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))


def problems(name: str, value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(json_schema(name)).iter_errors(value)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_stored_schema_is_what_the_command_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Valid against draft 2020-12; after a change of a record, `gatewright schema --out schemas` writes it anew."""
    assert main(["schema", name]) == 0
    printed = capsys.readouterr().out
    assert (ROOT / "schemas" / file_name(name)).read_text(encoding="utf-8") == printed
    Draft202012Validator.check_schema(json.loads(printed))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_yaml_file_follows_its_schema_and_says_which(name: str) -> None:
    """The line for editors leads from the file to the schema that holds for it."""
    path = FILES[name]
    assert problems(name, content(path)) == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    relative = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / relative).resolve() == ROOT / "schemas" / file_name(name)


def test_no_yaml_file_of_ours_is_without_a_schema() -> None:
    """A new one is added to the list above."""
    found = {path for folder in ("examples", "policies", "gatewright") for path in (ROOT / folder).rglob("*.yaml")}
    assert {path.resolve() for path in found} == set(FILES.values())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_schema_refuses_what_the_parser_refuses(mistake: str) -> None:
    """One wrong thing in a file that is right otherwise."""
    name, spoil = MISTAKES[mistake]
    value = copy.deepcopy(content(FILES[name]))
    spoil(value)
    with pytest.raises(SpecError):
        parse_yaml(yaml.safe_dump(value), SCHEMAS[name].record, where=name)
    assert problems(name, value)


def test_no_object_of_a_schema_takes_unknown_keys() -> None:
    """Or a misspelt key would pass in the editor; names that people choose are keys too."""

    def closed(schema: dict[str, Any]) -> bool:
        return schema.get("additionalProperties") is False

    for name in SCHEMAS:
        schema = json_schema(name)
        assert closed(schema)
        assert all(closed(part) for part in schema["$defs"].values() if part["type"] == "object")


def test_keys_are_explained_where_the_editor_shows_them() -> None:
    """From the descriptions of the records."""
    rule = json_schema("policy")["$defs"]["Rule"]["properties"]
    assert "nothing is decided" in rule["minimum_n"]["description"]
    assert "``" not in json.dumps(json_schema("policy"))


def test_all_schemas_are_written_to_a_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a project of one's own."""
    assert main(["schema", "--out", str(tmp_path / "s"), "--json"]) == 0
    written = [Path(path) for path in json.loads(capsys.readouterr().out)["written"]]
    assert {path.name for path in written} == {file_name(name) for name in SCHEMAS}
    assert json.loads(written[0].read_text())["$schema"].endswith("2020-12/schema")


def test_the_list_names_each_schema_and_the_line_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name; a wrong name lists them too, as an error."""
    assert main(["schema"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in SCHEMAS)
    assert "# yaml-language-server: $schema=" in out
    assert main(["schema", "polcy"]) == 1
    assert "model, notifications, policy, roster, rules" in capsys.readouterr().err
