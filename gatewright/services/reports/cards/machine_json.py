"""JSON for machines: indented, in the order it was made, no NaN, and nothing that says nothing."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["as_json", "known"]


def as_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what there is something to say of: None, empty texts and empty lists are left out."""
    return {key: value for key, value in values.items() if value is not None and value != "" and value != []}
