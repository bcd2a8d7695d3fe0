"""``gatewright policy backtest``, ``whatif`` and ``evidence``: past releases judged again by another policy."""

import shlex
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli import governed
from gatewright.cli.find import ModelName
from gatewright.cli.output import Json, Page, print_json
from gatewright.core.errors import NotFoundError, SpecError
from gatewright.core.remedies import Step
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.core.backtest import Backtest, Rejudged
    from gatewright.core.measured_release import MeasuredReleases
    from gatewright.core.policy import Policy
    from gatewright.core.results import CheckResult

__all__ = ["backtest", "described", "evidence", "exit_code", "from_store", "stages_of", "whatif"]

PASS, BLOCKED = 0, 2
MOST_LISTED = 40
Evidence = Annotated[
    Path | None, Parameter(name="--evidence", help="Measurements from this file, instead of the store.")
]
Since = Annotated[datetime | None, Parameter(help="Only releases that were decided from this day on.")]
Set = Annotated[
    tuple[str, ...], Parameter(name="--set", negative="", help="KEY=VALUE: auc-floor.minimum=0.8, or max_fpr=0.08.")
]


def backtest(
    file: Path,
    /,
    *,
    model: str | None = None,
    since: Since = None,
    evidence: Evidence = None,
    as_json: Json = False,
) -> int:
    """Judge the measurements of every past release by a proposed policy, and say which would be decided otherwise.

    Nothing is measured again and nothing is written. Exit code 2 when a release that serves or was let through would
    be blocked, 0 otherwise.

    Example: gatewright policy backtest policies/crash_triage.yaml --since 2026-01-01

    Parameters
    ----------
    file
        The proposed policy.
    model
        Judge releases of this model; left out: of the policy's own.
    """
    from gatewright.core.backtest import backtest as judged_again

    policy = governed.read_policy(file)
    releases = _measured(model or policy.model, evidence, stages_of(policy), since)
    found = judged_again(policy, releases.releases)
    after = Step(words="raise `version`, then sign it:", command=f"gatewright policy sign {shlex.quote(str(file))}")
    return _print(found, releases.model, next_step=after, as_json=as_json)


def whatif(
    model: ModelName,
    /,
    *,
    changes: Set,
    policy: Annotated[Path | None, Parameter(help="Change this file; left out: the policy in force.")] = None,
    since: Since = None,
    evidence: Evidence = None,
    as_json: Json = False,
) -> int:
    """Change single limits of a policy in thought, and say which past releases would be decided otherwise.

    Both sides are judged on the same measurements: the policy as it is, and as it would be. Exit code as of backtest.

    Example: gatewright policy whatif crash_triage --set auc-floor=0.87 --set max_expected_calibration_error=0.03
    """
    from gatewright.core.backtest import backtest as judged_again
    from gatewright.core.what_if import with_changes

    if not changes:
        raise SpecError("nothing is changed.", where="command line", remedy="give at least one --set KEY=VALUE.")
    current = _current(model, policy, evidence)
    proposed = with_changes(current, changes)
    releases = _measured(model, evidence, stages_of(current, proposed), since)
    found = judged_again(proposed, releases.releases, against=current)
    after = Step(words="write it into the policy's file, then try that:", command="gatewright policy backtest FILE")
    return _print(found, model, next_step=after, as_json=as_json)


def evidence(
    model: ModelName,
    /,
    *,
    out: Annotated[Path, Parameter(help="The file to write.")],
    since: Since = None,
) -> int:
    """Export the measurements of every past release, so that CI can backtest without access to the store.

    Numbers on named slices, verdicts and digests; no rows, no names of people.

    Example: gatewright policy evidence crash_triage --out crash_triage-evidence.json
    """
    from gatewright.core.releases import STAGES
    from gatewright.services.measured_releases import write_measured

    found = _measured(model, None, STAGES, since)
    write_measured(found, out)
    print(f"{plain(out)}: {len(found.releases)} releases of {plain(model)}, {out.stat().st_size:,} bytes")
    return PASS


def stages_of(*policies: "Policy") -> Collection[str]:
    """The stages whose measurements these policies judge, and those that tiers are computed from."""
    return {"evaluate", "fairness", *(rule.stage for policy in policies for rule in policy.rules)}


def exit_code(found: "Backtest") -> int:
    return BLOCKED if found.newly_blocked else PASS


def described(found: "Backtest", model: str) -> dict[str, Any]:
    """For machines: outcomes as the decision has them, null where it cannot be told."""
    from gatewright.services.reports.backtest_words import verdict

    return {
        "model": model,
        "policy_version": found.policy.version,
        "verdict": verdict(found),
        "releases": len(found.rejudged),
        "as_decided": found.same,
        "newly_blocked": [one.release.release_id for one in found.newly_blocked],
        "flips": [_one(one) for one in found.flips],
        "cannot_tell": [_one(one) for one in found.cannot_tell],
        "asks_others": [_one(one) for one in found.asks_others],
        "rested_on_waivers": found.with_waivers,
    }


def _measured(model: str, file: Path | None, stages: Collection[str], since: datetime | None) -> "MeasuredReleases":
    from gatewright.services.measured_releases import read_measured

    found = read_measured(file) if file else from_store(model, stages)
    if found.model != model:
        problem = f"it holds releases of `{plain(found.model)}`, not of `{plain(model)[:80]}`."
        raise NotFoundError(problem, where=str(file), remedy="name the file that was exported for this model.")
    return found if since is None else found.since(since if since.tzinfo else since.replace(tzinfo=UTC))


def from_store(model: str, stages: Collection[str]) -> "MeasuredReleases":
    from gatewright.cli.find import known_model
    from gatewright.services.measured_releases import PastReleases
    from gatewright.wiring import connect

    services = connect(read_only=True)
    past = PastReleases(services.records, services.blobs, services.settings.channel)
    return past.of(known_model(services, model), stages)


def _current(model: str, file: Path | None, evidence: Path | None) -> "Policy":
    if file is not None:
        return governed.read_policy(file)
    if evidence is not None:
        raise SpecError("without the store no policy is known.", where="command line", remedy="give --policy FILE.")
    from gatewright.wiring import connect

    found = connect(read_only=True).governance.in_force("policy", model)
    if found is None:
        raise governed.nothing("policy", model)
    return found.policy


def _print(found: "Backtest", model: str, *, next_step: Step, as_json: bool) -> int:
    if as_json:
        print_json(described(found, model))
        return exit_code(found)
    from gatewright.services.reports import backtest_words as words

    _line(f"{words.verdict(found)}: {words.summary(found)}")
    _line(f"{model}: {words.tally(found)}")
    _section("Decided otherwise", found.flips)
    _section("Cannot be told from what was measured", found.cannot_tell)
    _section("Other people would be asked", found.asks_others)
    print()
    for sentence in words.caveats(found):
        _line(sentence)
    Page().step(_look(found) or next_step, label="Next", label_width=4)
    return exit_code(found)


def _look(found: "Backtest") -> Step | None:
    from gatewright.services.reports.backtest_words import weightiest_first

    if not found.newly_blocked:
        return None
    first = weightiest_first(found.newly_blocked)[0].release
    then = "or replace it before this is signed" if first.serves else "or sign it knowing that"
    return Step(words=f"look at it, then choose other limits, {then}:", command=f"gatewright show {first.release_id}")


def _section(title: str, ones: "Sequence[Rejudged]") -> None:
    from gatewright.services.reports.backtest_words import heading, reasons, weightiest_first

    if not ones:
        return
    print(f"\n{title}")
    for one in weightiest_first(ones)[:MOST_LISTED]:
        _line(heading(one), indent=2)
        _lines(reasons(one), indent=6)
    if len(ones) > MOST_LISTED:
        _line(f"and {len(ones) - MOST_LISTED} more: --json lists all", indent=2)


def _lines(sentences: Iterable[str], *, indent: int) -> None:
    for sentence in sentences:
        _line(sentence, indent=indent)


def _line(text: str, *, indent: int = 0) -> None:
    Page().line(text, indent=indent)


def _one(one: "Rejudged") -> dict[str, Any]:
    return {
        "release": one.release.release_id,
        "state": one.release.state.value,
        "serves": one.release.serves,
        "before": one.before,
        "after": one.after,
        "tiers": list(one.tiers),
        "now_missed": [_result(result) for result in one.now_missed],
        "missed_no_more": [_result(result) for result in one.missed_no_more],
        "unknown": dict(one.unknown),
    }


def _result(result: "CheckResult") -> dict[str, Any]:
    from gatewright.core.limits import Limits

    kept = {"rule", "slice", "metric", "value", "interval", "minimum", "maximum", "status", "severity", "reason"}
    margin = None if result.value is None else Limits(result.minimum, result.maximum).margin(result.value)
    return {**result.model_dump(mode="json", include=kept), "margin": margin}
