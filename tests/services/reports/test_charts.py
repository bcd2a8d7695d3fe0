"""Charts are small, reproducible, well-formed, and absent when nothing was measured."""

import base64
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from gatewright.core.release_view import ReleaseView
from gatewright.services.reports import charts
from gatewright.services.reports.slice_pages import slice_chart
from gatewright.services.reports.svg import DARK, INK, PANEL, Drawing, alt
from tests.services.reports.example_view import STAGES, counted, example_view, group, measured, stage
from tests.services.reports.other_views import with_slices

CHARTS = [charts.comparison_chart, charts.fairness_chart, charts.calibration_chart, charts.drift_chart]
Chart = Callable[[ReleaseView], str | None]


def words(svg: str | None) -> list[str]:
    """All text of a drawing, after parsing it as XML."""
    assert svg is not None
    root = ElementTree.fromstring(svg)
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_small_well_formed_and_the_same_each_time(chart: Chart) -> None:
    """Equal evidence gives equal bytes, under 15 kB."""
    first, again = chart(example_view()), chart(example_view())
    assert first == again
    assert len((first or "").encode()) < 15_000
    assert words(first)


@pytest.mark.parametrize("chart", CHARTS)
def test_what_was_not_measured_has_no_chart(chart: Chart) -> None:
    """Missing stages give None, which pages turn into a sentence."""
    nothing = {name: stage(name) for name in STAGES}
    assert chart(example_view(nothing)) is None


@pytest.mark.parametrize(
    "details", [{"curves": 3, "groups": "x"}, {"curves": {"candidate": [1]}, "groups": [None, {"n": "x"}]}]
)
def test_details_of_an_unknown_shape_give_no_chart(details: dict[str, object]) -> None:
    """A reader of evidence never crashes on what an older or newer version wrote."""
    view = example_view({name: stage(name, details=details) for name in ("evaluate", "fairness")})  # type: ignore[arg-type]
    assert charts.calibration_chart(view) is None
    assert charts.fairness_chart(view) is None


def test_a_change_is_called_better_or_worse_only_when_its_interval_leaves_zero_out() -> None:
    """Lower is better for log loss; an interval around zero says nothing."""
    shown = words(charts.comparison_chart(example_view()))
    assert "+0.030 better" in shown
    assert "-0.012 better" in shown
    assert "-0.021 no clear change" in shown
    assert "0.828 → 0.858" in shown


def test_better_is_to_the_right_whichever_way_a_metric_goes() -> None:
    """The log loss fell and the AUC rose: both dots lie right of the line."""
    svg = charts.comparison_chart(example_view())
    assert svg is not None
    line = float(re.search(rf'<line x1="([\d.]+)"[^>]*stroke="{INK}"', svg)[1])  # type: ignore[index]
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg)]
    assert [x > line for x in dots] == [True, True, True, False, False]


def contrast(one: str, other: str) -> float:
    """Of two colours, 1 to 21 (WCAG 2.1, relative luminance)."""
    channels = [[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in (one, other)]
    linear = [[c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color] for color in channels]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    """Black on white is 21:1; #767676 on white is the darkest grey that passes for text, 4.54:1."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("chart", [*CHARTS, slice_chart])
def test_all_text_and_all_marks_stand_out_from_their_panel(chart: Chart, dark: bool) -> None:
    """4.5:1 for text, 3:1 for marks (WCAG 2.1, 1.4.3 and 1.4.11), on the light panel and on the dark one."""
    svg = chart(with_slices())
    assert svg is not None
    seen = DARK if dark else {color: color for color in DARK}
    for color in set(re.findall(r'<text[^>]* fill="(#\w+)"', svg)):
        assert contrast(seen[color], seen[PANEL]) >= 4.5, color
    for color in set(re.findall(r'<circle[^>]* fill="(#\w+)"', svg)):
        assert contrast(seen[color], seen[PANEL]) >= 3, color


def test_a_drawing_repaints_each_of_its_colours_for_a_dark_system() -> None:
    """The rules are inside the drawing, so a picture that is embedded follows the reader's system too."""
    svg = charts.comparison_chart(example_view())
    assert svg is not None
    rules = svg.split("prefers-color-scheme:dark){")[1].split("</style>")[0]
    for color in set(re.findall(r'(?:fill|stroke)="(#\w+)"', svg.split("</style>")[1])):
        assert f'[fill="{color}"]{{fill:{DARK[color]}}}' in rules
        assert f'[stroke="{color}"]{{stroke:{DARK[color]}}}' in rules


def test_what_a_drawing_shows_is_told_once_for_pages_and_readers() -> None:
    """Its title and description become the alternative text, escaped."""
    drawing = Drawing(10, 10, 'A "title" <b>', "one & two")
    assert alt(drawing.render()) == "A &quot;title&quot; &lt;b&gt;. one &amp; two"


def test_a_change_for_the_worse_is_called_so() -> None:
    """An AUC that surely fell is worse."""
    view = example_view({"evaluate": stage("evaluate", measured("auc_change", -0.03, -0.05, -0.01))})
    assert "-0.030 worse" in words(charts.comparison_chart(view))


def test_without_a_champion_the_values_themselves_are_drawn() -> None:
    """A first release has nothing to compare with."""
    view = example_view({"evaluate": stage("evaluate", measured("auc", 0.858, 0.84, 0.876))}, champion=False)
    assert "The candidate's metrics (no champion serves)" in words(charts.comparison_chart(view))


def test_a_group_is_drawn_with_its_support_and_marked_when_too_small() -> None:
    """Nine positives are too few for a true positive rate."""
    shown = words(charts.fairness_chart(example_view()))
    assert "0.810 n 1,900, 80 positive" in shown
    assert "0.870 n 22, 9 positive, too few" in shown


def test_a_feature_over_the_limit_says_so_in_words() -> None:
    """Colour alone tells nothing."""
    shown = words(charts.drift_chart(example_view()))
    over = shown.index("year_built")
    assert shown[over + 1] == "0.320 over the limit of 0.25"
    assert shown[shown.index("speed") + 1] == "0.080"


def test_hostile_names_stay_text() -> None:
    """A group or feature name cannot add an element to a drawing."""
    name = "</text><script>alert(1)</script>"
    groups = stage("fairness", details={"groups": [group(name, name, 100, 50, (0.5, 0.4, 0.6))]})
    view = example_view({"fairness": groups, "drift": stage("drift", counted("psi", 0.1, name))})
    for svg in (charts.fairness_chart(view), charts.drift_chart(view)):
        assert svg is not None
        assert "script" not in {node.tag.split("}")[1] for node in ElementTree.fromstring(svg).iter()}


def test_a_drawing_becomes_an_address_that_holds_it() -> None:
    """Base64, as both Prefect UIs show it."""
    uri = charts.data_uri("<svg/>")
    head, body = uri.split(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(body) == b"<svg/>"
