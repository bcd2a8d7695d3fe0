"""What can be done about a rule that did not pass, by what the rule looks at.

A remedy names the columns, slices, groups and numbers that were measured, and the command where there is one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gatewright.core.policy import Rule
from gatewright.core.records import Record
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Measurement, Status
from gatewright.core.shell_commands import release_command, report_command, retrain_command

__all__ = ["Case", "Step", "remedies"]

# The rate whose spread over groups a fairness metric measures.
RATES = {
    "demographic_parity": "selection_rate",
    "equal_opportunity": "true_positive_rate",
    "equalized_odds": "true_positive_rate",
    "false_positive_rate": "false_positive_rate",
    "predictive_parity": "precision",
    "accuracy": "accuracy",
}


class Step(Record):
    """One thing to do, in words; ``command`` does it in a shell, where one does."""

    words: str
    command: str | None = None


@dataclass(frozen=True)
class Case:
    """A result that did not pass, its rule, and the measurement it judges."""

    view: ReleaseView
    result: CheckResult

    @property
    def rule(self) -> Rule | None:
        return next((rule for rule in self.view.policy.rules if rule.id == self.result.rule), None)

    @property
    def measurement(self) -> Measurement | None:
        return self.view.find(self.result.stage, self.result.metric, self.result.slice)

    @property
    def names(self) -> str:
        """What the measurement's note names: columns, slices, missing fields."""
        return self.measurement.note if self.measurement else ""

    @property
    def place(self) -> str:
        return "the evaluation data" if self.result.slice == "all" else f"`{self.result.slice}`"


def remedies(case: Case) -> Iterator[Step]:
    """What to correct; nothing where only more data or a person can help."""
    result = case.result
    if result.status is Status.ERROR:
        yield Step(
            words=f"Find out why `{result.metric}` on {case.place} could not be measured: read the run's log of the"
            f" stage `{result.stage}`, correct model.yaml, the training or the rule, and start a new release."
        )
        return
    remedy = next((make for start, make in _BY_METRIC if result.metric.startswith(start)), _BY_STAGE.get(result.stage))
    if remedy is not None and (result.value is not None or remedy in (_small_groups, _champion_has_seen)):
        yield from remedy(case)


def _suite(case: Case) -> Iterator[Step]:
    suite = case.view.spec.suites.get(case.result.slice)  # type: ignore[call-overload]
    where = f" in {suite}" if suite else ""
    yield Step(
        words=f"Correct the {case.result.slice} data at their source; or, where an expectation{where} asks too much,"
        " correct the suite. Its report lists the rows:",
        command=report_command(case.view),
    )


def _rows(case: Case) -> Iterator[Step]:
    least = case.result.minimum
    if least is not None:
        yield Step(words=f"Bring {least - case.result.n:,.0f} rows more: {case.result.n:,} of {least:,.0f} are there.")


def _named_columns(case: Case) -> Iterator[Step]:
    named = [
        name for name in case.view.opening.features if name in case.names.replace("`", " ").replace(",", " ").split()
    ]
    yield from _without(case, named)


def _slice_column(case: Case) -> Iterator[Step]:
    yield from _without(case, [name for name in case.view.opening.features if name == case.result.slice])


def _without(case: Case, columns: list[str]) -> Iterator[Step]:
    named = ", ".join(f"`{name}`" for name in columns) or "the columns that the note names"
    yield Step(
        words=f"Ask the owner of the data when {named} is written. Unless it is known when the model is asked, leave it"
        " out of `features` in model.yaml. To try that at once:",
        command=retrain_command(case.view, without=columns) if columns else None,
    )


def _overlap(case: Case) -> Iterator[Step]:
    yield Step(
        words="Take rows that stand in both out of the training data, or correct `data.periods`, `data.key` and"
        " `data.cluster` in model.yaml; then start a new release."
    )


def _champion_has_seen(case: Case) -> Iterator[Step]:
    unknown = "Correct what the note names, so that the champion's data can be compared with; or compare"
    seen = "The champion learned from these rows, so its lead is too large. Compare"
    words = f"{unknown if case.result.value is None else seen} on data that neither model has seen"
    last = case.view.spec.data.periods[-1]
    if last == case.view.opening.period:
        yield Step(words=f"{words}, such as a later period.")
    else:
        # A candidate for a period is trained on those before it: nothing is trained on the last.
        yield Step(words=f"{words}, such as the last period:", command=release_command(case.view, last))


def _missing_fields(case: Case) -> Iterator[Step]:
    yield Step(words=f"Write under `card:` in model.yaml what only people know: {case.names or 'the missing fields'}.")


def _calibration(case: Case) -> Iterator[Step]:
    yield Step(
        words="Calibrate the scores on rows that the model was not fitted on (isotonic or logistic), and retrain:",
        command=retrain_command(case.view),
    )


def _holdout(case: Case) -> Iterator[Step]:
    yield Step(words=f"Evaluate on a newer period: {case.view.opening.period} has been looked at as often as agreed.")


def _slices_found(case: Case) -> Iterator[Step]:
    named = f": {case.names.replace('; ', ', ')}" if case.names else ""
    yield Step(
        words=f"Look at the slices that were found{named}. Decide whether they matter; if so, add rows or features"
        " that tell them apart and retrain. How each moved:",
        command=f"gatewright diff {case.view.opening.release_id}",
    )


def _small_groups(case: Case) -> Iterator[Step]:
    yield Step(
        words=f"Bring more rows of the small groups of `{case.result.slice}`"
        f"{f' ({case.names})' if case.names else ''}: {case.view.policy.minimum_support} are needed to judge one;"
        " or join groups under `sensitive` in model.yaml."
    )


def _doubt(case: Case) -> Iterator[Step]:
    yield Step(
        words="Fit the doubt on rows like those of today: what the model says of its own certainty does not hold on"
        f" {case.place}. Drift is the usual cause; then retrain on newer data:",
        command=retrain_command(case.view),
    )


def _resources(case: Case) -> Iterator[Step]:
    yield Step(
        words=f"Make the model smaller (fewer or shallower trees, fewer features), or measure `{case.result.metric}` on"
        " the host that serves; then retrain:",
        command=retrain_command(case.view),
    )


def _invariance(case: Case) -> Iterator[Step]:
    rule = next((one for one in case.view.spec.invariances if one.name == case.result.slice), None)
    columns = [name for name in case.view.opening.features if rule and name in rule.columns]
    yield Step(
        words=f"Decisions change when only {', '.join(f'`{c}`' for c in columns) or case.place} does. Find out what it"
        " stands for; to try a candidate without it:",
        command=retrain_command(case.view, without=columns),
    )


def _monotonicity(case: Case) -> Iterator[Step]:
    rule = next((one for one in case.view.spec.monotonicity if one.name == case.result.slice), None)
    what = f"`{rule.column}` ({rule.direction})" if rule else case.place
    yield Step(
        words=f"Constrain the model in its training, such as `monotonic_cst` of scikit-learn's trees, on {what}."
    )


def _perturbation(case: Case) -> Iterator[Step]:
    one = next((one for one in case.view.spec.perturbations if one.name == case.result.slice), None)
    what = f"`{one.name}` ({one.kind}, {one.amount:g}) on {', '.join(one.columns)}" if one else case.place
    yield Step(
        words=f"Train with rows disturbed by {what}, or make these inputs more reliable before the model sees them."
    )


def _performance(case: Case) -> Iterator[Step]:
    rule = case.rule
    if rule is not None and rule.compares and case.result.status is Status.FAILED:
        yield Step(
            words="It is not better than what serves: the champion may stay. What differs between the two:",
            command=f"gatewright diff {case.view.opening.release_id}",
        )
        return
    yield Step(
        words="Look where it is weakest, then add rows or features there and retrain. By slice and group:",
        command=f"gatewright diff {case.view.opening.release_id}",
    )


def _groups_apart(case: Case) -> Iterator[Step]:
    found = _extremes(case)
    named = f": {found}" if found else ""
    yield Step(
        words=f"Look at the groups of `{case.result.slice}`{named}. Then bring rows of the weaker one, weight them in"
        " training, or set the decision threshold anew, and retrain:",
        command=retrain_command(case.view),
    )


def _extremes(case: Case) -> str:
    """The groups with the lowest and the highest rate, of those that can be judged."""
    start = next((name for name in RATES if case.result.metric.startswith(name)), None)
    stage = case.view.stages.get("fairness")
    listed = stage.details.get("groups") if stage else None
    if start is None or not isinstance(listed, list):
        return ""
    rate = RATES[start]
    rows = [
        (float(value), row)
        for row in listed
        if isinstance(row, dict) and row.get("slice") == case.result.slice
        and isinstance(value := row.get(rate), int | float) and isinstance(n := row.get("n"), int)
        and n >= case.view.policy.minimum_support
    ]  # fmt: skip
    if len(rows) < 2:
        return ""
    (low, worst), (high, best) = min(rows, key=lambda one: one[0]), max(rows, key=lambda one: one[0])
    return f"{rate.replace('_', ' ')} {low:.3g} for {worst.get('group')} and {high:.3g} for {best.get('group')}"


def _moved(case: Case) -> Iterator[Step]:
    if case.result.slice not in case.view.opening.features:
        yield Step(
            words="See which inputs moved, and ask their owners why; the report draws each:",
            command=report_command(case.view),
        )
        return
    yield Step(
        words=f"Ask the owner of `{case.result.slice}` whether the world or the way it is written has changed. If the"
        " world: retrain on newer data. To try a candidate without it:",
        command=retrain_command(case.view, without=[case.result.slice]),
    )


# The first whose metric's name begins so; then by stage.
_BY_METRIC: tuple[tuple[str, Callable[[Case], Iterator[Step]]], ...] = (
    ("failed_", _suite),
    ("rows", _rows),
    ("forbidden_", _named_columns),
    ("identifier_", _named_columns),
    ("target_named_", _named_columns),
    ("single_feature_", _slice_column),
    ("encoded_target", _slice_column),
    ("future_values", _slice_column),
    ("champion_seen_", _champion_has_seen),
    ("missing_card_", _missing_fields),
    ("expected_calibration_", _calibration),
    ("calibration_", _calibration),
    ("holdout_", _holdout),
    ("worst_case_", _perturbation),
    ("worst_", _slices_found),
    ("unsupported_", _small_groups),
    ("conformal_", _doubt),
    ("selective_", _doubt),
    ("latency_", _resources),
    ("model_bytes", _resources),
    ("peak_memory", _resources),
    ("load_seconds", _resources),
    ("batch_rows", _resources),
    ("invariance_", _invariance),
    ("monotonicity_", _monotonicity),
)
_BY_STAGE: dict[str, Callable[[Case], Iterator[Step]]] = {
    "leakage": _overlap,
    "evaluate": _performance,
    "slices": _performance,
    "robustness": _perturbation,
    "fairness": _groups_apart,
    "drift": _moved,
}
