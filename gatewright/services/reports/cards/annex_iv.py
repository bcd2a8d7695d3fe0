"""The technical documentation of Annex IV of Regulation (EU) 2024/1689 (Artificial Intelligence Act), Article 11(1).

Filled from the evidence and from ``model.yaml``; what neither holds is a gap, listed at the top with who must write it.
That nothing is missing says that each point has an answer, not that the answer suffices: that is for people to judge.
"""

from collections.abc import Iterator

from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.cards.annex_parts import Gap, Part
from gatewright.services.reports.cards.annex_points import POINTS, Point
from gatewright.services.reports.cards.front_matter import front_matter
from gatewright.services.reports.escape import code, md, words
from gatewright.services.reports.tables import page, table

__all__ = ["annex_iv"]

ABOUT = (
    "Technical documentation of a high-risk AI system: Regulation (EU) 2024/1689, Article 11(1) and Annex IV. The "
    "points are paraphrased; the Regulation counts. Whether a system is high-risk (Article 6), and whether an answer "
    "suffices, is for people to judge."
)

NEXT = (
    "Write each into its field of <code>model.yaml</code>, where it names one; the next release carries it. This "
    "release stays as it is."
)


def annex_iv(view: ReleaseView) -> str:
    """Every point of Annex IV, answered or marked as a gap; the gaps first."""
    gaps = [(point.number, gap) for point in POINTS for gap in _gaps(view, point)]
    return page(
        front_matter({"title": f"Annex IV: {words(view.spec.title)}", "tags": ["gatewright", view.spec.name]}),
        f"# {_verdict(gaps)}: technical documentation of {md(view.spec.title)}",
        f"{_tally(gaps)} {_subject(view)}",
        page("## Gaps", NEXT, _gap_table(gaps)).rstrip() if gaps else "",
        ABOUT,
        *(_shown(view, point) for point in POINTS),
    )


def _subject(view: ReleaseView) -> str:
    return f"Release {code(view.opening.release_id)}, evidence {code(view.evidence_root or 'not complete')}."


def _verdict(gaps: list[tuple[str, Gap]]) -> str:
    return "INCOMPLETE" if gaps else "EACH POINT ANSWERED"


def _tally(gaps: list[tuple[str, Gap]]) -> str:
    asked = sum(len(point.parts) for point in POINTS)
    points = len({number for number, _ in gaps})
    if not gaps:
        return f"All {asked} parts of {len(POINTS)} points have an answer."
    return f"{len(gaps)} of {asked} parts are missing, in {points} of {len(POINTS)} points."


def _gap_table(gaps: list[tuple[str, Gap]]) -> str:
    rows = ((number, gap.asks, gap.who, gap.where) for number, gap in gaps)
    return table(("Point", "Missing", "Who writes it", "Where"), rows)


def _gaps(view: ReleaseView, point: Point) -> Iterator[Gap]:
    return (part.gap() for part in point.parts if not part.answer(view))


def _shown(view: ReleaseView, point: Point) -> str:
    missing = len(list(_gaps(view, point)))
    state = "ANSWERED" if not missing else "GAP" if missing == len(point.parts) else "PARTLY"
    return page(
        f"## {point.number[0]}. {point.section}" if point.section else "",
        f"### {state} · {point.number} · {point.title}",
        *(_part(view, part) for part in point.parts),
    ).rstrip()


def _part(view: ReleaseView, part: Part) -> str:
    answer, gap = part.answer(view), part.gap()
    if not answer:
        return f"**GAP: {gap.asks}.** {gap.who.capitalize()}: {gap.where}."
    return page(f"**{gap.asks.capitalize()}**", answer, f"<em>{part.source(view)}</em>").rstrip()
