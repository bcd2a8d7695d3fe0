"""Which moves of a channel a release or a rollback can have made, and what an audit as a whole comes to."""

import pytest

from gatewright.core.audit import Finding, UnprovenError, must_be_attested, must_be_legal, overall
from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import IntegrityError
from gatewright.core.ledger import LedgerEntry
from tests.core.examples import NOW

MODELS = {"r1": "1" * 64, "r2": "2" * 64}


def move(action: str, release: str = "r1", operation: str | None = None, **changes: object) -> ChannelEntry:
    entry = ChannelEntry(
        action=action,  # type: ignore[arg-type]
        release_id=release,
        model_sha256=MODELS.get(release),
        actor="dana.reyes",
        reason="As decided.",
        operation=operation or release,
        at=NOW,
    )
    return entry.model_copy(update=changes)


def event(kind: str, release: str = "r1", **digests: str) -> LedgerEntry:
    return LedgerEntry(kind=kind, release_id=release, actor="gatewright", at=NOW, digests=digests)  # type: ignore[arg-type]


OPENED = [event("opened", "r1"), event("opened", "r2")]
FIRST = [move("deploy"), move("confirm")]
SECOND = [*FIRST, move("deploy", "r2"), move("confirm", "r2")]
BACK = [move("rollback", "r1", "back"), move("confirm", "r1", "back")]
NOTED = event("rolled_back", "r1", move=BACK[1].digest)


@pytest.mark.parametrize(
    "moves",
    [
        [],
        FIRST,
        [*SECOND, *BACK],
        [*FIRST, move("deploy", "r2"), move("revert", "r1", "r2")],
        [move("deploy"), move("revert", "r1", model_sha256=None)],
        [*FIRST, move("revert", "r1", "r2")],
    ],
    ids=["none", "a release", "a rollback", "put back", "put back to nothing", "a place taken by what stands"],
)
def test_what_releases_and_rollbacks_do_is_legal(moves: list[ChannelEntry]) -> None:
    """Nothing is raised."""
    must_be_legal(moves, [*OPENED, NOTED], where="channel")


@pytest.mark.parametrize(
    ("moves", "says"),
    [
        ([move("deploy", "r9")], "no release r9 was opened"),
        ([move("deploy", "r2", "r1")], "no release r2 was opened that could have made it"),
        ([*SECOND, move("deploy", "r1")], "r1 has moved the channel before"),
        ([*FIRST, move("rollback", "r2", "back")], "never confirmed"),
        ([*SECOND, move("rollback", "r1", "back", model_sha256="3" * 64)], "never confirmed"),
        ([move("confirm")], "not about to be served"),
        ([move("deploy"), move("confirm", model_sha256="3" * 64)], "not about to be served"),
        ([move("deploy"), move("confirm", "r1", "r2")], "not about to be served"),
        ([*FIRST, move("confirm")], "not about to be served"),
        ([*FIRST, move("deploy", "r2"), move("revert", "r2", "r2")], "does not put back what stood"),
        ([move("revert", "r1")], "does not put back what stood"),
    ],
)
def test_any_other_move_is_found(moves: list[ChannelEntry], says: str) -> None:
    """With its generation."""
    with pytest.raises(IntegrityError, match=says) as caught:
        must_be_legal(moves, OPENED, where="channel")
    assert caught.value.where == f"channel generation {len(moves)}"


def test_a_rollback_that_the_ledger_does_not_have_is_not_proven() -> None:
    """Its run may have died just before; started again it goes on."""
    with pytest.raises(UnprovenError, match="the ledger does not have it"):
        must_be_legal([*SECOND, *BACK], OPENED, where="channel")


def test_the_first_event_of_a_kind_is_the_one_that_counts() -> None:
    """Whoever appends another decision later changes nothing."""
    entries = [event("decided", evidence="a" * 64), event("decided", evidence="b" * 64)]
    must_be_attested("r1", entries, {"decided": ("evidence", "a" * 64)})
    for release, wanted in (("r1", "b" * 64), ("r2", "a" * 64)):
        with pytest.raises(IntegrityError, match="what was decided"):
            must_be_attested(release, entries, {"decided": ("evidence", wanted)})


def test_one_step_decides_for_all() -> None:
    """Broken outweighs unproven, and that outweighs ok; an audit of nothing proves nothing."""
    ok, broken, unproven = (
        Finding(check="c", subject="s", status=status, detail="d")  # type: ignore[arg-type]
        for status in ("ok", "broken", "unproven")
    )
    assert [overall(found) for found in ([ok], [ok, unproven], [unproven, broken, ok], [])] == [
        "ok",
        "unproven",
        "broken",
        "unproven",
    ]
