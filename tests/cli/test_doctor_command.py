"""``gatewright doctor`` says of each part whether it works, and what to do; a broken one hides no other."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gatewright.core.errors import StoreError
from gatewright.core.roster import Machine, PublicKey, Roster
from gatewright.services.checkup import Finding, servers, signing, versions
from gatewright.services.prefect_api import PrefectApi, PrefectSettings
from gatewright.services.ssh_signatures import new_key, public_key_of
from gatewright.settings import Settings
from gatewright.wiring import Services
from tests.cli.conftest import ROSTER, Run
from tests.fakes import MemoryStore

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
SECRET = "hush-hush-secret"


@pytest.fixture
def machine(
    services: Services, tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., MemoryStore]:
    """The store of the other tests on a machine without servers; returns its record store."""
    records = services.records
    assert isinstance(records, MemoryStore)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/roster.yaml").write_text(yaml.safe_dump(ROSTER.model_dump(mode="json")))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    def configure(**changes: Any) -> MemoryStore:
        settings = Settings(root=tmp_path, target_url=f"http://127.0.0.1:{free_port}", **changes)
        monkeypatch.setattr("gatewright.wiring.read_settings", lambda: settings)
        monkeypatch.setattr("gatewright.wiring.stores", lambda settings: (records, MemoryStore()))
        return records

    return configure


def found(run: Run) -> tuple[int, dict[str, dict[str, str]]]:
    code, out, _ = run("doctor", "--json")
    return code, {one["part"]: one for one in json.loads(out)["findings"]}


def test_every_part_has_a_line_and_what_fails_stands_first_with_its_remedy(
    run: Run, machine: Callable[..., MemoryStore]
) -> None:
    """Read as somebody does who is called at night."""
    machine()
    code, out, _ = run("doctor")
    lines = out.splitlines()
    assert code == 2, "nothing answers for the scoring service"
    assert lines[0].startswith("FAIL  ")
    assert lines[2].startswith("FAIL  scoring service: the scoring service does not answer")
    assert lines[3].strip().startswith("remedy: start it with `gatewright serve`")
    assert "OK    ledger of triage: verified, 6 entries" in lines
    assert "OK    production of triage: verified, 2 moves" in lines
    assert "WARN  bucket of blobs: no versions, no lock" in lines
    assert any(line.startswith("OK    packages: ") and "scikit-learn" in line for line in lines)
    assert any(line.startswith("WARN  Prefect server: not named") for line in lines)


def test_a_store_that_does_not_answer_hides_no_other_part(run: Run, machine: Callable[..., MemoryStore]) -> None:
    """Its self-test fails; the clock, the packages and the servers are still looked at."""
    down = StoreError("the store does not answer.", where="http://127.0.0.1:1", remedy="start it.")
    machine().fail("create", down, times=99)
    code, parts = found(run)
    assert code == 2
    assert parts["store"] == {
        "part": "store",
        "status": "FAIL",
        "found": "the store does not answer. (http://127.0.0.1:1)",
        "remedy": "start it.",
    }
    assert parts["clock of the store"]["status"] == "OK"
    assert parts["packages"]["status"] == "OK"


def test_one_cause_is_told_once(run: Run, machine: Callable[..., MemoryStore]) -> None:
    """What fails of the same is named by the part that failed first."""
    down = StoreError("the store does not answer.", where="http://127.0.0.1:1", remedy="start it.")
    store = machine()
    for operation in ("create", "keys", "get"):
        store.fail(operation, down, times=99)
    _, out, _ = run("doctor")
    assert out.count("the store does not answer") == 1
    assert "FAIL  ledgers: cannot be told: the same as store" in out.splitlines()


def test_a_key_that_others_may_read_is_told_and_hides_no_other_part(
    run: Run, machine: Callable[..., MemoryStore], tmp_path: Path
) -> None:
    """Connecting itself would refuse such a key."""
    new_key(tmp_path / "pipeline", "pipeline")
    (tmp_path / "pipeline").chmod(0o644)
    machine(pipeline_key=tmp_path / "pipeline", checkpoints=tmp_path / "none")
    code, parts = found(run)
    assert code == 2
    assert "others may read" in parts["pipeline key"]["found"]
    assert parts["pipeline key"]["remedy"].startswith("`chmod 600")
    assert parts["checkpoints"]["status"] == "FAIL"
    assert parts["store"]["status"] == "OK"


def test_what_breaks_without_a_word_is_a_finding_too(
    run: Run, machine: Callable[..., MemoryStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a kind that nobody thought of; and no secret is shown."""
    machine(store_secret_access_key=SECRET)

    def break_down(store: object, now: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("gatewright.services.checkup.storage.look_at_clock", break_down)
    _, out, _ = run("doctor", "--json")
    assert "RuntimeError: the disk is on fire" in out
    assert SECRET not in out


@pytest.mark.parametrize(("skew", "status"), [(1, "OK"), (-60, "WARN"), (300, "FAIL")])
def test_the_clocks_are_compared(run: Run, machine: Callable[..., MemoryStore], skew: int, status: str) -> None:
    """Two minutes are too many; a minute deserves a look."""
    machine().skew = timedelta(seconds=skew)
    _, parts = found(run)
    assert parts["clock of the store"]["status"] == status
    assert f"{abs(skew)}.0 s" in parts["clock of the store"]["found"]


def test_a_package_that_is_known_to_break_is_named_with_what_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with the command that puts it right; one that is only untried is a warning."""
    installed = {"fastapi": "0.155.0", "great-expectations": "1.25.0"}
    real = versions._installed
    monkeypatch.setattr(versions, "_installed", lambda name: installed.get(name) or real(name))
    parts = {one.part: one for one in versions.look_at_packages()}
    assert parts["fastapi"].status == "FAIL"
    assert "does not start" in parts["fastapi"].found
    assert parts["fastapi"].remedy == "pip install 'fastapi<0.151,>=0.139'"
    assert parts["great-expectations"].status == "WARN"


def keyed(tmp_path: Path, **dates: Any) -> tuple[Path, Roster]:
    key = tmp_path / "pipeline"
    new_key(key, "pipeline")
    public = PublicKey(**{"key": public_key_of(key), "added": NOW.date(), **dates})
    return key, ROSTER.model_copy(update={"machines": (Machine(id="ci", role="pipeline", keys=(public,)),)})


def test_a_key_must_be_in_the_roster_and_in_force(tmp_path: Path) -> None:
    """In the roster, not yet, revoked, and of another machine."""
    key, roster = keyed(tmp_path)
    (one,) = signing.look_at_key(key, lambda: roster, NOW)
    assert (one.status, one.found) == ("OK", f"{key}, in the roster")
    (early,) = signing.look_at_key(key, lambda: roster, NOW - timedelta(days=9))
    assert "counts from 2026-07-01" in early.found
    new_key(tmp_path / "other", "other")
    (other,) = signing.look_at_key(tmp_path / "other", lambda: roster, NOW)
    (none,) = signing.look_at_key(None, lambda: roster, NOW)
    (nobody,) = signing.look_at_key(None, lambda: ROSTER, NOW)
    assert [one.status for one in (early, other, none, nobody)] == ["FAIL", "FAIL", "FAIL", "WARN"]


def test_a_revoked_key_is_told_with_its_day(tmp_path: Path) -> None:
    """Whoever lost it knows when."""
    key, roster = keyed(tmp_path, revoked=NOW)
    (one,) = signing.look_at_key(key, lambda: roster, NOW + timedelta(days=1))
    assert (one.status, one.found) == ("FAIL", f"{key} was revoked on 2026-07-01 00:00 UTC")


def prefect(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> list[Finding]:
    def answer(request: httpx.Request) -> httpx.Response:
        said = answers[request.url.path.removeprefix("/api")]
        return httpx.Response(said) if isinstance(said, int) else httpx.Response(200, json=said)

    client = httpx.Client(base_url="http://p/api", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(PrefectApi, "connect", classmethod(lambda cls, settings: cls(client)))
    return list(servers.look_at_prefect(PrefectSettings(api_url="http://p/api"), "3.8.8"))


def deployed(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "work_pool_name": "gatewright"} for name in names]


def test_prefect_is_asked_for_its_version_its_deployments_and_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of another minor version, a deployment that is missing and a pool without a worker are told."""
    well = {
        "/admin/version": "3.8.8",
        "/deployments/filter": deployed(*servers.DEPLOYMENTS),
        "/work_pools/gatewright/workers/filter": [{"name": "w", "status": "ONLINE"}],
    }
    assert [one.status for one in prefect(monkeypatch, well)] == ["OK", "OK", "OK"]
    ill = {
        "/admin/version": "3.9.1",
        "/deployments/filter": deployed("retrain"),
        "/work_pools/gatewright/workers/filter": [{"name": "w", "status": "OFFLINE"}],
    }
    findings = prefect(monkeypatch, ill)
    assert [one.status for one in findings] == ["OK", "WARN", "FAIL", "FAIL"]
    assert "rollback" in findings[2].found
    assert findings[3].remedy == "prefect worker start --pool gatewright"


def test_the_deployments_that_are_looked_for_are_those_of_the_repository() -> None:
    """A new one is looked for too."""
    written = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]
    assert {one["name"] for one in written} == set(servers.DEPLOYMENTS)


class Serving:
    def __init__(self, digest: str | None) -> None:
        self.digest = digest

    def serving(self) -> str | None:
        return self.digest


def test_a_service_that_serves_what_no_channel_names_is_told() -> None:
    """And one that serves nothing although something was deployed."""

    def status(serving: str | None, head: str | None) -> str:
        (one,) = servers.look_at_target(Serving(serving), "http://s", lambda: {"triage": head})  # type: ignore[arg-type]
        return one.status

    assert status("a" * 64, "a" * 64) == "OK"
    assert status(None, None) == "OK"
    assert status("b" * 64, "a" * 64) == "WARN"
    assert status(None, "a" * 64) == "WARN"


def test_documents_answer_where_pages_link_to(free_port: int) -> None:
    """An address at which nothing answers is a failure; none at all is only told."""
    (none,) = servers.look_at_documents(None)
    (dead,) = servers.look_at_documents(f"http://127.0.0.1:{free_port}")
    assert (none.status, dead.status) == ("WARN", "FAIL")
