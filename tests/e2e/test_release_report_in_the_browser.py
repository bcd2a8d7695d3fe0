"""The release report as its readers meet it: with a keyboard, with a screen reader, on a dark screen, on paper."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from gatewright.services.reports.release_report import release_report
from tests.services.reports.report_views import deployed

# WCAG 2.1, 1.4.3.
CONTRAST = 4.5
# For each visible text: the contrast of its colour to the first background behind it that is not transparent.
FAINT = """(least) => {
  const channels = (css) => css.match(/[\\d.]+/g).map(Number);
  const light = (css) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = channels(css).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    if (node.closest('svg')) return getComputedStyle(node.closest('svg').querySelector('rect')).fill;
    for (let at = node; at; at = at.parentElement) {
      const [, , , alpha = 1] = channels(getComputedStyle(at).backgroundColor);
      if (alpha > 0) return getComputedStyle(at).backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const silent = ['style', 'title', 'desc'];
  const shown = [...document.body.querySelectorAll('*')].filter((node) => own(node) && !silent.includes(node.tagName));
  return shown.map((node) => {
    const style = getComputedStyle(node);
    const own = light(node.closest('svg') ? style.fill : style.color);
    const [one, other] = [own, light(behind(node))].sort((a, b) => a - b);
    return [node.tagName, node.textContent.slice(0, 40), (other + 0.05) / (one + 0.05)];
  }).filter(([, , contrast]) => !(contrast >= least));
}"""
UNNAMED = """() => [...document.querySelectorAll('svg, img')].filter(
  (node) => !(node.alt || (node.getAttribute('role') === 'img' && node.querySelector('title')?.textContent))
).length"""
HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((node) => Number(node.tagName[1]))"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file on this machine: the report needs no server."""
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(release_report(deployed()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(address)
    yield page
    assert not refused, "the page's own security policy refused something, or it is broken"
    page.close()


def test_every_text_and_figure_can_be_perceived(page: Page) -> None:
    """Drawings have names, headings leave no level out, and text stands out on a light and on a dark screen."""
    assert page.evaluate(UNNAMED) == 0
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate("() => document.querySelectorAll('details').forEach((node) => node.open = true)")
        assert page.evaluate(FAINT, CONTRAST) == []
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    assert dark != page.evaluate("() => getComputedStyle(document.body).backgroundColor")


def test_the_keyboard_reaches_every_folded_table(page: Page) -> None:
    """The first stop leads past the contents; Enter opens what is folded; focus is always seen."""
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"
    folded = page.evaluate("() => document.querySelectorAll('details').length")
    stops = page.evaluate("() => document.querySelectorAll('main summary, main [tabindex=\"0\"]').length")
    reached = 0
    for _ in range(2 * stops):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "() => [document.activeElement.tagName, getComputedStyle(document.activeElement).outlineWidth]"
        )
        if at[0] == "BODY":
            break
        assert at[1] == "3px"
        if at[0] == "SUMMARY":
            reached += 1
            page.keyboard.press("Enter")
    assert folded > 20
    assert page.evaluate("() => document.querySelectorAll('details[open]').length") == folded == reached


def test_on_paper_everything_is_open_and_nothing_is_dark(page: Page) -> None:
    """A table that is folded on the screen is printed; a dark screen prints dark letters on white."""
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(FAINT, CONTRAST) == []
    heights = page.evaluate(
        "() => [...document.querySelectorAll('details table')].map((node) => node.getBoundingClientRect().height)"
    )
    assert len(heights) > 20
    assert min(heights) > 20


def test_a_narrow_window_does_not_scroll_sideways(page: Page) -> None:
    """Only wide tables do, within themselves."""
    for width in (1400, 900, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
