"""Monotonicity, invariance and the worst case: what the model answers when it is asked about changed rows."""

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks import worst_case
from gatewright.core.checks.invariance import measure_invariance
from gatewright.core.checks.monotonicity import measure_monotonicity
from gatewright.core.checks.probes import Probe, Scorer
from gatewright.core.checks.worst_case import PAIRS, SEARCHED_ROWS, measure_worst_case
from gatewright.core.errors import DataError, ModelError, SpecError
from gatewright.core.spec import Invariance, Monotonicity

ROWS = 1_500
RNG = np.random.default_rng(7)
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(16, 90, ROWS),
        "speed": RNG.normal(60, 20, ROWS),
        "sex": RNG.choice(["f", "m"], ROWS, p=[0.4, 0.6]),
        "flag": RNG.integers(0, 2, ROWS),
    }
)
RISING = Monotonicity(name="older", column="age", direction="rising")
SEX = Invariance(name="sex", columns=("sex",))


def by_age(frame):
    return frame["age"] / 100


def probed(model, *, frame=FRAME, threshold=0.5, clusters=None, features=tuple(FRAME.columns)):
    scores = np.asarray(model(frame), dtype=float)
    return Probe(frame, scores, Scorer(model), features, ("sex",), threshold, 0.9, clusters)


def by_metric(measurements):
    return {m.metric: m for m in measurements}


def test_a_rising_model_breaks_no_rising_rule_and_every_falling_one():
    """Every row moves with age, and passes the threshold on its way."""
    falling = RISING.model_copy(update={"direction": "falling"})
    kept = by_metric(measure_monotonicity(probed(by_age), [RISING]))
    broken = by_metric(measure_monotonicity(probed(by_age), [falling]))
    for metric in ("monotonicity_violation_rate", "monotonicity_flip_rate"):
        assert kept[metric].value == 0
        assert 0 < kept[metric].interval.high < 0.003
        assert broken[metric].value == 1


def test_rows_that_break_the_rule_are_counted():
    """Age counts against women: the share of women violates; a small move turns no decision."""

    def model(frame):
        return 0.3 + np.where(frame["sex"] == "f", -1, 1) * frame["age"] / 1000

    found = by_metric(measure_monotonicity(probed(model), [RISING]))
    rate = found["monotonicity_violation_rate"]
    assert rate.value == pytest.approx((FRAME["sex"] == "f").mean())
    assert rate.interval.low < rate.value < rate.interval.high
    assert found["monotonicity_flip_rate"].value == 0


def test_a_dip_between_quantiles_of_the_data_is_seen():
    """The score falls between 40 and 60 and is higher again after."""

    def model(frame):
        return np.where(frame["age"].between(40, 60), 0.2, 0.4 + frame["age"] / 1000)

    found = by_metric(measure_monotonicity(probed(model), [RISING]))["monotonicity_violation_rate"]
    assert found.value == 1
    assert "the largest move against the rule is 0.2" in found.note


def test_a_rule_is_one_call_about_a_bounded_number_of_rows(monkeypatch):
    """Eleven values of at most so many rows."""
    monkeypatch.setattr("gatewright.core.checks.monotonicity.STEPPED_ROWS", 100)
    probe = probed(by_age)
    found = measure_monotonicity(probe, [RISING])
    assert (probe.score.calls, probe.score.rows) == (1, 1_100)
    assert {m.n for m in found} == {100}


def test_a_column_that_cannot_grow_is_not_judged():
    """A constant has no value, text is a mistake in the spec, a missing column one in the data."""
    constant = probed(by_age, frame=FRAME.assign(age=40))
    assert all(m.value is None for m in measure_monotonicity(constant, [RISING]))
    with pytest.raises(SpecError, match="`sex` holds no numbers"):
        measure_monotonicity(probed(by_age), [RISING.model_copy(update={"column": "sex"})])
    with pytest.raises(DataError, match="weight"):
        measure_monotonicity(probed(by_age), [RISING.model_copy(update={"column": "weight"})])


def test_a_model_blind_to_sex_is_invariant():
    """Zero of 1500 decisions, with Wilson's upper bound."""
    (found,) = measure_invariance(probed(by_age), [SEX])
    assert found.value == 0
    assert 0 < found.interval.high < 0.003
    assert found.slice == "sex"


def test_decisions_that_sex_alone_turns_are_counted():
    """Being a woman adds ten years: those whose age is within ten years of the threshold turn."""

    def model(frame):
        return (frame["age"] + 10 * (frame["sex"] == "f")) / 100

    (found,) = measure_invariance(probed(model), [SEX])
    assert found.value == pytest.approx(FRAME["age"].between(40, 49).mean())
    assert "the largest change of a score is 0.1" in found.note


def test_columns_change_together_to_combinations_that_exist():
    """Of sex and a pregnancy flag only the three combinations in the data are tried."""
    frame = FRAME.assign(pregnant=((FRAME["sex"] == "f") & (FRAME["flag"] == 1)).astype(int))
    seen = []

    def model(asked):
        seen.append(asked)
        return asked["age"] / 100

    measure_invariance(probed(model, frame=frame), [Invariance(name="both", columns=("sex", "pregnant"))])
    pairs = seen[-1][["sex", "pregnant"]].drop_duplicates()
    assert sorted(map(tuple, pairs.to_numpy().tolist())) == [("f", 0), ("f", 1), ("m", 0)]
    assert len(seen[-1]) == 3 * ROWS


def test_one_value_alone_says_nothing_of_invariance():
    """No value, so that it cannot pass."""
    (found,) = measure_invariance(probed(by_age, frame=FRAME.assign(sex="f")), [SEX])
    assert (found.value, found.note) == (None, "`sex` has no two values")


def test_rows_of_one_cluster_are_no_new_evidence():
    """Each person ten times: the interval is that of the persons."""

    def model(frame):
        return (frame["age"] + 10 * (frame["sex"] == "f")) / 100

    tenfold = pd.concat([FRAME.head(400)] * 10, ignore_index=True)
    (honest,) = measure_invariance(probed(model, frame=tenfold, clusters=np.tile(np.arange(400), 10)), [SEX])
    (naive,) = measure_invariance(probed(model, frame=tenfold), [SEX])
    assert honest.interval.high - honest.interval.low > 2 * (naive.interval.high - naive.interval.low)


def worst(model, **options):
    return {m.slice: m for m in measure_worst_case(probed(model, **options))}


def test_a_steep_model_is_turned_by_small_numbers_near_its_threshold():
    """A tenth of the standard deviation crosses the threshold from everywhere near it."""
    found = worst(lambda frame: 1 / (1 + np.exp(53.5 - frame["age"])))
    assert found["numbers"].value > 0.9
    assert found["numbers"].n <= SEARCHED_ROWS


def test_a_model_of_categories_is_not_turned_by_numbers():
    """Sex and the flag decide: no number matters, a category does."""
    found = worst(lambda frame: 0.45 + 0.1 * ((frame["sex"] == "f") & (frame["flag"] == 1)))
    assert found["numbers"].value == 0
    assert found["all"].value == 1


def test_two_changes_together_are_found_where_one_does_not_do():
    """Age and speed each bring four of the five hundredths to the threshold; a few old and fast give the spread."""

    def model(frame):
        return 0.45 + 0.04 * (frame["age"] >= 53) + 0.04 * (frame["speed"] >= 60) + 0.4 * (frame["age"] >= 80)

    far = np.arange(ROWS) % 20 == 0
    frame = FRAME.assign(age=np.where(far, 90, 52.5), speed=np.where(far, 200, 59.5))
    assert worst(model, frame=frame, features=("age",))["numbers"].value == 0
    assert worst(model, frame=frame, features=("age", "speed"))["numbers"].value == 1


def test_a_constant_model_cannot_be_turned():
    """And nothing to change gives no value."""
    assert worst(lambda frame: np.full(len(frame), 0.4))["all"].value == 0
    assert worst(lambda frame: np.full(len(frame), 0.4), features=())["all"].value is None


def test_the_search_is_bounded_and_repeats_itself(monkeypatch):
    """Three calls a slice; the rows' order changes nothing."""
    monkeypatch.setattr(worst_case, "MOVES", 30)
    numbers = np.random.default_rng(1).normal(size=(ROWS, 20))
    wide = FRAME.join(pd.DataFrame(numbers, columns=[f"x{k}" for k in range(20)]))

    def model(frame):
        return 1 / (1 + np.exp(-frame[[f"x{k}" for k in range(20)]].sum(axis=1) / 5))

    probe = probed(model, frame=wide, features=tuple(wide.columns))
    first = measure_worst_case(probe)
    assert probe.score.calls == 6
    assert probe.score.rows <= 2 * (2 * 30 + PAIRS) * SEARCHED_ROWS
    shuffled = wide.sample(frac=1, random_state=3).reset_index(drop=True)
    again = measure_worst_case(probed(model, frame=shuffled, features=tuple(wide.columns)))
    assert [m.value for m in again] == [m.value for m in first]


def test_scores_that_are_no_probabilities_are_refused_whoever_asks():
    """The error names the question."""
    probe = Probe(FRAME, np.full(ROWS, 0.4), Scorer(lambda f: np.full(len(f), np.nan)), ("age",), (), 0.5, 0.9)
    with pytest.raises(ModelError, match="invariance sex"):
        measure_invariance(probe, [SEX])
