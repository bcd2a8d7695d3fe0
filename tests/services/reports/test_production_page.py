"""The page of what serves says who decided it and how to go back."""

from datetime import UTC, datetime

from gatewright.core.channels import ChannelEntry
from gatewright.services.reports.production_page import production_page
from tests.services.reports.rendering import rendered

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def move(action: str, release: str, digit: str | None, **changes: str) -> ChannelEntry:
    given = {"actor": "dana.reyes", "reason": "Better for every group.", "operation": release, **changes}
    digest = None if digit is None else digit * 64
    return ChannelEntry.model_validate(
        {"action": action, "release_id": release, "model_sha256": digest, "at": AT, **given}
    )


HISTORY = [move("deploy", "r1", "a"), move("confirm", "r1", "a"), move("deploy", "r2", "b"), move("confirm", "r2", "b")]


def test_it_says_what_serves_by_whom_and_how_to_go_back() -> None:
    """The first line names the release; the command names the one before."""
    page = production_page("triage", "production", HISTORY)
    assert page.startswith("# triage: r2 serves in production")
    assert "by dana.reyes: Better for every group." in page
    assert "to_release=r1" in page


def test_the_first_deployment_has_no_way_back() -> None:
    """There is no other model."""
    assert "No other model was deployed before." in production_page("triage", "production", HISTORY[:2])


def test_a_reverted_first_release_leaves_nothing_that_serves() -> None:
    """The page says so instead of naming the failed one."""
    page = production_page("triage", "production", [move("deploy", "r1", "a"), move("revert", "r1", None)])
    assert page.startswith("# triage: nothing serves in production")


def test_a_hostile_reason_stays_text() -> None:
    """What somebody typed as the reason adds no element."""
    page = production_page(
        "triage", "production", [move("confirm", "r1", "a", reason="<img src=x onerror=alert(1)> | x")]
    )
    assert "img" not in rendered(page).tags
