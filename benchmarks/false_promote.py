"""How often is a candidate promoted that is exactly as bad as the rule allows for? At most alpha of the time.

Each simulation draws evaluation rows, measures, judges and decides by a policy of one rule whose limit is the truth:
for non-inferiority and equivalence the margin is how much worse the candidate really is, for superiority
the minimum effect is how much better it is, for a limit the minimum is its real value. The truth is the mean over
large samples of the same kind. All rules see the same tables, so that their rates err together.

``python -m benchmarks.false_promote [--rows N] [--simulations N] [--json]``
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import bdtrc

from gatewright.core.checks.evaluation import METRICS, measure_evaluation
from gatewright.core.checks.slices import measure_slices
from gatewright.core.decision import decide
from gatewright.core.directions import direction_of
from gatewright.core.judging import judge
from gatewright.core.multiplicity import holm
from gatewright.core.policy import Policy
from gatewright.core.results import Measurement
from gatewright.core.statistics.proportions import wilson
from gatewright.core.tiers import Facts

__all__ = ["ALPHA", "Row", "main", "over_alpha", "simulate"]

ALPHA = 0.05
SUPPORT = 30
THRESHOLD = 0.5
TRUTH_ROWS = 1_000_000
TRUTH_SAMPLES = 4
# A change below this is no worse a candidate, it is none.
LEAST_CHANGE = 1e-4

Values = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Row:
    """One line of the table: promotions of a candidate that deserves none, with a 99 % Monte-Carlo interval."""

    metric: str
    kind: str
    promoted: int
    simulations: int
    rate: float
    low: float
    high: float


def over_alpha(table: list[Row]) -> list[Row]:
    """Rows whose rate is over alpha beyond chance: exact binomial tests, adjusted after Holm for all rows."""
    p = [float(bdtrc(row.promoted - 1, row.simulations, ALPHA)) if row.promoted else 1.0 for row in table]
    return [row for row, adjusted in zip(table, holm(p), strict=True) if adjusted <= ALPHA]


@dataclass(frozen=True)
class _Case:
    """One rule and the comparison it is held against: ``worse`` candidate, ``better`` candidate, or ``slices``."""

    metric: str
    kind: str
    against: str
    policy: Policy


def simulate(rows: int, simulations: int, *, seed: int = 0, truth_rows: int = TRUTH_ROWS) -> list[Row]:
    """The rate of promotions for each metric and rule kind, from ``simulations`` tables of ``rows`` rows."""
    cases = list(_cases(_truth(truth_rows, seed)))
    promoted = np.zeros(len(cases), dtype=int)
    for number in range(simulations):
        found = _measured(rows, np.random.default_rng([seed, 2, number]), seed=number)
        promoted += [_promotes(case.policy, found[case.against]) for case in cases]
    return [_row(case, int(count), simulations) for case, count in zip(cases, promoted, strict=True)]


def _truth(rows: int, seed: int) -> dict[str, Values]:
    samples = [_measured(rows, np.random.default_rng([seed, 1, number])) for number in range(TRUTH_SAMPLES)]
    return {name: _mean([_values(sample[name]) for sample in samples]) for name in samples[0]}


def _mean(samples: list[Values]) -> Values:
    known = set(samples[0]).intersection(*samples)
    return {key: float(np.mean([sample[key] for sample in samples])) for key in known}


def _row(case: _Case, promoted: int, simulations: int) -> Row:
    interval = wilson(promoted, simulations, confidence=0.99)
    rate = promoted / simulations
    return Row(case.metric, case.kind, promoted, simulations, rate, interval.low, interval.high)


def _measured(rows: int, rng: np.random.Generator, *, seed: int = 0) -> dict[str, tuple[Measurement, ...]]:
    """A noisy and a good model on the same rows, each once as the candidate; and the noisy one on two slices."""
    signal = rng.normal(0, 1.5, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-signal))).astype(int)
    hard = rng.random(rows) < 0.4
    noise = rng.normal(0, 1, (2, rows)) * np.where(hard, 1.2, 0.6)
    noisy, good = (1 / (1 + np.exp(-(signal + weight * noise[k]))) for k, weight in enumerate((1.0, 0.5)))
    terms: dict[str, Any] = {"threshold": THRESHOLD, "confidence": 1 - 2 * ALPHA, "seed": seed}
    slices = measure_slices(
        labels, noisy, {"part": np.where(hard, "hard", "easy")}, columns=["part"], depth=1, minimum_support=SUPPORT,
        champion_scores=good, **terms,
    )  # fmt: skip
    return {
        "worse": measure_evaluation(labels, noisy, champion_scores=good, **terms),
        "better": measure_evaluation(labels, good, champion_scores=noisy, **terms),
        "slices": slices,
    }


def _values(measurements: Iterable[Measurement]) -> Values:
    return {(m.metric, m.slice): m.value for m in measurements if m.value is not None}


def _cases(truth: Mapping[str, Values]) -> Iterable[_Case]:
    for metric in METRICS:
        yield from _cases_of(metric, truth)
    for metric in ("accuracy", "recall", "log_loss"):
        yield from _slice_cases(metric, truth["slices"])


def _cases_of(metric: str, truth: Mapping[str, Values]) -> Iterable[_Case]:
    # A metric of the labels alone has no change.
    value, change = truth["worse"][metric, "all"], truth["worse"].get((f"{metric}_change", "all"), 0.0)
    side = "maximum" if direction_of(metric) == "lower" else "minimum"
    yield _case(metric, "limit", "worse", **{side: value})
    if abs(change) < LEAST_CHANGE:
        return
    yield _case(metric, "equivalence", "worse", test="equivalence", margin=abs(change))
    if direction_of(metric) is None:
        return
    falls = (change < 0) == (direction_of(metric) == "higher")
    worse, better = ("worse", "better") if falls else ("better", "worse")
    yield _case(metric, "non_inferiority", worse, test="non_inferiority", margin=abs(change))
    yield _case(metric, "superiority", better, test="superiority", minimum_effect=abs(change))


def _slice_cases(metric: str, truth: Values) -> Iterable[_Case]:
    """The hard slice is exactly at the limit, or for Holm by the minimum effect beyond it; the easy one is fine."""
    value, side = truth[metric, "part=hard"], "maximum" if direction_of(metric) == "lower" else "minimum"
    yield _case(metric, "intersection_union", "slices", slices="each", **{side: value})
    tolerated = value + (0.05 if side == "minimum" else -0.05)
    yield _case(metric, "holm", "slices", slices="each", multiplicity="holm", minimum_effect=0.05, **{side: tolerated})
    margin = abs(truth[f"{metric}_change", "part=hard"])
    yield _case(metric, "non_inferiority, each slice", "slices", slices="each", test="non_inferiority", margin=margin)


def _case(metric: str, kind: str, against: str, **rule: Any) -> _Case:
    asked = {"id": "rule", "stage": "evaluate", "metric": metric, "severity": "block", "reason": "simulated", **rule}
    policy = Policy.model_validate(
        {
            "model": "simulated", "version": 1, "owner": "nobody", "alpha": ALPHA, "minimum_support": SUPPORT,
            "first_release": "block", "review_at_warnings": 1, "rules": [asked],
            "tiers": [{"name": "any", "outcomes": ["promote", "review"], "approvals": 0, "roles": [],
                       "window_hours": 1}],
            "monitoring": {"minimum_rows": 1, "minimum_labels": 1, "rules": [
                {"id": "live", "metric": "psi", "maximum": 1, "response": "alert", "reason": "simulated"}]},
        }
    )  # fmt: skip
    return _Case(metric, kind, against, policy)


# Every case has one tier that asks nobody, so no fact matters.
_FACTS = Facts(
    sensitive_domain=False,
    personal_data=False,
    first_release=False,
    policy_changed=False,
    score_shift=0.0,
    fairness_movement=0.0,
    warnings=0,
)


def _promotes(policy: Policy, measurements: Iterable[Measurement]) -> bool:
    results = judge(policy, [("evaluate", m) for m in measurements], has_champion=True)
    return decide(policy, results, policy_sha256="0" * 64, has_champion=True, facts=_FACTS).outcome == "promote"


def main() -> None:
    """Print the table; exit code 1 when a rate is over alpha beyond chance."""
    parser = argparse.ArgumentParser(description="False promotions at the margin.")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    table = simulate(given.rows, given.simulations)
    if given.json:
        print(json.dumps([asdict(row) for row in table]))
    else:
        _print(table)
    raise SystemExit(1 if over_alpha(table) else 0)


def _print(table: list[Row]) -> None:
    print(f"{'metric':42} {'rule':28} {'promoted':>9}  99 % Monte-Carlo interval, alpha {ALPHA}")
    over = over_alpha(table)
    for row in table:
        mark = "  OVER" if row in over else ""
        print(f"{row.metric:42} {row.kind:28} {row.rate:9.3f}  [{row.low:.3f}, {row.high:.3f}]{mark}")


if __name__ == "__main__":
    main()
