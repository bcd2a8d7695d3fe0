"""What comes from data or from people cannot leave its place on a page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.services.reports.escape import code, link, md, plain, xml
from tests.services.reports.rendering import Page, rendered

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "<javascript:alert(1)>",
    "a | b || c",
    "`code` ``` fence",
    "**bold** _it_ ~~gone~~ # head",
    "&lt;b&gt; &#x3c;",
    "back\\slash \\` \\| \\",
    "# heading",
    "- item",
    "1. item",
    "=====",
    "> quote",
    "</td></table><h1>gone</h1>",
    "{{ 7 * 7 }} ${x}",
    "line one\nline two\r\n\n# three",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_was_written(text: str) -> None:
    """Every sign of it is visible text; no element but the paragraph and word breaks comes out."""
    page = rendered(md(text))
    assert set(page.tags) <= {"p", "wbr"}
    assert page.text.strip() == plain(text)


@given(st.text(max_size=80))
def test_any_text_in_a_table_cell_stays_in_its_cell(text: str) -> None:
    """A table of one row and two columns keeps two cells whatever stands in the first."""
    page = rendered(f"| a | b |\n| --- | --- |\n| {md(text)} | end |\n")
    assert page.tags.count("td") == 2
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "wbr"}
    assert page.text.split()[-1] == "end"


@given(st.text(max_size=80))
def test_any_text_is_shown_as_it_was_written(text: str) -> None:
    """Escaping loses nothing but invisible characters and repeated spaces."""
    page = rendered(f"start {md(text)}")
    assert set(page.tags) <= {"p", "wbr"}
    assert page.text.strip() == f"start {plain(text)}".strip()


@given(st.text(max_size=80))
def test_any_text_in_an_attribute_or_a_text_node_of_html_stays_there(text: str) -> None:
    """Neither quotes nor angle brackets survive."""
    page = Page(f'<img alt="{xml(text)}"><p>{md(text)}</p>')
    assert set(page.tags) <= {"img", "p", "wbr"}


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\u200f"])
def test_control_and_bidirectional_signs_are_left_out(sign: str) -> None:
    """A name cannot be turned round, hidden or made to move a terminal's cursor."""
    assert plain(f"ab{sign}cd") == "abcd"


@pytest.mark.parametrize("text", ["http://evil.example", "www.evil.example", "me@evil.example", "JavaScript:alert(1)"])
def test_an_address_does_not_become_a_link_by_itself(text: str) -> None:
    """Renderers link bare addresses; a word break inside prevents it."""
    assert "<wbr>" in md(text)


def test_text_of_any_length_becomes_a_short_line() -> None:
    """Two thousand characters are enough for a reason, and keep a page small."""
    assert len(plain("x" * 10_000)) == 2000
    assert plain("x" * 10_000).endswith("…")


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "http://a.b/) [x](javascript:y", "http://a b", "http://a.b/<x>", ""],
)
def test_only_plain_web_addresses_become_links(address: str) -> None:
    """Anything else is shown as its label alone."""
    assert link("Data docs", {"docs": address}, "docs") == "Data docs"


def test_a_web_address_becomes_a_link() -> None:
    """A presigned address with its query keeps all of it."""
    address = "http://127.0.0.1:8333/b/k?X-Amz-Signature=ab%2F1&X-Amz-Date=20260302T120000Z"
    assert link("Data docs", {"docs": address}, "docs") == f"[Data docs](<{address}>)"


def test_code_is_escaped_too() -> None:
    """Fixed-width text is no way out of a table."""
    assert code("a|b<c>") == "<code>a\\|b&lt;c&gt;</code>"
