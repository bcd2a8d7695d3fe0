"""What the reports on a file have in common: verdict, facts and reasons first, then sections."""

from collections.abc import Sequence

from gatewright.services.reports.blocks import Section
from gatewright.services.reports.html_page import html_page

__all__ = ["file_report"]

# The class of the style sheet for each word of a verdict.
_LOOKS = {"PASS": "pass", "HOLD": "review", "BLOCK": "block", "FAIL": "fail"}


def file_report(
    word: str, title: str, *, facts: str, reasons: Sequence[str], otherwise: str, sections: Sequence[Section]
) -> str:
    """One HTML page that needs nothing else; all text is escaped. ``otherwise`` stands where there is no reason."""
    look = _LOOKS.get(word, "undecided")
    return html_page(
        "file_report.html.j2",
        word=word, look=look, title=title, facts=facts, reasons=reasons, otherwise=otherwise, sections=sections,
    )  # fmt: skip
