"""Evaluation sums: the same bytes from any partition, and from bins the numbers of the rows."""

from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from gatewright.core.checks import evaluation_sums as module
from gatewright.core.checks.evaluated import evaluated
from gatewright.core.checks.evaluation import EvaluationSums, evaluation_sums, measure_evaluation_sums
from gatewright.core.errors import DataError
from gatewright.core.statistics.auc import delong, delong_difference
from gatewright.core.statistics.calibration import bin_edges, equal_width_bins, to_bins

THRESHOLD = 0.3
ROWS = 200_000


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.beta(1, 6, n)
    labels = (rng.random(n) < scores).astype(int)
    return labels, scores, np.clip(scores + rng.normal(0, 0.05, n), 0.001, 0.999)


def sums_of(columns, part=slice(None), clusters=None):
    labels, scores, champion = (column[part] for column in columns)
    ids = None if clusters is None else clusters[part]
    start = part.start or 0
    return evaluation_sums(labels, scores, champion_scores=champion, threshold=THRESHOLD, clusters=ids, start=start)


@pytest.fixture
def few(monkeypatch):
    """Fold above 100 rows, so that small examples are folded as large files are."""
    monkeypatch.setattr(module, "KEPT_ROWS", 100)


@pytest.fixture(scope="module")
def large():
    """Rows of two models and their folded sums."""
    columns = drawn(ROWS)
    kept, module.KEPT_ROWS = module.KEPT_ROWS, 1_000
    try:
        sums = sums_of(columns)
    finally:
        module.KEPT_ROWS = kept
    return columns, sums


@pytest.mark.parametrize("clusters", [None, np.arange(260) // 3])
@given(cuts=st.lists(st.integers(0, 260), max_size=5), order=st.randoms())
@settings(max_examples=5)
def test_any_partition_in_any_order_gives_the_same_bytes(clusters, cuts, order):
    """Kept and folded, with clusters and by position."""
    columns, kept = drawn(260), module.KEPT_ROWS
    bounds = [0, *sorted(cuts), 260]
    try:
        for limit in (100, 1_000):
            module.KEPT_ROWS = limit
            whole = sums_of(columns, slice(0, 260), clusters)
            parts = [sums_of(columns, slice(a, b), clusters) for a, b in pairwise(bounds)]
            order.shuffle(parts)
            middle = len(parts) // 2
            halves = [reduce(add, half) for half in (parts[:middle], parts[middle:]) if half]
            assert reduce(add, parts).to_bytes() == whole.to_bytes()
            assert reduce(add, halves) == whole
    finally:
        module.KEPT_ROWS = kept


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("rows", [60, 300])
def test_sums_survive_the_way_between_machines(rows):
    """Bytes give the same sums, and these the same measurements."""
    sums = sums_of(drawn(rows), clusters=np.arange(rows))
    again = EvaluationSums.from_bytes(sums.to_bytes())
    assert again == sums
    assert again.n == rows
    assert measure_evaluation_sums(again, confidence=0.9) == measure_evaluation_sums(sums, confidence=0.9)


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 cut off", b"\x80\x04pickle"])
def test_other_bytes_are_no_sums(content):
    """A damaged shard is one clear error."""
    with pytest.raises(DataError, match="no evaluation sums"):
        EvaluationSums.from_bytes(content)


def test_sums_of_other_columns_or_thresholds_are_not_merged():
    """A shard without the champion, or decided at another threshold, would bias the whole in silence."""
    labels, scores, champion = drawn(50)
    alone = evaluation_sums(labels, scores, threshold=THRESHOLD)
    for other in (
        evaluation_sums(labels, scores, champion_scores=champion, threshold=THRESHOLD),
        evaluation_sums(labels, scores, threshold=0.5),
    ):
        with pytest.raises(ValueError, match="cannot be merged"):
            alone + other


def test_many_rows_cost_no_more_space_than_their_table(few):
    """Ten times the rows: bytes grow only by bins that were empty before."""
    sizes = [len(sums_of(drawn(n)).to_bytes()) for n in (20_000, 200_000)]
    assert sizes[1] < 6 * sizes[0]


REFERENCE = {
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
    "accuracy": lambda y, s: sk.accuracy_score(y, s >= THRESHOLD),
    "precision": lambda y, s: sk.precision_score(y, s >= THRESHOLD),
    "recall": lambda y, s: sk.recall_score(y, s >= THRESHOLD),
    "f1": lambda y, s: sk.f1_score(y, s >= THRESHOLD),
    "matthews_correlation": lambda y, s: sk.matthews_corrcoef(y, s >= THRESHOLD),
    "balanced_accuracy": lambda y, s: sk.balanced_accuracy_score(y, s >= THRESHOLD),
}


def test_folded_values_equal_scikit_learns(large):
    """Sums to 1e-12, the area under the curve to 1e-8, average precision to 1e-6."""
    (labels, scores, champion), sums = large
    found = {m.metric: m for m in measure_evaluation_sums(sums, confidence=0.95)}
    for metric, reference in REFERENCE.items():
        expected, other = reference(labels, scores), reference(labels, champion)
        assert found[metric].value == pytest.approx(expected, abs=1e-12), metric
        assert found[f"{metric}_change"].value == pytest.approx(expected - other, abs=2e-12), metric
    assert found["auc"].value == pytest.approx(sk.roc_auc_score(labels, scores), abs=1e-8)
    expected = sk.average_precision_score(labels, scores)
    assert found["average_precision"].value == pytest.approx(expected, abs=1e-6)


def test_folded_and_kept_rows_give_nearly_the_same_intervals(large):
    """Bounds differ by less than a tenth of the interval's width, values by much less."""
    columns, sums = large
    kept = {m.metric: m for m in measure_evaluation_sums(sums_of(columns), confidence=0.9)}
    for folded in measure_evaluation_sums(sums, confidence=0.9):
        exact = kept[folded.metric]
        width = exact.interval.high - exact.interval.low
        assert folded.value == pytest.approx(exact.value, abs=1e-3 * width)
        assert folded.interval.low == pytest.approx(exact.interval.low, abs=0.12 * width), folded.metric
        assert folded.interval.high == pytest.approx(exact.interval.high, abs=0.12 * width), folded.metric


@pytest.mark.usefixtures("few")
def test_resampled_standard_errors_are_the_analytic_ones():
    """DeLong's of the area, alone and paired, and those of means: within 5 % over eight files, none off by 12 %."""
    ratios = np.array([_error_ratios(drawn(20_000, seed), seed) for seed in range(8)])
    assert np.abs(ratios.mean(axis=0) - 1).max() < 0.05
    assert np.abs(ratios - 1).max() < 0.12


def _error_ratios(columns, seed):
    labels, scores, champion = columns
    models = evaluated(sums_of(columns), seed=seed)
    alone = {metric: models["candidate"].replicates(metric) for metric in ("auc", "brier", "log_loss", "accuracy")}
    change = {metric: alone[metric] - models["champion"].replicates(metric) for metric in ("auc", "accuracy")}
    losses = -np.log(np.where(labels == 1, scores, 1 - scores))
    hits, others = (((model >= THRESHOLD) == labels).astype(float) for model in (scores, champion))
    means = [values.std() / labels.size**0.5 for values in ((scores - labels) ** 2, losses, hits, hits - others)]
    areas = [delong(labels, scores), delong_difference(labels, scores, champion)]
    found = [alone["auc"], change["auc"], alone["brier"], alone["log_loss"], alone["accuracy"], change["accuracy"]]
    return [values.std() for values in found] / np.array([*(area.variance**0.5 for area in areas), *means])


def test_scores_too_close_for_the_bins_are_not_decided_on(few):
    """All scores within a hundredth: without bins to resample there is no value, and the note says what to do."""
    labels, scores, champion = drawn(2_000)
    close = 0.4 + 0.01 * scores
    sums = evaluation_sums(labels, close, champion_scores=champion, threshold=THRESHOLD)
    found = {m.metric: m for m in measure_evaluation_sums(sums, confidence=0.9)}
    for metric in ("auc", "auc_change", "average_precision", "calibration_slope_change"):
        assert found[metric].value is None
        assert "too close together" in found[metric].note
    assert found["brier"].value is not None


@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([k / 15 for k in range(16)])), min_size=1, max_size=30))
def test_equal_width_bins_are_those_of_the_search(scores):
    """On the edges too."""
    values = np.array(scores)
    assert equal_width_bins(values).tolist() == to_bins(values, bin_edges(values, 15)).tolist()
