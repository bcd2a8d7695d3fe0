"""Which model a channel goes back to, whatever happened on it."""

from datetime import timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.channels import ChannelEntry, periods, previous_deployed, serving_at, standing
from tests.core.examples import NOW


class Channel:
    """Writes histories as deployments and rollbacks do. Models are single letters."""

    def __init__(self) -> None:
        self.history: list[ChannelEntry] = []
        self._numbers = count(1)

    def move(self, action: str, model: str, *, ends: str | None = "confirm") -> None:
        """An intent and, with ``ends``, the confirmation or the way back."""
        operation = f"{action}-{next(self._numbers)}"
        before = standing(self.history)
        self._add(action, model, operation)
        if ends == "confirm":
            self._add("confirm", model, operation)
        elif ends == "revert":
            self._add("revert", before.model_sha256[0] if before and before.model_sha256 else None, operation)

    def _add(self, action: str, model: str | None, operation: str) -> None:
        self.history.append(
            ChannelEntry(
                action=action,
                release_id=f"r-{model}",
                model_sha256=model * 64 if model else None,
                actor="dana.reyes",
                reason="a reason",
                operation=operation,
                at=NOW,
            )
        )

    @property
    def previous(self) -> str | None:
        entry = previous_deployed(self.history)
        return entry.model_sha256[0] if entry and entry.model_sha256 else None

    @property
    def serves(self) -> str | None:
        entry = standing(self.history)
        return entry.model_sha256[0] if entry and entry.model_sha256 else None


def deployed(*models: str) -> Channel:
    channel = Channel()
    for model in models:
        channel.move("deploy", model)
    return channel


@pytest.mark.parametrize(
    ("models", "previous"), [("", None), ("a", None), ("ab", "a"), ("abc", "b"), ("aa", None), ("abb", "a")]
)
def test_the_previous_deployment_is_the_last_of_another_model(models, previous):
    """A model that is deployed twice is one step, and the first deployment has none before it."""
    assert deployed(*models).previous == previous


def test_rolling_back_twice_goes_two_models_back():
    """The second step does not lead to the model that the first one left."""
    channel = deployed("a", "b", "c")
    for back in ("b", "a"):
        assert channel.previous == back
        channel.move("rollback", back)
    assert channel.previous is None


def test_a_model_deployed_after_a_rollback_goes_back_to_the_one_it_replaced():
    """Not to the one that was rolled back before."""
    channel = deployed("a", "b")
    channel.move("rollback", "a")
    channel.move("deploy", "c")
    assert channel.previous == "a"


def test_a_model_that_served_before_may_be_deployed_again():
    """Its second deployment replaced another model, which is the way back."""
    assert deployed("a", "b", "a").previous == "b"


def test_a_rollback_forward_by_name_can_be_taken_back():
    """Back to a, forward to b again: the previous one is a."""
    channel = deployed("a", "b")
    channel.move("rollback", "a")
    channel.move("rollback", "b")
    assert channel.previous == "a"


def test_a_deployment_that_was_put_back_leaves_no_trace():
    """Neither a failed deployment nor a failed rollback changes what is previous."""
    channel = deployed("a", "b")
    channel.move("deploy", "c", ends="revert")
    assert (channel.serves, channel.previous) == ("b", "a")
    channel.move("rollback", "a", ends="revert")
    assert (channel.serves, channel.previous) == ("b", "a")


def test_an_unconfirmed_deployment_is_undone_first():
    """While c is on its way, one step back is b, which served until then."""
    channel = deployed("a", "b")
    channel.move("deploy", "c", ends=None)
    assert channel.previous == "b"


def test_a_rollback_that_died_is_aimed_at_the_same_model_again():
    """Its intent stands at the head, but b was the last that was confirmed."""
    channel = deployed("a", "b")
    channel.move("rollback", "a", ends=None)
    assert channel.previous == "a"


def test_nothing_stands_before_the_first_confirmation_and_after_its_way_back():
    """An intent alone is no deployment."""
    channel = Channel()
    channel.move("deploy", "a", ends=None)
    assert channel.serves is None
    channel = Channel()
    channel.move("deploy", "a", ends="revert")
    assert (channel.serves, channel.previous) == (None, None)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["deploy", "back"]), st.sampled_from(["confirm", "revert"])),
        max_size=20,
    )
)
def test_steps_back_lead_to_models_that_served_and_come_to_an_end(moves):
    """After any history: each was confirmed once, is not the one that serves, and none leads round in a circle."""
    channel = Channel()
    for model, kind, ends in moves:
        back = channel.previous if kind == "back" else None
        if back:
            channel.move("rollback", back, ends=ends)
        elif model != channel.serves:
            channel.move("deploy", model, ends=ends)
    confirmed = [entry.model_sha256 for entry in channel.history if entry.action == "confirm"]
    steps = 0
    while (back := channel.previous) is not None:
        assert back * 64 in confirmed
        assert back != channel.serves
        channel.move("rollback", back)
        steps += 1
        assert steps < len(confirmed)


def timed(*moves: tuple[str, str | None, float]) -> list[ChannelEntry]:
    """A history of (action, model, minutes after NOW); each release is one operation."""
    return [
        ChannelEntry(
            action=action,
            release_id=f"r-{model}",
            model_sha256=model * 64 if model else None,
            actor="dana.reyes",
            reason="a reason",
            operation=f"r-{model}",
            at=NOW + timedelta(minutes=minutes),
        )
        for action, model, minutes in moves
    ]


TIMED = timed(("deploy", "a", 0), ("confirm", "a", 1), ("deploy", "b", 10), ("revert", "a", 12), ("rollback", "c", 20))


@pytest.mark.parametrize(
    ("minutes", "settled", "under_way"),
    [
        (-1, None, None),
        (0, None, "a"),
        (1, "a", None),
        (9, "a", None),
        (11, "a", "b"),
        (12, "a", None),
        (60, "a", "c"),
    ],
)
def test_what_served_at_a_time_is_what_was_settled_then(minutes: float, settled: str | None, under_way: str | None):
    """An intent only says that another model may have answered: it was put back, or is not settled to this day."""
    found = serving_at(TIMED, NOW + timedelta(minutes=minutes))
    assert (found.settled and found.settled.model_sha256) == (settled and settled * 64)
    assert (found.under_way and found.under_way.model_sha256) == (under_way and under_way * 64)


def test_the_order_of_moves_is_that_of_their_numbers_not_of_their_clocks():
    """The confirmation was written by a machine whose clock is a minute behind."""
    history = timed(("deploy", "a", 5), ("confirm", "a", 4))
    found = serving_at(history, NOW + timedelta(minutes=4))
    assert found.settled is history[1]


def test_periods_say_what_served_how_long_and_how_it_ended():
    """What was put back before it was confirmed never served; one that is confirmed twice served once."""
    history = timed(
        ("deploy", "a", 0), ("confirm", "a", 1), ("deploy", "b", 10), ("revert", "a", 12), ("deploy", "c", 20),
        ("confirm", "c", 21), ("rollback", "a", 30), ("confirm", "a", 31), ("deploy", "d", 40),
    )  # fmt: skip
    found = [(p.release_id, p.since, p.until, p.ended) for p in periods(history)]
    minutes = [NOW + timedelta(minutes=n) for n in (1, 21, 31)]
    # The rollback's operation is that of `r-a`, and it took `c` away.
    assert found == [
        ("r-a", minutes[0], minutes[1], "release"),
        ("r-c", minutes[1], minutes[2], "rollback"),
        ("r-a", minutes[2], None, None),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["deploy", "rollback"]),
            st.sampled_from(["confirm", "revert", None]),
        ),
        max_size=20,
    )
)
def test_periods_end_where_the_next_begins_and_the_last_is_what_stands(moves):
    """After any history: no gap while something serves, no model after itself."""
    channel = Channel()
    for model, kind, ends in moves:
        channel.move(kind, model, ends=ends)
    served = periods(channel.history)
    for before, after in pairwise(served):
        assert before.until == after.since
        assert before.release_id != after.release_id
    assert [p.release_id for p in served if p.until is None] == ([f"r-{channel.serves}"] if channel.serves else [])
