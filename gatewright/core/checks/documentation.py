"""What a card leaves unsaid, counted."""

from gatewright.core.card import AnnexIV, Card, unsaid
from gatewright.core.results import Measurement

__all__ = ["measure_documentation"]


def measure_documentation(card: Card) -> tuple[Measurement, Measurement]:
    """``missing_card_fields`` and ``missing_annex_iv_fields``: exact counts of ``n`` fields, named in the note.

    Two metrics, because Annex IV of Regulation (EU) 2024/1689 asks only those who place a high-risk system on the
    market of the EU, and cards are for everybody.
    """
    return (
        _missing("missing_card_fields", card, asked=len(type(card).model_fields) - 1, prefix="card."),
        _missing("missing_annex_iv_fields", card.annex_iv, asked=len(AnnexIV.model_fields), prefix="card.annex_iv."),
    )


def _missing(metric: str, record: Card | AnnexIV, *, asked: int, prefix: str) -> Measurement:
    names = unsaid(record)
    note = ", ".join(f"{prefix}{name}" for name in names)
    return Measurement(metric=metric, value=len(names), n=asked, note=note and f"nobody has written: {note}")
