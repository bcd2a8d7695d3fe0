"""The release report: one HTML file for who wants to know why, at a screen or on paper, offline, years later.

`release_report` puts together the sections, each a function of the view in a module of its own; they are made of the
blocks in `reports.blocks`, which `report.html.j2` renders. What was not measured says so, with the reason.
"""

from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.blocks import Section
from gatewright.services.reports.html_page import html_page
from gatewright.services.reports.release_report.again import environment, not_measured, reproduce
from gatewright.services.reports.release_report.answers import answers
from gatewright.services.reports.release_report.comparison import comparison, slices
from gatewright.services.reports.release_report.data import data
from gatewright.services.reports.release_report.drift import drift
from gatewright.services.reports.release_report.fairness import fairness
from gatewright.services.reports.release_report.lineage import lineage
from gatewright.services.reports.release_report.people import people
from gatewright.services.reports.release_report.robustness import leakage, resources, robustness, uncertainty
from gatewright.services.reports.release_report.verdict import against, css_class, identity, rules, sentence, word

__all__ = ["release_report"]

# In the order in which somebody asks.
SECTIONS = (
    against, rules, comparison, answers, slices, fairness, drift, robustness, resources, uncertainty, leakage, data,
    not_measured, lineage, people, environment, reproduce,
)  # fmt: skip


def release_report(view: ReleaseView) -> str:
    """The whole page, without script or address; the same bytes for the same view."""
    sections: list[Section] = [section(view) for section in SECTIONS]
    return html_page(
        "release_report/report.html.j2",
        word=word(view),
        verdict=css_class(view),
        title=f"{view.spec.title} · {view.opening.period}",
        sentence=sentence(view),
        identity=identity(view),
        sections=sections,
    )
