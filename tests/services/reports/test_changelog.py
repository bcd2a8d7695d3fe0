"""The release notes say what served when and why, and what a failed or undone move was."""

from dataclasses import replace
from datetime import timedelta

from gatewright.core.channels import ChannelEntry
from gatewright.core.ledger import LedgerEntry
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.changelog import changelog, changelog_page
from tests.services.reports.example_view import CHAMPION, MODEL, NOON, example_view
from tests.services.reports.pages import ELEMENTS, HOSTILE
from tests.services.reports.rendering import rendered

NEW, OLD = ("triage-2000-1", MODEL), ("triage-1999-1", CHAMPION)


def move(
    action: str, to: tuple[str, str | None], seconds: float, operation: str, reason: str = "Better."
) -> ChannelEntry:
    return ChannelEntry(
        action=action, release_id=to[0], model_sha256=to[1], actor="dana.reyes", reason=reason,
        operation=operation, at=NOON + timedelta(seconds=seconds),
    )  # fmt: skip


HISTORY = (
    move("deploy", OLD, 0, "triage-1999-1"),
    move("confirm", OLD, 4, "triage-1999-1"),
    move("deploy", NEW, 100, "triage-2000-1"),
    move("confirm", NEW, 103, "triage-2000-1"),
    move("rollback", OLD, 200, "rollback-1", "It misses too many of the old."),
    move("confirm", OLD, 207, "rollback-1", "It misses too many of the old."),
    move("deploy", NEW, 300, "again"),
    move("revert", OLD, 360, "again", "the service did not follow in 60 s"),
)


def view_of(release_id: str) -> ReleaseView:
    view = example_view()
    events = tuple(
        LedgerEntry(kind=kind, release_id=release_id, actor=who, at=NOON, note="Better for all.", assurance="signed")
        for kind, who in (("waiting", "gatewright"), ("approved", "dana.reyes"), ("break_glass", "lee.wong"))
    )
    return replace(view, opening=view.opening.model_copy(update={"release_id": release_id}), events=events)


def test_settled_moves_are_told_the_newest_first_with_how_long_they_took() -> None:
    """Intents are no news; a move that was undone is."""
    told = [(c.release_id, c.what, c.seconds) for c in changelog(HISTORY, view_of)]
    assert told == [
        ("triage-1999-1", "put back", 60.0),
        ("triage-1999-1", "rolled back", 7.0),
        ("triage-2000-1", "released", 3.0),
        ("triage-1999-1", "released", 4.0),
    ]


def test_a_release_says_by_whose_word_and_what_it_changed() -> None:
    """People with their assurance, and each metric with its paired change and interval."""
    released = changelog(HISTORY, view_of)[2]
    assert [(said.who, said.assurance, said.emergency) for said in released.said] == [
        ("dana.reyes", "signed", False),
        ("lee.wong", "signed", True),
    ]
    auc = released.metrics[0]
    assert (auc.metric, auc.value, auc.change, auc.low, auc.high) == ("auc", 0.858, 0.03, 0.014, 0.044)
    assert (released.decision, released.policy_version) == ("promote", 3)


def test_a_rollback_claims_no_metrics_of_its_own() -> None:
    """They were measured at another time, against another model."""
    back = changelog(HISTORY, view_of)[1]
    assert (back.metrics, back.said, back.decision) == ((), (), None)
    assert (back.by, back.reason) == ("dana.reyes", "It misses too many of the old.")


def test_how_surely_it_is_known_who_rolled_back_is_what_the_ledger_says_of_this_move() -> None:
    """Another rollback to the same release says nothing of it."""

    def noted(surely: str, move: ChannelEntry) -> LedgerEntry:
        return LedgerEntry(
            kind="rolled_back", release_id=OLD[0], actor="dana.reyes", at=NOON, assurance=surely,
            digests={"move": move.digest},
        )  # fmt: skip

    elsewhere = HISTORY[5].model_copy(update={"operation": "rollback-9"})
    events = (noted("gateway", elsewhere), noted("signed", HISTORY[5]))
    changes = changelog(HISTORY, lambda name: replace(view_of(name), events=events))
    assert [change.assurance for change in changes] == [None, "signed", None, None]
    assert "by dana.reyes (signed), in 7 s" in changelog_page("triage", "production", changes)


def test_a_first_release_that_was_put_back_leaves_nothing() -> None:
    """Nothing served before, and no release is read for it."""

    def nobody(_: str) -> ReleaseView:
        raise AssertionError

    first = (move("deploy", NEW, 0, "x"), move("revert", ("x", None), 9, "x"))
    (change,) = changelog(first, nobody)
    assert (change.what, change.model_sha256) == ("put back", None)
    assert "nothing serves" in changelog_page("triage", "production", (change,))


def test_the_page_is_built_as_agreed() -> None:
    """The newest first; by hand from the moves above."""
    text = changelog_page("triage", "production", changelog(HISTORY, view_of)[1:3])
    assert text.splitlines()[:9] == [
        "# Changelog of triage, production",
        "",
        "## 2026-03-02: triage-1999-1 rolled back",
        "",
        "2026-03-02 12:03 UTC by dana.reyes, in 7 s; model <code>b2b2b2b2b2b2</code>. "
        "Why: It misses too many of the old.",
        "",
        "## 2026-03-02: triage-2000-1 released",
        "",
        "2026-03-02 12:01 UTC by dana.reyes, in 3 s; model <code>a1a1a1a1a1a1</code>. Why: Better.",
    ]
    assert "| AUC | 0.858 | +0.030 | [0.014, 0.044] |" in text
    assert "- lee.wong broke the glass (signed): Better for all." in text


def test_nothing_deployed_is_said() -> None:
    """An empty page would look like a fault."""
    assert "Nothing was ever deployed on staging." in changelog_page("triage", "staging", ())


def test_hostile_reasons_add_no_element() -> None:
    """Whoever approves or rolls back writes free text."""
    moves = (move("deploy", NEW, 0, "x", HOSTILE), move("confirm", NEW, 1, "x", HOSTILE))
    page = rendered(changelog_page("triage", "production", changelog(moves, view_of)))
    assert set(page.tags) <= ELEMENTS
    assert not [value for _, name, value in page.attributes if name in ("href", "src")]
