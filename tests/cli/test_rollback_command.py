"""A platform engineer puts an earlier model back with one command and stays until it serves."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from gatewright.core.channels import ChannelEntry
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import RollbackTerms
from gatewright.core.rollback_order import RollbackStatement
from gatewright.core.rollback_proof import AcceptedRollback
from gatewright.core.roster import PublicKey
from gatewright.core.tokens import parse_token
from gatewright.services.prefect_api import PrefectApi
from gatewright.services.ssh_signatures import new_key
from gatewright.wiring import Services
from tests.cli.conftest import ROSTER, Run
from tests.services.reports.example_view import MODEL, NOON, POLICY

SECOND = "b7" * 32
RUN, DEPLOYMENT = "5d1f0a52-0000-4000-8000-000000000001", "5d1f0a52-0000-4000-8000-000000000002"
REASON = ("--reason", "It misses too many of the old.")
YES = (*REASON, "--yes")


class Prefect:
    """Answers as Prefect does for one deployment and one run, which does something each time it is asked about."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.parameters: dict[str, str] = {}
        self.then: list[Callable[[], tuple[str, str]]] = []
        self.deployment_status = self.start_status = 200

    def api(self, _settings: object = None) -> PrefectApi:
        return PrefectApi(httpx.Client(base_url="http://prefect/api", transport=httpx.MockTransport(self.handle)))

    def handle(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "GET", "/api/deployments/name/rollback/rollback":
                return httpx.Response(self.deployment_status, json={"id": DEPLOYMENT})
            case "POST", path if path == f"/api/deployments/{DEPLOYMENT}/create_flow_run":
                self.parameters = json.loads(request.content)["parameters"]
                return httpx.Response(self.start_status, json={"id": RUN, "detail": "reason: too short"})
            case "GET", path if path == f"/api/flow_runs/{RUN}":
                kind, message = (self.then.pop(0) if len(self.then) > 1 else self.then[0])()
                return httpx.Response(200, json={"state": {"type": kind, "name": kind.title(), "message": message}})
        raise AssertionError(f"unexpected {request.method} {request.url.path}")

    def move(self, action: str, release: str = "triage-2000-1", model: str = MODEL) -> tuple[str, str]:
        """The run moves the channel; what Prefect says of it meanwhile."""
        channels = self.services.channels
        entry = ChannelEntry(
            action=action, release_id=release, model_sha256=model, actor="dana.reyes", reason=REASON[1],
            at=NOON + timedelta(hours=3), operation=self.parameters["rollback_id"],
        )  # fmt: skip
        channels.move("triage", "production", entry, expected=len(channels.history("triage", "production")))
        return "RUNNING", ""


@pytest.fixture
def prefect(services: Services, monkeypatch: pytest.MonkeyPatch) -> Prefect:
    """Two releases were deployed, the second serves; Prefect's login is dana.reyes's."""
    for n, action in enumerate(("deploy", "confirm"), start=2):
        entry = ChannelEntry(
            action=action, release_id="triage-2000-2", model_sha256=SECOND, actor="dana.reyes", reason="Better.",
            at=NOON + timedelta(hours=n), operation="triage-2000-2",
        )  # fmt: skip
        services.channels.move("triage", "production", entry, expected=n)
    double = Prefect(services)
    monkeypatch.setattr(PrefectApi, "connect", double.api)
    monkeypatch.setattr("gatewright.services.rollback_run._POLL_SECONDS", 0)
    monkeypatch.setattr("gatewright.cli.rollback.DEFAULT_KEY", Path("nobody/has/this/key"))
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "dana.reyes:secret-of-dana")
    return double


@pytest.fixture
def key(services: Services, tmp_path: Path) -> Path:
    """Dana's, and the roster that names it is in force, as the policy is."""
    public = new_key(tmp_path / "dana", "dana")
    (dana,) = ROSTER.people
    named = dana.model_copy(update={"keys": (PublicKey(key=public, added=NOON.date()),)})
    roster = ROSTER.model_copy(update={"people": (named,)})
    file = services.settings.path(services.settings.roster)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(roster.model_dump(mode="json")))
    services.governance.adopt("policy", "triage", POLICY, "file")
    return tmp_path / "dana"


def test_with_your_key_it_is_signed_over_exactly_this_move(run: Run, prefect: Prefect, key: Path) -> None:
    """The token names both models, where the channel stood, who and why; the parameters say the same."""
    prefect.then = [lambda: prefect.move("rollback"), lambda: prefect.move("confirm")]
    code, out, err = run("rollback", "triage", *YES, "--key", str(key))
    assert (code, err) == (0, "")
    said = parse_token(prefect.parameters["token"]).read(RollbackStatement)
    assert (said.principal, said.reason, said.operation) == (
        "dana.reyes", REASON[1], prefect.parameters["rollback_id"],
    )  # fmt: skip
    assert (said.from_generation, said.from_model_sha256) == (4, SECOND)
    assert (said.to_release, said.to_model_sha256) == ("triage-2000-1", MODEL)
    assert "as         dana.reyes, signed with your key" in out


def test_the_usual_key_signs_where_the_roster_names_it(
    run: Run, prefect: Prefect, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command in an emergency; a key that is nobody's, and another name, go unsigned."""
    prefect.then = [lambda: ("SCHEDULED", "")]
    monkeypatch.setattr("gatewright.cli.rollback.DEFAULT_KEY", key)
    run("rollback", "triage", *YES, "--wait", "0")
    assert "token" in prefect.parameters
    run("rollback", "triage", *YES, "--wait", "0", "--actor", "sam.okafor")
    assert (prefect.parameters["actor"], "token" in prefect.parameters) == ("sam.okafor", False)
    new_key(key.with_name("stranger"), "stranger")
    monkeypatch.setattr("gatewright.cli.rollback.DEFAULT_KEY", key.with_name("stranger"))
    run("rollback", "triage", *YES, "--wait", "0")
    assert (prefect.parameters["actor"], "token" in prefect.parameters) == ("dana.reyes", False)


def test_what_the_run_would_refuse_is_refused_before_it_starts(
    run: Run, prefect: Prefect, key: Path, services: Services
) -> None:
    """A role that may not, a key that is nobody's, and a name that is not the key's."""
    strict = POLICY.model_copy(
        update={"version": POLICY.version + 1, "rollback": RollbackTerms(roles=("on-call",), assurance="signed")}
    )
    services.governance.adopt("policy", "triage", strict, "file")
    code, _, err = run("rollback", "triage", *YES, "--key", str(key))
    assert code == 2
    assert "holds no role" in err
    assert run("rollback", "triage", *YES, "--key", str(key), "--actor", "sam.okafor")[0] == 1
    new_key(key.with_name("stranger"), "stranger")
    assert run("rollback", "triage", *YES, "--key", str(key.with_name("stranger")))[0] == 1
    assert prefect.parameters == {}


def test_nobody_takes_a_model_back_by_accident(run: Run, prefect: Prefect) -> None:
    """Without `--yes` somebody must be there to be asked, as of the other commands that sign."""
    code, _, err = run("rollback", "triage", *REASON)
    assert (code, prefect.parameters) == (1, {})
    assert "nobody is here to be asked" in err


def test_one_step_back_is_started_followed_and_confirmed(run: Run, prefect: Prefect) -> None:
    """Each step is told as it happens; the exit code says that the earlier model serves."""
    prefect.then = [
        lambda: ("SCHEDULED", ""), lambda: prefect.move("rollback"), lambda: prefect.move("confirm"),
    ]  # fmt: skip
    code, out, err = run("rollback", "triage", *YES)
    assert (code, err) == (0, "")
    order = prefect.parameters["rollback_id"]
    assert prefect.parameters == {
        "model": "triage", "to_release": "triage-2000-1", "actor": "dana.reyes", "reason": REASON[1],
        "rollback_id": order,
    }  # fmt: skip
    assert [line.strip() for line in out.splitlines()] == [
        "triage: one model back",
        f"from       triage-2000-2, model {SECOND[:12]}",
        f"to         triage-2000-1, model {MODEL[:12]}",
        "as         dana.reyes, not signed: as surely as the gateway knows you, or declared",
        f"order      {order}",
        "Prefect    scheduled",
        "Prefect    running",
        "rollback   the channel names triage-2000-1; waiting until the target serves it",
        f"confirm    the target serves triage-2000-1, model {MODEL[:12]}",
        "DEPLOYED triage-2000-1 serves",
    ]
    assert "secret-of-dana" not in out


def test_a_target_that_does_not_follow_is_a_failure(run: Run, prefect: Prefect) -> None:
    """The channel is back where it was, and the exit code says so."""
    prefect.then = [lambda: prefect.move("rollback"), lambda: prefect.move("revert", "triage-2000-2", SECOND)]
    code, out, _ = run("rollback", "triage", *YES)
    assert code == 2
    assert "the target did not follow in time; the channel names triage-2000-2 again" in out
    assert out.splitlines()[-1].startswith("FAILED")


def test_a_run_that_fails_says_why(run: Run, prefect: Prefect) -> None:
    """Whoever may not roll back is told so by the run; its words cannot move the cursor."""
    prefect.then = [lambda: ("FAILED", "`lou.gone` may not roll back.\x1b[2J")]
    code, out, _ = run("rollback", "triage", *YES, "--actor", "lou.gone")
    assert code == 2
    assert prefect.parameters["actor"] == "lou.gone"
    assert "failed `lou.gone` may not roll back.[2J" in out


def test_a_run_that_nobody_takes_is_under_way_not_done(run: Run, prefect: Prefect) -> None:
    """No worker: after the time to wait the exit code is 3."""
    prefect.then = [lambda: ("SCHEDULED", "")]
    code, out, _ = run("rollback", "triage", *YES, "--wait", "0", "--json")
    found = json.loads(out)
    assert (code, found["outcome"], found["operation"]) == (3, "under way", prefect.parameters["rollback_id"])
    assert (found["run"]["type"], found["last_move"]) == ("SCHEDULED", None)


def test_leaving_does_not_stop_the_run(run: Run, prefect: Prefect) -> None:
    """Ctrl-C is no rollback of the rollback."""

    def leave() -> tuple[str, str]:
        raise KeyboardInterrupt

    prefect.then = [lambda: ("RUNNING", ""), leave]
    code, out, _ = run("rollback", "triage", *YES)
    assert code == 3
    assert "you left; the run goes on" in out


def test_back_to_what_serves_starts_nothing(run: Run, prefect: Prefect) -> None:
    """It is there already."""
    code, out, _ = run("rollback", "triage", *YES, "--to", "triage-2000-2")
    assert (code, out) == (0, "DEPLOYED triage-2000-2 serves\n")
    assert prefect.parameters == {}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("triage", "--reason", "too short"), "the reason is too short"),
        (("triage", *YES, "--to", "triage-2000-3"), "release `triage-2000-3` was never deployed"),
        (("triaeg", *YES), "did you mean `triage`?"),
    ],
)
def test_what_cannot_be_rolled_back_is_refused_before_a_run_starts(
    run: Run, prefect: Prefect, arguments: tuple[str, ...], problem: str
) -> None:
    """A blocked candidate cannot get into production this way."""
    code, out, err = run("rollback", *arguments)
    assert (code, out, prefect.parameters) == (1, "", {})
    assert problem in err


def test_without_a_name_nobody_rolls_back(run: Run, prefect: Prefect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who did it is kept for ever."""
    monkeypatch.delenv("PREFECT_API_AUTH_STRING")
    code, _, err = run("rollback", "triage", *YES)
    assert (code, prefect.parameters) == (1, {})
    assert "--actor" in err


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"deployment_status": 404}, "there is no deployment `rollback/rollback`"), ({"start_status": 409}, "too short")],
)
def test_what_prefect_refuses_is_an_error(run: Run, prefect: Prefect, change: dict[str, int], problem: str) -> None:
    """A server without the deployment, and parameters that do not fit its schema."""
    vars(prefect).update(change)
    code, out, err = run("rollback", "triage", *YES)
    assert (code, "DEPLOYED" in out) == (1, False)
    assert problem in err


def test_history_changelog_and_show_say_how_surely_it_is_known_who_took_it_back(
    run: Run, prefect: Prefect, services: Services
) -> None:
    """As the ledger has it; an order under way as it was accepted."""
    prefect.parameters["rollback_id"] = "back-1"
    for action in ("rollback", "confirm"):
        prefect.move(action)
    confirmed = services.channels.history("triage", "production")[-1][1]
    services.ledger.append(
        "triage",
        LedgerEntry(
            kind="rolled_back", release_id="triage-2000-1", actor="dana.reyes", at=NOON, note=REASON[1],
            digests={"move": confirmed.digest}, assurance="signed",
        ),
    )  # fmt: skip
    prefect.parameters["rollback_id"] = "back-2"
    prefect.move("rollback")
    services.rollback_records.add(
        AcceptedRollback(
            model="triage", environment="production", operation="back-2", to_release="triage-2000-1",
            to_model_sha256=MODEL, principal="dana.reyes", role="release-manager", reason=REASON[1],
            assurance="gateway", at=NOON,
        )
    )  # fmt: skip
    found = json.loads(run("history", "triage", "--json")[1])
    assert [row["assurance"] for row in found[-3:]] == ["signed", "signed", "gateway"]
    assert "by dana.reyes (signed), 0 s until" in run("changelog", "triage", "--rollbacks")[1]
    assert f"by dana.reyes (signed), 2026-03-02 12:00 UTC: {REASON[1]}" in run("show", "triage-2000-1")[1]
