"""After deployment: rolling back, watching traffic, and releases by hand."""

import time

import httpx
import pytest

from flows.monitor import monitor
from flows.release import release
from flows.rollback import rollback
from gatewright.core.monitor_report import MonitorReport
from gatewright.core.results import Status
from gatewright.core.rollback_order import rollback_statement
from gatewright.core.signatures import ROLLBACK
from gatewright.core.tokens import token_of
from gatewright.core.way_back import way_back
from gatewright.services.ssh_signatures import SshSigner
from tests.flows.world import World, rows_of

REASON = "The new model misses too many of the old."


def serving_now(world: World) -> str:
    return httpx.get(f"{world.services.settings.target_url}/health").json()["serving"]


def digest_of(years, year: str) -> str:
    return years[year].view.candidate.artifact.sha256


def test_rollback_serves_the_previous_release_and_the_named_one(years, world: World):
    """Back to 2000 by a typed name, then forward again, signed: the service follows, the ledger says who and why."""
    back = rollback("crash_triage", "dana.reyes", REASON, return_state=True)
    assert back.name == "Rolled back"
    assert serving_now(world) == digest_of(years, "2000")
    event = world.services.ledger.entries("crash_triage")[-1]
    assert (event.kind, event.actor, event.note) == ("rolled_back", "dana.reyes", REASON)
    assert event.assurance == "declared"

    named = years["2001"].view.opening.release_id
    token = signed_by_dana(world, named)
    other = rollback("crash_triage", "dana.reyes", "Another reason than was signed.", token=token, return_state=True)
    assert "the parameters say another reason" in str(other.result(raise_on_failure=False))
    for _ in range(2):
        forward = rollback("crash_triage", "dana.reyes", REASON, token=token, return_state=True)
        assert forward.name == "Rolled back"
    assert serving_now(world) == digest_of(years, "2001")
    events = [entry for entry in world.services.ledger.entries("crash_triage") if entry.kind == "rolled_back"]
    assert [entry.assurance for entry in events[-2:]] == ["declared", "signed"]


def signed_by_dana(world: World, to_release: str) -> str:
    """As `gatewright rollback` signs it."""
    services = world.services
    moves = [move for _, move in services.channels.history("crash_triage", "production")]
    said = rollback_statement(
        way_back(moves, "crash_triage", "production", to_release),
        services.policy_in_force(services.spec("crash_triage")),
        services.roster_in_force(),
        operation="forward-1",
        principal="dana.reyes",
        reason=REASON,
        issued=services.now(),
    ).to_bytes()
    return token_of(said, SshSigner(world.people.keys["dana.reyes"]).sign(said, namespace=ROLLBACK))


@pytest.mark.parametrize(
    ("actor", "to_release", "says"),
    [
        ("kim.larsen", None, "holds no role that may do this"),
        ("nobody.known", None, "is not in version"),
        ("dana.reyes", "the blocked one", "was never deployed"),
        ("dana.reyes", "no-such-release", "was never deployed"),
    ],
)
def test_rollback_refuses_strangers_and_models_that_never_served(years, world: World, actor, to_release, says):
    """A blocked candidate cannot be smuggled in as a rollback."""
    if to_release == "the blocked one":
        to_release = years["2000 blind"].view.opening.release_id
    state = rollback("crash_triage", actor, REASON, to_release=to_release, return_state=True)
    assert state.name == "Failed"
    assert says in str(state.result(raise_on_failure=False))
    assert serving_now(world) == digest_of(years, "2001")


def test_release_takes_an_earlier_candidate_through_the_gates_again(years, world: World):
    """The blind candidate of 2000 is no better on 2000 today, and its training data are those it was trained on."""
    blind = years["2000 blind"].view.opening.release_id
    state = release("crash_triage", candidate_of=blind, period="2000", release_id="again", return_state=True)
    view = world.services.view("again")
    assert state.name == "Blocked"
    assert view.candidate == years["2000 blind"].view.candidate
    assert view.data.training.periods == ("1997", "1998", "1999")
    # The champion of today learned from 2000, that of its first way through the gates did not.
    (held_out,) = [r for r in view.decision.results if r.rule == "champion-held-out"]
    assert (held_out.status, held_out.value, held_out.n) == (Status.FAILED, 1, view.data.evaluation.rows)
    assert "champion-held-out" in " ".join(view.decision.reasons)
    assert years["2000 blind"].view.find("leakage", "champion_seen_rows").value == 0


def send_traffic(world: World, year: str, rows: int, features) -> None:
    """What the service is asked in production, and what became of the people."""
    frame = rows_of(world.models, year).head(rows)
    url = world.services.settings.target_url
    body = {"rows": frame[list(features)].astype(object).where(frame[list(features)].notna(), None).to_dict("records")}
    answers = httpx.post(f"{url}/score", json=body, timeout=60).json()["predictions"]
    labels = [
        {"prediction_id": answer["prediction_id"], "label": int(dead == "dead")}
        for answer, dead in zip(answers, frame["dead"], strict=True)
    ]
    assert httpx.post(f"{url}/labels", json={"labels": labels}, timeout=60).status_code == 200


def last_report(world: World) -> MonitorReport:
    release_id = world.services.channels.head("crash_triage", "production")[1].release_id
    names = [name for name in world.services.evidence.names(release_id) if name.startswith("monitor-")]
    return world.services.evidence.read(names[-1], release_id, MonitorReport)


def test_monitor_raises_an_alarm_when_production_drifts(years, world: World):
    """Rows of 2002 through the model of 2001: the cars are newer, which is an alert, not a rollback."""
    send_traffic(world, "2002", 1000, years["2001"].view.candidate.features)
    deadline = time.monotonic() + 30
    while httpx.get(f"{world.services.settings.target_url}/health").json()["unflushed"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    state = monitor("crash_triage", return_state=True)
    event = world.services.ledger.entries("crash_triage")[-1]
    assert state.name == "Alert"
    assert (event.kind, event.actor) == ("monitored", "gatewright")
    assert any("psi on yearVeh failed" in reason for reason in last_report(world).decision.reasons)
    assert serving_now(world) == digest_of(years, "2001")


def test_monitor_says_when_nothing_serves(world: World):
    """A model without a release is not healthy; it is not there."""
    assert monitor(world.variant("never_released"), return_state=True).name == "Nothing serves"
