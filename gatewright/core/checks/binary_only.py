"""What is defined for binary decisions only: for models of other tasks a measurement without a value, never silence."""

from collections.abc import Iterator

from gatewright.core.checks.inputs import unmeasured
from gatewright.core.checks.monotonicity import METRICS as MONOTONICITY_METRICS
from gatewright.core.results import Measurement
from gatewright.core.spec import ModelSpec

__all__ = ["ROBUSTNESS_METRICS", "unmeasured_robustness"]

ROBUSTNESS_METRICS = ("auc_drop", "decision_flip_rate", "log_loss_rise", "recall_drop")


def unmeasured_robustness(spec: ModelSpec, rows: int) -> tuple[Measurement, ...]:
    """What the perturbations, rules and attacks of the spec would measure, each under its own slice."""
    return tuple(unmeasured(metric, rows, _note(spec), slice=slice) for metric, slice in _robustness(spec))


def _note(spec: ModelSpec) -> str:
    return f"defined for binary classifications only, not for a {spec.task}"


def _robustness(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    for perturbation in spec.perturbations:
        yield from ((metric, perturbation.name) for metric in ROBUSTNESS_METRICS)
    for rule in spec.monotonicity:
        yield from ((metric, rule.name) for metric in MONOTONICITY_METRICS)
    yield from (("invariance_flip_rate", invariance.name) for invariance in spec.invariances)
    yield from (("worst_case_flip_rate", slice) for slice in ("numbers", "all"))
    if spec.adversarial is not None:
        yield "adversarial_flip_rate", "all"
