"""The YAML in front of a card, in the form of the Hugging Face Hub."""

from collections.abc import Mapping
from typing import Any

import yaml

from gatewright.core.spec import Task

__all__ = ["HUB_TASKS", "card_body", "front_matter"]

HUB_TASKS: dict[Task, str] = {
    "binary_classification": "tabular-classification",
    "multiclass_classification": "tabular-classification",
    "regression": "tabular-regression",
}


def front_matter(facts: Mapping[str, Any]) -> str:
    return f"---\n{yaml.safe_dump(dict(facts), sort_keys=False, allow_unicode=True)}---"


def card_body(card: str) -> str:
    """The card without its front matter, for places that would show it as text."""
    return card.split("\n---\n\n", 1)[1] if card.startswith("---\n") else card
