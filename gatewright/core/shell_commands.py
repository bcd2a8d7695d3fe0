"""Commands that a reader of a release can copy into a shell."""

import json
import shlex
from collections.abc import Collection, Mapping

from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import Opening

__all__ = ["release_command", "report_command", "retrain_command", "take_over_command"]


def retrain_command(view: ReleaseView, *, without: Collection[str] = ()) -> str:
    """Trains another candidate for the same period, with fewer features if asked."""
    parameters: dict[str, object] = {"model": view.opening.model, "period": view.opening.period}
    if without:
        parameters["features"] = [name for name in view.opening.features if name not in without]
    return _run("retrain/retrain", parameters)


def release_command(view: ReleaseView, period: str) -> str:
    """Takes the same candidate through the gates again, on the data of ``period``."""
    parameters = {"model": view.opening.model, "candidate_of": view.opening.release_id, "period": period}
    return _run("release/release", parameters)


def take_over_command(opening: Opening, *, candidate_of: str | None = None) -> str:
    """Starts a run that goes on with a release after its last stage that finished; nothing is done twice."""
    parameters: dict[str, object] = {
        "model": opening.model,
        "period": opening.period,
        "release_id": opening.release_id,
    }
    if candidate_of is None:
        return _run("retrain/retrain", parameters)
    return _run("release/release", parameters | {"candidate_of": candidate_of})


def report_command(view: ReleaseView) -> str:
    """Writes the release's report and cards into a directory."""
    return f"gatewright documents {view.opening.release_id} --out evidence/"


def _run(deployment: str, parameters: Mapping[str, object]) -> str:
    """As JSON: Prefect would read a period given by `--param` as a number."""
    return f"prefect deployment run {deployment} --params {shlex.quote(json.dumps(parameters))}"
