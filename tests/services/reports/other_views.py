"""Releases that the example is not: held, blocked, of other tasks, with nothing measured."""

from dataclasses import replace

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval, Measurement, StageEvidence
from tests.services.reports.example_view import STAGES, example_view, group, measured, stage


def slice_change(name: str, value: float, low: float, high: float, n: int) -> Measurement:
    return measured("error_rate_change", value, low, high, slice_name=name, n=n)


def tested(metric: str, name: str, value: float, p_value: float) -> Measurement:
    """What the search found on one half, as the other half has it."""
    interval = Interval(low=value - 0.01, high=value + 0.01, confidence=0.9, method="example")
    return Measurement(metric=metric, slice=name, value=value, interval=interval, n=900, p_value=p_value)


SLICES = stage(
    "slices",
    slice_change("belt=no", 0.024, 0.012, 0.036, 2100),
    slice_change("belt=yes", -0.01, -0.02, -0.002, 1900),
    slice_change("speed=high", 0.03, -0.01, 0.07, 300),
    measured("error_rate", 0.2, 0.18, 0.22, slice_name="belt=no"),
    tested("worst_slice_change", "belt=no", 0.024, 0.0004),
    tested("worst_slice_change", "speed=high", 0.03, 0.2),
)

VALIDATED = stage(
    "validate",
    *STAGES["validate"].measurements,
    measured("expectations_evaluated", 62, 62, 62, slice_name="training"),
    details={
        "training": {
            "failed": {"critical": 0, "warning": 1, "info": 0},
            "failures": [
                {
                    "expectation": "expect_column_values_to_be_between",
                    "column": "speed",
                    "severity": "warning",
                    "unexpected_count": 4,
                    "exception": "",
                    "sample": [{"case": "a secret"}],
                }
            ],
        }
    },
)


def with_slices() -> ReleaseView:
    """The example, with slices, failed expectations and the champion's calibration."""
    curves = STAGES["evaluate"].details["curves"]
    assert isinstance(curves, dict)
    both = {"curves": {"candidate": curves["candidate"], "champion": curves["candidate"]}}
    evaluate = stage("evaluate", *STAGES["evaluate"].measurements, details=both)
    return example_view({"slices": SLICES, "validate": VALIDATED, "evaluate": evaluate})


def held() -> ReleaseView:
    """No champion serves, so people must look."""
    levels = stage("slices", measured("error_rate", 0.2, 0.18, 0.22, slice_name="belt=no"))
    evaluate = stage("evaluate", measured("auc", 0.86, 0.84, 0.88), measured("recall", 0.79, 0.74, 0.84))
    return example_view({"evaluate": evaluate, "slices": levels}, champion=False)


def blocked() -> ReleaseView:
    """One gap between groups is too wide."""
    gap = measured("equal_opportunity_difference", 0.47, 0.32, 0.61, slice_name="age_band")
    return example_view({"fairness": stage("fairness", gap, details=STAGES["fairness"].details)})


def unmeasured() -> ReleaseView:
    """Every stage ran and found nothing."""
    return example_view({name: stage(name) for name in STAGES})


def _of_task(task: str, stages: dict[str, StageEvidence]) -> ReleaseView:
    view = example_view({name: stage(name) for name in STAGES} | stages)
    return replace(view, spec=view.spec.model_copy(update={"task": task}))


def of_numbers() -> ReleaseView:
    """Regression: errors in the target's unit, and means by group."""
    evaluate = stage(
        "evaluate",
        measured("rmse", 12.5, 11.8, 13.3),
        measured("rmse_change", -0.4, -0.7, -0.1),
        measured("bias", 0.2, -0.3, 0.7),
        measured("bias_change", 0.1, -0.1, 0.3),
        measured("r2", 0.81, 0.78, 0.84),
        measured("r2_change", 0.01, 0.002, 0.02),
    )
    means = {"group_means": [{"slice": "sex", "group": "f", "n": 1900, "supported": True, "mae": 8.1}]}
    slices = stage(
        "slices",
        measured("mae", 8.1, 7.8, 8.4, slice_name="sex=f"),
        measured("mae_change", 0.4, 0.1, 0.7, slice_name="sex=f", n=1900),
        measured("mae_change", -0.9, -2.1, 0.3, slice_name="sex=m", n=2300),
        Measurement(metric="worst_slice_change", slice="sex", value=None, n=4200, note="not defined for numbers"),
    )
    return _of_task(
        "regression", {"evaluate": evaluate, "slices": slices, "fairness": stage("fairness", details=means)}
    )


def of_classes() -> ReleaseView:
    """Several classes."""
    evaluate = stage("evaluate", measured("macro_auc", 0.91, 0.9, 0.92), measured("macro_auc_change", 0.01, 0.0, 0.02))
    means = {"group_means": [{"slice": "sex", "group": "f", "n": 12, "supported": False, "accuracy": 0.7}]}
    return _of_task(
        "multiclass_classification",
        {"evaluate": evaluate, "slices": SLICES, "fairness": stage("fairness", details=means)},
    )


def wide() -> ReleaseView:
    """Two hundred groups, slices and features."""
    gaps = [measured("equal_opportunity_difference", 0.1, 0.0, 0.2, slice_name=f"feature_{i}") for i in range(40)]
    rows = [group("feature", f"group {i}", 1000, 100, (0.5, 0.4, 0.6)) for i in range(200)]
    drift = [measured("psi", 0.3, 0.2, 0.4, slice_name=f"column_{i}") for i in range(200)]
    changes = [slice_change(f"slice={i}", 0.1, 0.05, 0.15, 500) for i in range(200)]
    return example_view(
        {
            "fairness": stage("fairness", *gaps, details={"groups": list(rows)}),
            "drift": stage("drift", *drift),
            "slices": stage("slices", *changes),
        }
    )
