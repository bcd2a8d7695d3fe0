"""``gatewright doctor`` looks at who would be told: people, addresses and escalation; nothing is sent."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gatewright.core.errors import ServerError, StoreError
from gatewright.core.policy import Policy
from gatewright.core.roster import Person, Roster
from gatewright.core.routing import Route, Routes
from gatewright.services.checkup import Check, Finding
from gatewright.services.checkup import look as look_in_order
from gatewright.services.checkup.notices import look_at_escalation, look_at_routes
from gatewright.services.prefect_api import PrefectApi
from tests.cli.conftest import ROSTER, Run
from tests.cli.test_doctor_command import found, machine  # noqa: F401 - a fixture
from tests.fakes import MemoryStore
from tests.services.reports.example_view import NOON, POLICY, SPEC

SECRET = "hush-hush-token"
EVERYBODY = Route(role="*", send=("env:TELL_ALL",))
ALL = Routes(routes=(EVERYBODY,))


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable with an address that apprise knows; any attempt to send fails the test."""
    monkeypatch.setenv("TELL_ALL", f"jsons://somebody:{SECRET}@127.0.0.1:1/path")
    monkeypatch.setattr("apprise.Apprise.notify", lambda *_, **__: pytest.fail("something was sent"))


def look(*routes: Route, roster: Roster = ROSTER, blocks: Callable[[str, str], bool] | None = None) -> list[Finding]:
    return list(look_at_routes(Routes(routes=routes), lambda: roster, blocks, NOON))


def escalating(*roles: str) -> Policy:
    tier = POLICY.tiers[0].model_copy(update={"escalate_to": roles, "escalate_after_hours": 1.0})
    return POLICY.model_copy(update={"tiers": (tier, *POLICY.tiers[1:])})


def escalation(routes: Routes, *roles: str, roster: Roster = ROSTER) -> list[Finding]:
    return list(look_at_escalation(routes, roster, [escalating(*roles)], NOON))


def test_routes_with_people_and_addresses_are_well() -> None:
    """In one line, and no address in it."""
    (one,) = look(EVERYBODY, Route(role="release-manager", send=("env:TELL_ALL",)))
    assert (one.status, one.found) == ("OK", "2 routes to 1 destinations, nothing was sent")


def test_no_route_at_all_is_told() -> None:
    """As shipped nobody is told of anything, which somebody should know."""
    (one,) = look()
    assert (one.status, "nobody is told of anything" in one.found) == ("WARN", True)


def test_a_route_of_people_who_do_not_exist_or_have_left_is_told() -> None:
    """A misspelt role, and one whose only holder is gone."""
    gone = ROSTER.people[0].model_copy(update={"left": NOON.date() - timedelta(days=1)})
    left = ROSTER.model_copy(update={"people": (gone,)})
    misspelt = look(EVERYBODY, Route(role="release-manger", send=("env:TELL_ALL",)))
    assert [one.found.split(":")[0] for one in misspelt] == ["the route of release-manger has no people"]
    route = Route(role="release-manager", send=("env:TELL_ALL",))
    assert look(EVERYBODY, route)[0].status == "OK"
    assert [one.status for one in look(EVERYBODY, route, roster=left)] == ["WARN"]


@pytest.mark.parametrize("address", [f"slak://{SECRET}", SECRET, "mailto://", f"slack://{SECRET}"])
def test_an_address_that_apprise_does_not_know_fails_and_is_not_shown(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named, never what is in it."""
    monkeypatch.setenv("TELL_ALL", address)
    (one,) = look(EVERYBODY)
    assert (one.status, one.found) == ("FAIL", "TELL_ALL: the variable holds no address that apprise knows.")
    assert SECRET not in repr(one)


def test_an_address_is_looked_at_though_the_store_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and the variables are here; only the people of the roster are not."""
    monkeypatch.setenv("TELL_ALL", SECRET)

    def down() -> Roster:
        raise StoreError("the store does not answer.", where="s3", remedy="start it.")

    findings = list(look_in_order([Check("notifications", lambda: look_at_routes(ALL, down, None, NOON))]))
    assert [one.found[:8] for one in findings] == ["TELL_ALL", "the stor"]


def test_a_variable_that_only_the_workers_have_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it cannot be looked at, which is no failure."""
    monkeypatch.delenv("TELL_ALL")
    (one,) = look(EVERYBODY)
    assert (one.status, "TELL_ALL is not set on this machine" in one.found) == ("WARN", True)


def test_blocks_are_looked_for_where_prefect_is() -> None:
    """There, not there, not to be asked."""

    def refuses(kind: str, name: str) -> bool:
        raise ServerError("Prefect does not answer.", where="p", remedy="start it.")

    route = Route(role="*", send=("block:slack-webhook/on-call",))
    assert [
        one.status for one in look(route, blocks=lambda kind, name: (kind, name) == ("slack-webhook", "on-call"))
    ] == ["OK"]
    (missing,) = look(route, blocks=lambda kind, name: False)
    assert (missing.status, missing.found) == ("FAIL", "Prefect has no block slack-webhook/on-call")
    assert [one.status for one in (*look(route), *look(route, blocks=refuses))] == ["WARN", "WARN"]


def test_a_block_is_asked_for_without_its_secrets() -> None:
    """Prefect's own answers: 200 for one, 404 for none, 403 for who may not ask."""
    asked: list[httpx.Request] = []
    answers = iter([httpx.Response(200, json={"id": "1"}), httpx.Response(404), httpx.Response(403)])

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return next(answers)

    api = PrefectApi(httpx.Client(base_url="http://p/api", transport=httpx.MockTransport(answer)))
    assert [api.has_block("slack-webhook", "on-call"), api.has_block("slack-webhook", "none")] == [True, False]
    with pytest.raises(ServerError, match="does not know you"):
        api.has_block("slack-webhook", "on-call")
    assert asked[0].url == "http://p/api/block_types/slug/slack-webhook/block_documents/name/on-call"


def test_what_cannot_wait_must_not_be_left_out_by_every_route() -> None:
    """Routes that take only some events."""
    (one,) = look(Route(role="*", send=("env:TELL_ALL",), events=("asked", "failed", "rollback")))
    assert (one.status, one.found) == ("WARN", "no route takes break_glass, break_glass_expired")


def test_escalation_must_reach_somebody() -> None:
    """By a role that somebody active holds, and by a route that takes it."""
    everywhere = Routes(routes=(EVERYBODY,))
    assert [one.status for one in escalation(everywhere, "release-manager")] == ["OK"]
    (nobody,) = escalation(everywhere, "head-of-risk")
    assert (nobody.status, nobody.found.rpartition(": ")[2]) == ("FAIL", "nobody active holds the role")
    elsewhere = Routes(routes=(Route(role="compliance-officer", send=("env:TELL_ALL",)),))
    (unheard,) = escalation(elsewhere, "release-manager")
    assert (unheard.status, unheard.found.rpartition(": ")[2]) == ("FAIL", "no route takes it")
    left_out = Routes(routes=(EVERYBODY.model_copy(update={"events": ("asked",)}),))
    assert [one.status for one in escalation(left_out, "release-manager")] == ["FAIL"]


def test_who_left_is_nobody_to_escalate_to() -> None:
    """The day after the last one."""
    sam = Person(id="sam.okafor", name="Sam", roles=("risk",), joined=NOON.date(), left=NOON.date() + timedelta(days=1))
    roster = ROSTER.model_copy(update={"people": (*ROSTER.people, sam)})
    routes = Routes(routes=(EVERYBODY,))
    assert escalation(routes, "risk", roster=roster)[0].status == "OK"
    (gone,) = look_at_escalation(routes, roster, [escalating("risk")], NOON + timedelta(days=2))
    assert gone.status == "FAIL"


def test_the_doctor_reads_the_files_of_the_installation(
    run: Run,
    machine: Callable[..., MemoryStore],  # noqa: F811
    tmp_path: Path,
) -> None:
    """Routes, roster, and the policy of each model with a spec; a broken file is a finding as any other."""
    machine()
    files: dict[str, Any] = {
        "policies/notifications.yaml": {"routes": [{"role": "*", "send": ["env:TELL_ALL"]}]},
        "examples/triage/model.yaml": SPEC.model_dump(mode="json", exclude_none=True),
        SPEC.policy: escalating("head-of-risk").model_dump(mode="json", exclude_none=True),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(yaml.safe_dump(content))
    _, parts = found(run)
    assert (parts["notifications"]["status"], parts["escalation"]["status"]) == ("OK", "FAIL")
    assert "tier standard of triage to head-of-risk" in parts["escalation"]["found"]
    (tmp_path / "policies/notifications.yaml").write_text("routes: [{role: '*', sned: []}]")
    _, parts = found(run)
    assert parts["notifications"]["status"] == "FAIL"
    assert "sned" in parts["notifications"]["found"]
