"""The page of what serves says what happened, what was done by itself, and how to go back."""

from pathlib import Path

import pytest

from gatewright.core.channels import ChannelEntry
from gatewright.services.reports.production_page import production_page
from tests.services.reports.pages import GOLDEN, HOSTILE, LINKS, before_the_fold, broken_tables, foreign_parts
from tests.services.reports.production_views import DAY, MOVES, PUT_BACK, RELEASED, ROLLED_BACK, ROLLING, move
from tests.services.reports.rendering import without_charts


def shown(history: tuple[ChannelEntry, ...]) -> str:
    return production_page("triage", "Triage", "production", history, links=LINKS)


@pytest.mark.parametrize(
    ("name", "history"), [("released", RELEASED), ("rolled_back", ROLLED_BACK), ("put_back", PUT_BACK)]
)
def test_a_page_is_built_as_agreed(name: str, history: tuple[ChannelEntry, ...], tmp_path: Path) -> None:
    """The page equals its golden file but for the drawings; the new text lies in the temporary directory."""
    found = without_charts(shown(history))
    (tmp_path / f"production_page_{name}.md").write_text(found, encoding="utf-8")
    assert found == (GOLDEN / f"production_page_{name}.md").read_text(encoding="utf-8")


def test_it_says_what_serves_by_whom_and_how_to_go_back() -> None:
    """The first lines name the release and what it replaced; the command names the one before."""
    page = shown(RELEASED)
    assert page.startswith("## SERVES: Triage · production")
    assert "- **triage-2000-1 serves since 2026-03-09 12:00 UTC.**" in page
    assert "- Asked 2026-03-09 12:00 UTC by dana.reyes: Better for every group." in page
    assert "- Before it triage-1999-1 served for 7 days\n" in page
    assert "<code>gatewright rollback triage --to triage-1999-1 --reason WHY</code>" in page


def test_after_a_rollback_it_says_who_why_and_what_is_left_to_do() -> None:
    """The model that was taken away is not offered as the way back."""
    first = before_the_fold(shown(ROLLED_BACK))
    assert first.startswith("## ROLLED BACK: ")
    assert "**triage-1999-1 serves again since 2026-03-10 17:00 UTC.**" in first
    assert "by sam.okafor: It misses too many of the old." in first
    assert "Before it triage-2000-1 served for 1 day 5 h" in first
    assert "4 s after it was asked" in first
    assert "say so to those who use it" in first
    assert "No earlier model is left to go back to." in first


def test_a_move_under_way_is_not_told_as_done() -> None:
    """Until the service has reported the model, nobody knows what answers."""
    first = before_the_fold(shown(ROLLING))
    assert first.startswith("## MOVING: ")
    assert "**triage-1999-1 is to serve; the service has not reported it yet.**" in first


def test_a_service_that_did_not_follow_is_named_with_its_reason() -> None:
    """What was put back without anybody, why, and where to look."""
    first = before_the_fold(shown(PUT_BACK))
    assert first.startswith("## PUT BACK: ")
    assert "**triage-1999-1 serves on: the service did not follow to triage-2000-1.**" in first
    assert "Why not: the service still reports b2b2b2b2b2b2" in first
    assert "put back where it was, 1 min after it was asked" in first
    assert "gatewright doctor" in first


def test_the_first_deployment_has_no_way_back() -> None:
    """There is no other model."""
    assert "No earlier model is left to go back to." in shown(MOVES[:2])


def test_a_reverted_first_release_leaves_nothing_that_serves() -> None:
    """The page says so instead of naming the failed one."""
    page = shown((MOVES[0], move("revert", "triage-1999-1", None, DAY)))
    assert page.startswith("## NOTHING SERVES: Triage · production")
    assert shown(()).startswith("## NOTHING SERVES: Triage · production")


def test_hostile_text_adds_nothing_and_breaks_no_table() -> None:
    """What somebody typed as the reason, and names that came from elsewhere, stay text."""
    hostile = tuple(
        entry.model_copy(update={"release_id": HOSTILE + entry.release_id, "actor": HOSTILE, "reason": HOSTILE})
        for entry in ROLLED_BACK
    )
    for history in (hostile[:4], hostile[:5], hostile):
        page = production_page("triage", HOSTILE, HOSTILE, history, links=LINKS)
        assert not foreign_parts(page)
        assert not broken_tables(page)
