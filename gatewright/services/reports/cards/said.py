"""What people wrote into the ``card:`` of ``model.yaml``, in Markdown; and what they did not, named as a gap."""

from functools import reduce

from gatewright.core.card import Card, is_said
from gatewright.services.reports.escape import code, md, plain
from gatewright.services.reports.tables import bullets

__all__ = ["said", "said_or_gap", "said_to_machines"]


def said(card: Card, field: str) -> str:
    """A text, or a list; empty where nobody has written it. ``field`` may be of a section: ``annex_iv.provider``."""
    value = _value(card, field)
    if not is_said(value) or value is None:
        return ""
    return md(value) if isinstance(value, str) else bullets(md(item) for item in value)


def said_or_gap(card: Card, field: str) -> str:
    """The same, or a sentence that says which field of ``model.yaml`` is empty."""
    return said(card, field) or f"*Nobody has written it: {code(f'card.{field}')} of <code>model.yaml</code>.*"


def said_to_machines(card: Card, field: str) -> list[str]:
    """One line of plain text for each item; none where nobody has written it."""
    value = _value(card, field)
    if not is_said(value) or value is None:
        return []
    return [plain(item) for item in ((value,) if isinstance(value, str) else value)]


def _value(card: Card, field: str) -> str | tuple[str, ...] | None:
    found: str | tuple[str, ...] | None = reduce(getattr, field.split("."), card)  # type: ignore[assignment]
    return found
