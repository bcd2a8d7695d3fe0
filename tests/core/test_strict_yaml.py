"""What a person wrote is parsed strictly, and every refusal names file, line and remedy."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from gatewright.core.errors import SpecError
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.core.strict_yaml import parse_yaml

ROOT = Path(__file__).parents[2]
POLICY = (ROOT / "policies/crash_triage.yaml").read_text()


class Number(BaseModel):
    """One number."""

    alpha: float


def refused(text: str, kind: type = Policy) -> str:
    with pytest.raises(SpecError) as caught:
        parse_yaml(text, kind, where="policy.yaml")
    return str(caught.value)


def test_the_example_policy_and_roster_are_valid():
    """What ships must parse."""
    assert parse_yaml(POLICY, Policy, where="policy.yaml").model == "crash_triage"
    assert parse_yaml((ROOT / "policies/roster.yaml").read_text(), Roster, where="roster.yaml").people


def test_a_misspelt_key_names_the_line_and_the_nearest_valid_key():
    """`minimun` is refused where it stands, with `minimum` as the remedy."""
    line = next(n for n, text in enumerate(POLICY.splitlines(), 1) if "minimum: 0.75" in text)
    message = refused(POLICY.replace("minimum: 0.75", "minimun: 0.75"))
    assert f"policy.yaml:{line}" in message
    assert "did you mean `minimum`?" in message


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf"])
def test_a_threshold_that_no_number_compares_with_is_refused(text):
    """NaN would pass `if value < minimum: fail`."""
    message = refused(POLICY.replace("minimum: 0.75", f"minimum: {text}"))
    assert re.search(r"policy\.yaml:\d+", message)
    assert f"`{text}` is not a number that can be compared" in message


def test_nan_without_its_dot_is_text_and_no_threshold():
    """YAML reads `NaN` as text, which must not become a number on the way."""
    message = refused(POLICY.replace("minimum: 0.75", "minimum: NaN"))
    assert re.search(r"policy\.yaml:\d+", message)
    assert "Input should be a valid number, but is `NaN`" in message


@pytest.mark.parametrize("text", ["010", "1:30", "1:30.5", "0b11", "0o17", "00.5", "0xff", "0x" + "f" * 5000, "1" * 31])
def test_a_number_that_yaml_reads_otherwise_than_people_is_refused(text):
    """`010` would be eight and `1:30` ninety; a hexadecimal number of 5,000 digits could not even be passed on."""
    message = refused(POLICY.replace("minimum_support: 30", f"minimum_support: {text}"))
    assert re.search(r"policy\.yaml:\d+", message)


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("+3", 3), ("1_000", 1000), ("0.5", 0.5), (".5", 0.5), ("1.5e-3", 0.0015)]
)
def test_a_number_in_digits_is_taken(text, value):
    """As people write them."""
    assert parse_yaml(f"alpha: {text}\n", Number, where="x").alpha == value


@pytest.mark.parametrize("text", ["yes", "true", '"0.75"', "0.75 percent", "2026-01-01", "!!binary aGVsbG8="])
def test_a_threshold_of_another_type_is_refused(text):
    """YAML's `yes` would become the number 1."""
    assert "policy.yaml:" in refused(POLICY.replace("minimum: 0.75", f"minimum: {text}"))


@pytest.mark.parametrize("key", ["1", "true", "2026-01-01", "~", "[a]"])
def test_a_key_that_is_no_text_is_refused(key):
    """With its line and the remedy."""
    message = refused(f"{POLICY}\n{key}: x\n")
    assert "is not text" in message or "not a plain value" in message
    assert re.search(r"policy\.yaml:\d+", message)


def test_a_duplicate_key_is_refused():
    """YAML would silently take the last."""
    message = refused(POLICY + "\nalpha: 0.2\n")
    assert "`alpha` stands twice" in message


def test_a_value_out_of_range_names_its_line():
    """alpha is a probability."""
    line = next(n for n, text in enumerate(POLICY.splitlines(), 1) if text.startswith("alpha"))
    message = refused(POLICY.replace("alpha: 0.05", "alpha: 5"))
    assert f"policy.yaml:{line}" in message


def test_an_alias_bomb_is_refused_before_it_expands():
    """Nine levels of nine aliases would be 9^9 values."""
    levels = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    levels += [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases" in refused("\n".join(levels))


def test_deep_nesting_is_refused():
    """A stack of brackets must not crash the parser."""
    assert "nested" in refused("a: " + "[" * 5000 + "]" * 5000)


@pytest.mark.parametrize("text", ["", "   \n", "just text", "- a\n- b\n"])
def test_what_is_no_mapping_is_refused(text):
    """An empty file is not a policy without rules."""
    assert "policy.yaml" in refused(text)


def test_a_syntax_error_names_its_line():
    """The reader is sent to the place."""
    assert "policy.yaml:2" in refused("model: x\n  bad: [1\n")


def test_a_policy_without_rules_is_refused():
    """Nothing to fail is not a pass."""
    message = refused(re.sub(r"rules:\n(  .*\n|\n)+", "rules: []\n", POLICY, count=1))
    assert "rules" in message


def test_a_python_tag_is_refused():
    """No object is ever built from YAML."""
    assert refused("model: !!python/object/apply:os.system ['true']")
