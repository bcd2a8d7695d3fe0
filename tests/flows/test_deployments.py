"""What `deployments/prefect.yaml` promises is there."""

import pytest
import yaml
from prefect import Flow
from prefect.exceptions import ParameterTypeError
from prefect.flows import load_flow_from_entrypoint

from flows.release import release
from flows.rollback import rollback
from tests.flows.world import ROOT

DEPLOYMENTS = {d["name"]: d for d in yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]}


def test_there_is_a_deployment_of_each_flow():
    """Each entrypoint is dotted and loads the flow of its name, one run at a time, parameters enforced."""
    assert list(DEPLOYMENTS) == ["retrain", "release", "rollback", "monitor", "sweep", "check"]
    for name, deployment in DEPLOYMENTS.items():
        flow = load_flow_from_entrypoint(deployment["entrypoint"])
        assert isinstance(flow, Flow)
        assert flow.name == name
        assert deployment["concurrency_limit"]["limit"] == 1
        assert deployment["enforce_parameter_schema"] is True


def test_retrain_monitor_and_sweep_run_on_a_schedule_and_the_others_by_hand():
    """A release or a rollback is somebody's decision."""
    assert {name for name, d in DEPLOYMENTS.items() if d.get("schedules")} == {"retrain", "monitor", "sweep"}


@pytest.mark.parametrize(
    ("flow", "parameters"),
    [
        (release, {"model": "crash_triage", "candidate_of": "../../etc/passwd"}),
        (release, {"model": "crash_triage"}),
        (rollback, {"model": "crash_triage", "actor": "dana.reyes", "reason": "short"}),
        (rollback, {"model": "crash_triage", "actor": "Dana <b>", "reason": "a reason that is long enough"}),
    ],
)
def test_parameters_are_validated_before_anything_runs(flow: Flow, parameters: dict):
    """A path is no release id, and a rollback without a reason is none."""
    with pytest.raises((ParameterTypeError, TypeError)):
        flow.validate_parameters(parameters)
