"""The release report: one file that needs nothing else, whole for every kind of release, with nothing unescaped."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import STAGES
from gatewright.core.results import Measurement
from gatewright.services.reports.curve_charts import precision_recall
from gatewright.services.reports.release_report import release_report
from gatewright.services.reports.release_report.bars import Bars, Mark, bar_chart
from gatewright.services.reports.release_report.measures import thinned
from gatewright.services.reports.release_report.panels import Panel, Step, panels
from tests.services.reports.example_view import example_view, stage
from tests.services.reports.other_views import blocked, held, unmeasured, wide, with_slices
from tests.services.reports.pages import HOSTILE
from tests.services.reports.report_views import deployed, of_task
from tests.services.reports.test_evidence_page import hostile_view

GOLDEN = Path(__file__).parent / "golden"
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "a", "div", "header", "nav", "main", "section", "p", "strong",
    "span", "h1", "h2", "h3", "ol", "ul", "li", "table", "caption", "thead", "tbody", "tr", "th", "td", "code", "pre",
    "small", "details", "summary", "figure", "figcaption",
    "svg", "desc", "rect", "text", "line", "polyline", "polygon", "circle",
}  # fmt: skip
VIEWS: dict[str, Callable[[], ReleaseView]] = {
    "deployed": deployed,
    "held": held,
    "blocked": blocked,
    "unmeasured": unmeasured,
    "of_numbers": lambda: of_task("regression"),
    "of_classes": lambda: of_task("multiclass_classification"),
}


class Outline(HTMLParser):
    """Elements, attributes, all text, and what a reader leafs through: headings, captions, titles of figures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        place = self._open[-2:]
        shown = place[-1:] and (
            place[-1] in ("h1", "h2", "h3", "caption", "summary") or place == ["figcaption", "strong"]
        )
        if place == ["h1", "span"] or place == ["svg", "title"] or shown:
            self.lines.append(f"{' '.join(place[-1:])}: {data.strip()}")


@pytest.fixture(scope="module")
def reports() -> dict[str, str]:
    return {name: release_report(view()) for name, view in VIEWS.items()}


@pytest.mark.parametrize("name", VIEWS)
def test_the_report_has_the_parts_of_the_golden_file(reports: dict[str, str], name: str) -> None:
    """Headings, captions, and titles of figures and drawings, in the order in which somebody reads them."""
    found = "\n".join(line for line in Outline(reports[name]).lines if not line.endswith(": ")) + "\n"
    golden = GOLDEN / f"release_report_{name}.txt"
    if os.environ.get("GATEWRIGHT_UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


@pytest.mark.parametrize("name", VIEWS)
def test_the_report_needs_nothing_else(reports: dict[str, str], name: str) -> None:
    """No script, no address, a policy that forbids both, and fewer than 2 MB."""
    page = Outline(reports[name])
    assert set(page.tags) <= ELEMENTS
    assert {value for attribute, value in page.attributes if attribute in ("href", "src")} <= {
        f"#{value}" for attribute, value in page.attributes if attribute == "id"
    }
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes
    assert "url(" not in reports[name]
    assert len(reports[name].encode()) < 2_000_000


@pytest.mark.parametrize(
    ("name", "word"), [("deployed", "PASS"), ("held", "HOLD"), ("blocked", "BLOCK"), ("of_numbers", "BLOCK")]
)
def test_the_verdict_is_the_first_that_is_read(reports: dict[str, str], name: str, word: str) -> None:
    """Before the contents, and in the title of the window."""
    assert f"<title>{word}: " in reports[name]
    assert Outline(reports[name]).lines[0] == f"span: {word}"


def test_an_objection_says_by_how_much_why_and_what_to_do(reports: dict[str, str]) -> None:
    """One gap is 0.47 where 0.35 is allowed, and its interval begins at 0.32."""
    text = " ".join(Outline(reports["blocked"]).text.split())
    said = "FAIL (blocks) equal-opportunity equal opportunity difference, age_band: 0.470 [0.320, 0.610], at most 0.35"
    assert f"{said}: beyond it by 0.120. All groups must be found." in text
    assert text.index(said) < text.index("feature-drift")


def test_every_rule_is_listed_with_margin_owner_and_the_digest_of_its_evidence(reports: dict[str, str]) -> None:
    """An AUC of 0.858 is 0.108 above its limit, the end of its interval 0.090."""
    row = reports["deployed"].split('<tr><th scope="row"><code>auc-floor</code></th>')[1].split("</tr>")[0]
    evidence = deployed().stages["evaluate"].digest[:12]
    for shown in ("PASS", "0.858<small>[0.840, 0.876]", "at least 0.75", "+0.108<small>+0.090", "Model Risk", evidence):
        assert shown in row


def test_drift_is_drawn_over_the_releases_with_the_limit(reports: dict[str, str]) -> None:
    """Of a feature that two releases measured before; one that no release measured before has a point."""
    assert "From 0.200 at 1998-1 to 0.320 at 2000-1; the limit is 0.250." in reports["deployed"]
    assert "0.004 at 2000-1; the limit is 0.250." in reports["deployed"]


def test_what_was_not_measured_says_so_and_why(reports: dict[str, str]) -> None:
    """A stage that has not run, one that found nothing, and a measurement without a value."""
    text = " ".join(Outline(reports["unmeasured"]).text.split())
    absent = [name for name in STAGES if name not in unmeasured().stages]
    assert absent
    for name in absent:
        assert f'<th scope="row">{name}</th><td>stage</td><td>it has not run</td>' in reports["unmeasured"]
    for said in ("Curves of the answers:", "Drift:", "Latency of single rows:", "Perturbation curves:", "Slices:"):
        assert f"Not measured. {said}" in text
    assert "4 rows are too few" in Outline(reports["deployed"]).text


def test_a_release_that_was_not_decided_is_a_report_too() -> None:
    """A run died before its gates had run."""
    view = replace(
        example_view(), decision=None, candidate=None, data=None, request=None, evidence_root=None, stages={}
    )
    page = Outline(release_report(view))
    assert page.lines[0] == "span: NOT DECIDED"
    assert "The gates have not all run" in page.text


def test_nothing_hostile_is_shown_unescaped() -> None:
    """Each free text of a release is an attack; the report has only its own elements and attributes."""
    view = hostile_view()
    stages = {
        "evaluate": stage(
            "evaluate",
            Measurement(metric=HOSTILE, slice=HOSTILE, value=None, n=1, note=HOSTILE),
            details={"curves": {"classes": [HOSTILE], "candidate": {"confusion": [[1]], "calibration": []}}},
        ),
        "fairness": stage(
            "fairness",
            details={
                "group_means": [{"slice": HOSTILE, "group": HOSTILE, "n": 3, "mae": 1, "mae_low": 0, "mae_high": 2}],
                "trend": [{"metric": HOSTILE, "slice": HOSTILE, "points": [{"release": HOSTILE, "value": 1}] * 2}],
                "equivalence": [{"metric": HOSTILE, "slice": HOSTILE, "margin": 1, "p_value": 1}],
            },
        ),
        "robustness": stage(
            "robustness",
            details={"degradation": [{"perturbation": HOSTILE, "points": [{"fraction": 1, "auc_drop": 1}]}]},
        ),
        "validate": stage(
            "validate",
            details={
                "training": {"failures": [dict.fromkeys(("expectation", "column", "exception", "arguments"), HOSTILE)]}
            },
        ),
        "leakage": stage("leakage", Measurement(metric="x", slice=HOSTILE, value=1, n=1, note=HOSTILE)),
    }
    for task in ("binary_classification", "multiclass_classification", "regression"):
        spec = view.spec.model_copy(update={"task": task})
        html = release_report(replace(view, spec=spec, stages=view.stages | stages))
        page = Outline(html)
        assert set(page.tags) <= ELEMENTS
        assert page.tags.count("script") == 0
        assert "<script>alert(1)</script>" in page.text
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)


def test_details_of_another_shape_give_no_error() -> None:
    """Evidence of an older version, or none of it where it should be."""
    wrong = {
        "curves": {"candidate": None, "champion": []},
        "groups": 3,
        "degradation": [[]],
        "latency": "?",
        "trend": {},
    }
    view = example_view({name: stage(name, details=dict(wrong)) for name in STAGES})
    for task in ("binary_classification", "multiclass_classification", "regression"):
        release_report(replace(view, spec=view.spec.model_copy(update={"task": task})))


def test_a_report_of_hundreds_of_groups_and_features_stays_small() -> None:
    """What is not drawn is in the tables, and what is not in the tables is counted."""
    page = release_report(wide())
    assert len(page.encode()) < 2_000_000
    assert "160 more are in the table" in page


def test_the_report_is_the_same_bytes_in_another_process() -> None:
    """Whatever the seed of its hashes."""
    code = (
        "import sys; from tests.services.reports.other_views import with_slices; "
        "from gatewright.services.reports.release_report import release_report; "
        "sys.stdout.buffer.write(release_report(with_slices()).encode())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    again = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
    assert again == release_report(with_slices()).encode()


def test_precision_and_recall_follow_from_the_counts() -> None:
    """Half of 10 positives and a tenth of 100 negatives give a precision of 5 in 15."""
    curves = {
        "candidate": {
            "roc": [[0, 0, None], [0.1, 0.5, 0.7], [1, 1, 0.1]],
            "confusion": {"true_positives": 4, "false_negatives": 6, "true_negatives": 100, "false_positives": 0},
        }
    }
    first, last = precision_recall(curves, "candidate")
    assert first == pytest.approx((0.5, 5 / 15, 0.7))
    assert last == pytest.approx((1, 10 / 110, 0.1))
    assert precision_recall(curves, "champion") == []


def test_panels_share_one_scale() -> None:
    """The same value is drawn at the same height, whatever else its panel holds."""
    drawn = panels("x", [Panel("a", [Step("one", 1.0)]), Panel("b", [Step("one", 1.0), Step("two", 9.0)])])
    heights = [re.findall(r'<circle cx="[0-9.]+" cy="([0-9.]+)"', svg) for svg in drawn]
    assert heights[0][0] == heights[1][0]
    assert float(heights[1][1]) < float(heights[1][0])


def test_a_mark_stands_where_its_value_lies_between_uneven_edges() -> None:
    """Bars have the same width: 15 is in the middle of the second of two bars over 0 to 10 to 20."""
    svg = bar_chart("t", [0, 10, 20], [Bars("n", [1, 2])], ("x", "y"), marks=[Mark(15, "here")])
    assert '<line x1="332.0"' in svg


def test_a_table_of_a_curve_keeps_its_ends() -> None:
    """At most 25 of its points."""
    assert thinned(list(range(10))) == list(range(10))
    kept = thinned(list(range(1000)))
    assert (len(kept), kept[0], kept[-1]) == (25, 0, 999)
