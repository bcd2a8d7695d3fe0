"""Every command shows by an example how it is called, and takes it as written."""

import shlex

import pytest
from cyclopts import App

from gatewright.cli import app

NOT_COMMANDS = ("--help", "-h", "--version")


def commands(of: App, *words: str) -> dict[str, App]:
    """Each command that does something, by the words that call it."""
    found: dict[str, App] = {}
    for name in of:
        if name not in NOT_COMMANDS:
            inner = of[name]
            found |= (
                commands(inner, *words, name) if inner.default_command is None else {" ".join((*words, name)): inner}
            )
    return found


COMMANDS = commands(app)


def test_the_commands_of_groups_are_found_too():
    """Or the test below would skip them."""
    assert {"show", "explain", "diff", "watch", "rollback", "policy diff", "roster history"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_that_it_accepts(name: str):
    """It is what people copy first."""
    lines = (COMMANDS[name].default_command.__doc__ or "").splitlines()
    examples = [line.strip().removeprefix("Example: ") for line in lines if line.strip().startswith("Example: ")]
    assert examples, f"`gatewright {name} --help` shows no example"
    for example in examples:
        assert example.startswith(f"gatewright {name}")
        _, bound, _ = app.parse_args(shlex.split(example.split(" > ")[0])[1:], exit_on_error=False, print_error=False)
        assert bound.arguments or example == f"gatewright {name}"
