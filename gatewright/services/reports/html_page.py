"""HTML pages that need nothing else, from one style sheet and one set of macros: any browser, light, dark, paper."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gatewright.services.reports.escape import plain

__all__ = ["html_page"]

TEMPLATES = Path(__file__).parent


def html_page(template: str, **content: Any) -> str:
    """The page; all text but ``Markup`` is escaped, and control and bidirectional characters are left out."""
    return _environment().get_template(template).render(content)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
