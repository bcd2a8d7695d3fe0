"""The peer of the whole gate: a plain script of Great Expectations, scikit-learn, fairlearn and SciPy.

As teams write it: no intervals, no comparison beyond two point values, no evidence.
"""

from typing import Any

__all__ = ["plain_gate"]

METRICS = (
    "roc_auc_score", "average_precision_score", "log_loss", "brier_score_loss",
)  # fmt: skip
DECISION_METRICS = ("accuracy_score", "precision_score", "recall_score", "f1_score")


def plain_gate(current: str, reference: str) -> dict[str, Any]:
    """Read both files, validate, evaluate two models, audit three sensitive columns, compare 28 columns."""
    import pandas as pd

    frame, before = pd.read_parquet(current), pd.read_parquet(reference)
    return {
        "validation": _validate(frame),
        "metrics": {name: _metrics(frame.label, frame[name]) for name in ("score", "champion_score")},
        "fairness": _fairness(frame),
        "drift": _drift(before, frame),
    }


def _validate(frame: Any) -> bool:
    import great_expectations as gx
    from great_expectations.expectations.registry import get_expectation_impl

    from benchmarks.suite import suite_document

    context = gx.get_context(mode="ephemeral")
    batch = context.data_sources.add_pandas("p").add_dataframe_asset("f").add_batch_definition_whole_dataframe("b")
    suite = gx.ExpectationSuite(name="plain")
    for expectation in suite_document()["expectations"]:
        suite.add_expectation(get_expectation_impl(expectation["type"])(**expectation["kwargs"]))
    context.variables.progress_bars = {"globally": False}
    return bool(batch.get_batch({"dataframe": frame}).validate(suite, result_format="SUMMARY").success)


def _metrics(labels: Any, scores: Any) -> dict[str, float]:
    from sklearn import metrics

    decisions = scores >= 0.5
    ranked = {name: float(getattr(metrics, name)(labels, scores)) for name in METRICS}
    return ranked | {name: float(getattr(metrics, name)(labels, decisions)) for name in DECISION_METRICS}


def _fairness(frame: Any) -> dict[str, dict[str, float]]:
    from fairlearn import metrics

    from benchmarks.data import SENSITIVE

    decisions, found = (frame.score >= 0.5).astype(int), {}
    for column in SENSITIVE:
        audited = metrics.MetricFrame(
            metrics={
                name: getattr(metrics, name)
                for name in ("selection_rate", "true_positive_rate", "false_positive_rate", "false_negative_rate")
            },
            y_true=frame.label,
            y_pred=decisions,
            sensitive_features=frame[column],
        )
        found[column] = {name: float(gap) for name, gap in audited.difference().items()}
    return found


def _drift(before: Any, frame: Any) -> dict[str, float]:
    import pandas as pd
    from scipy import stats

    from benchmarks.data import CATEGORICAL, NUMERIC, SENSITIVE

    statistics = {
        name: float(stats.ks_2samp(before[name].dropna(), frame[name].dropna()).statistic) for name in NUMERIC
    }
    for name in (*CATEGORICAL, *list(SENSITIVE)[:2]):
        counts = pd.concat([before[name].value_counts(), frame[name].value_counts()], axis=1).fillna(0)
        statistics[name] = float(stats.chi2_contingency(counts.to_numpy()).statistic)
    return statistics
