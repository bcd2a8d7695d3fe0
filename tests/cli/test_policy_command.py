"""``policy`` and ``roster``: checked, compared, signed with real keys, and what is and was in force."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from gatewright.cli import main
from gatewright.core.policy import Policy
from gatewright.core.records import Record
from gatewright.core.roster import Person, PublicKey, Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.ssh_signatures import new_key, public_key_of
from gatewright.settings import Settings
from gatewright.wiring import Services, build
from tests.core.examples import NOW, rule
from tests.core.owners import BEGAN, OWNERS, owned_policy, owned_roster
from tests.fakes import MemoryStore
from tests.services.reports.example_view import POLICY

PASS, ERROR, LOOSENED, MORE = 0, 1, 2, 3
REASON = "Agreed in the risk meeting."


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(yaml.safe_dump(POLICY.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    return path


@pytest.fixture
def misspelt(tmp_path: Path, good: Path) -> Path:
    path = tmp_path / "misspelt.yaml"
    path.write_text(good.read_text().replace("serving_timeout_seconds", "serving_timeout_second"), encoding="utf-8")
    return path


def test_a_valid_policy_is_ok(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0 and one line."""
    assert main(["policy", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"OK     {good}\n"


def test_a_misspelt_key_is_named_with_its_line_and_the_right_name(
    misspelt: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All files are checked; one error makes the exit code 1."""
    assert main(["policy", "check", str(misspelt), str(good)]) == 1
    out = capsys.readouterr().out
    assert f"{misspelt}:" in out
    assert "did you mean `serving_timeout_seconds`?" in out
    assert f"OK     {good}" in out


def test_the_result_as_json_holds_problem_place_and_remedy(misspelt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a pre-commit hook."""
    assert main(["policy", "check", str(misspelt), "--json"]) == 1
    [found] = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert set(found) == {"file", "ok", "problem", "where", "remedy"}


def test_a_roster_is_checked_as_a_roster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lies in the same folder, so ``policies/*.yaml`` just works."""
    path = tmp_path / "roster.yaml"
    path.write_text("version: 1\npeople:\n  - {id: dana, name: Dana, roles: [manager], joined: 2024-01-01}\n")
    assert main(["policy", "check", str(path)]) == 0
    path.write_text("version: 1\npeople: []\n")
    assert main(["policy", "check", str(path)]) == 1
    assert "people" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"model: [", b"model: .nan"])
def test_an_unreadable_file_is_an_error_not_a_crash(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, not UTF-8, empty, broken, not a number."""
    path = tmp_path / "policy.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main(["policy", "check", str(path)]) == 1
    assert str(path) in capsys.readouterr().out


def test_no_file_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern that matches nothing must not pass."""
    assert main(["policy", "check"]) == 1
    assert capsys.readouterr().err


def write(path: Path, document: Record) -> Path:
    path.write_text(yaml.safe_dump(document.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    return path


class Office:
    """Three owners with keys of their own before one store; each command is a new process, an hour later."""

    def __init__(self, folder: Path, keys: dict[str, Path]) -> None:
        self.now = NOW
        self.keys = keys
        self.roster = owned_roster(people=tuple(owner(name, key) for name, key in keys.items()))
        self._settings = Settings(root=folder, roster=write(folder / "roster.yaml", self.roster))
        self._records, self._blobs = MemoryStore(), MemoryStore()

    def services(self) -> Services:
        return build(self._settings, blob_store=self._blobs, record_store=self._records, now=lambda: self.now)

    def sign(self, command: str, file: Path, owner: str, *more: str) -> int:
        self.now += timedelta(hours=1)
        return main([command, "sign", str(file), "--key", str(self.keys[owner]), "--reason", REASON, "--yes", *more])

    def put_in_force(self, command: str, file: Path) -> None:
        assert [self.sign(command, file, owner, "--as", owner) for owner in OWNERS[:2]] == [MORE, PASS]


def owner(name: str, key: Path) -> Person:
    public = PublicKey(key=public_key_of(key), added=BEGAN)
    return Person(id=name, name=name, roles=("risk",), joined=BEGAN, keys=(public,))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real key of each owner."""
    folder = tmp_path_factory.mktemp("keys")
    for name in OWNERS:
        new_key(folder / name, name)
    return {name: folder / name for name in OWNERS}


@pytest.fixture
def office(tmp_path: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Office:
    """Before anything is in force."""
    found = Office(tmp_path, keys)
    monkeypatch.setattr("gatewright.wiring.connect", found.services)
    return found


@pytest.fixture
def running(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """Roster and policy in force, each signed by two of three owners."""
    office.put_in_force("roster", tmp_path / "roster.yaml")
    office.put_in_force("policy", write(tmp_path / "policy.yaml", owned_policy()))
    capsys.readouterr()
    return office


@pytest.fixture
def weaker(tmp_path: Path) -> Path:
    return write(tmp_path / "weaker.yaml", owned_policy(2, rules=(rule(minimum=0.7),)))


def test_a_diff_says_what_loosens_and_its_exit_code_too(
    tmp_path: Path, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 when anything loosens, so that a pipeline can stop there; 0 for the way back."""
    policy = write(tmp_path / "policy.yaml", owned_policy())
    assert main(["policy", "diff", str(policy), str(weaker)]) == LOOSENED
    assert "  loosens   rule auc-floor: `minimum` falls from 0.75 to 0.7\n" in capsys.readouterr().out
    assert main(["policy", "diff", str(weaker), str(policy)]) == PASS
    assert "  tightens  rule auc-floor: `minimum` rises from 0.7 to 0.75\n" in capsys.readouterr().out
    assert main(["policy", "diff", str(policy), str(policy)]) == PASS
    assert capsys.readouterr().out == "  Nothing changes.\n"


def test_a_diff_as_json_holds_each_change(tmp_path: Path, weaker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where, what, which way, and whether it counts as loosened."""
    policy = write(tmp_path / "policy.yaml", owned_policy())
    assert main(["policy", "diff", str(policy), str(weaker), "--json"]) == LOOSENED
    version, minimum = sorted(json.loads(capsys.readouterr().out), key=lambda change: change["counts_as_loosened"])
    assert (version["field"], version["direction"], version["counts_as_loosened"]) == ("version", "changes", False)
    assert (minimum["where"], minimum["direction"], minimum["in_doubt"]) == ("rule auc-floor", "loosens", False)


def test_a_roster_diff_tells_who_may_sign_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for people and keys."""
    old, new = owned_roster(), owned_roster(2, people=owned_roster().people[:3])
    files = [str(write(tmp_path / f"{one.version}.yaml", one)) for one in (old, new)]
    assert main(["roster", "diff", *files]) == PASS
    assert "  tightens  person eve.outside: is removed" in capsys.readouterr().out
    assert main(["roster", "diff", *files[::-1]]) == LOOSENED


def test_signing_shows_the_change_and_says_how_many_are_missing(
    running: Office, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of two owners leaves the former version in force, the second puts the next one there."""
    assert running.sign("policy", weaker, "cem.owner") == MORE
    out = capsys.readouterr().out
    assert out.startswith("policy example: version 1 -> 2\n")
    assert "loosens   rule auc-floor: `minimum` falls from 0.75 to 0.7" in out
    assert out.endswith("Signed by cem.owner; 1 more owner must sign before version 2 is in force.\n")
    assert running.services().governance.in_force("policy", "example").version == 1  # type: ignore[union-attr]
    assert running.sign("policy", weaker, "ada.owner") == PASS
    assert capsys.readouterr().out.endswith("Version 2 is in force, signed by ada.owner, cem.owner.\n")


def test_what_came_of_a_signature_is_told_as_json(
    running: Office, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has signed, who is missing, which version is in force."""
    assert running.sign("policy", weaker, "cem.owner", "--json") == MORE
    found = json.loads(capsys.readouterr().out)
    assert (found["signers"], found["missing"], found["in_force"]) == (["cem.owner"], 1, None)
    assert any(change["counts_as_loosened"] for change in found["changes"])


def test_nobody_signs_for_another_and_nothing_is_signed_unasked(
    running: Office, weaker: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of somebody else, no terminal to ask at, and an answer that is no yes."""
    assert running.sign("policy", weaker, "cem.owner", "--as", "ada.owner") == ERROR
    assert "not signed by a key of ada.owner" in capsys.readouterr().err
    asked = ["policy", "sign", str(weaker), "--key", str(running.keys["cem.owner"]), "--reason", REASON]
    assert main(asked) == ERROR
    assert "nobody is here to be asked" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert main(asked) == ERROR
    assert "nothing was signed" in capsys.readouterr().err
    assert running.services().governance.progress("policy", "example", owned_policy(2)).signers == ()


def test_who_signs_a_policy_is_asked_for_the_reason_and_for_a_yes(
    running: Office, weaker: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for approvals and waivers: what changes is shown first, and the question names who signs what."""
    said, asked = iter([REASON, "yes"]), []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt.strip()) or next(said))
    assert main(["policy", "sign", str(weaker), "--key", str(running.keys["cem.owner"])]) == MORE
    assert asked == [
        "Reason (at least ten characters):",
        "Sign as cem.owner: policy example, version 2? [yes/no]",
    ]
    assert "loosens" in capsys.readouterr().out


def test_a_policy_cannot_be_signed_before_a_roster_says_whose_key_is_whose(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to do first."""
    policy = write(tmp_path / "policy.yaml", owned_policy())
    assert office.sign("policy", policy, "ada.owner") == ERROR
    assert "gatewright roster sign FILE" in capsys.readouterr().err


def test_history_names_every_version_who_signed_it_why_and_what_it_loosened(
    running: Office, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As proven from the first version on."""
    running.put_in_force("policy", weaker)
    capsys.readouterr()
    assert main(["policy", "history", "example"]) == PASS
    first, *_, second, ada, _, loosened = capsys.readouterr().out.splitlines()
    assert first.startswith("version 1  since 2026-03-02 13:00 UTC  signed by ada.owner, ben.owner")
    assert second.startswith("version 2  since 2026-03-02 15:00 UTC  signed by ada.owner, ben.owner")
    assert ada == f"  ada.owner, 2026-03-02 14:00 UTC: {REASON}"
    assert loosened == "  loosened  rule auc-floor: `minimum` falls from 0.75 to 0.7"
    assert main(["policy", "history", "example", "--json"]) == PASS
    versions = json.loads(capsys.readouterr().out)
    assert [version["signed"][0]["principal"] for version in versions] == ["ada.owner", "ada.owner"]


def test_what_is_in_force_is_printed_as_a_file_that_can_be_read_again(
    running: Office, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Now, or at a time in the past; of the roster as of a policy."""
    running.put_in_force("policy", weaker)
    capsys.readouterr()
    assert main(["policy", "in-force", "example"]) == PASS
    assert parse_yaml(capsys.readouterr().out, Policy, where="out").version == 2
    assert main(["policy", "in-force", "example", "--at", "2026-03-02T13:30"]) == PASS
    assert parse_yaml(capsys.readouterr().out, Policy, where="out") == owned_policy()
    assert main(["roster", "in-force"]) == PASS
    assert parse_yaml(capsys.readouterr().out, Roster, where="out") == running.roster
    assert main(["roster", "history", "--json"]) == PASS
    assert json.loads(capsys.readouterr().out)[0]["document_sha256"] == running.roster.digest


@pytest.mark.parametrize(
    "arguments", [["history", "exmaple"], ["in-force", "exmaple"], ["in-force", "example", "--at", "2026-03-02"]]
)
def test_what_was_never_in_force_is_an_error(
    running: Office, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt model, and a time before the first version."""
    assert main(["policy", *arguments]) == ERROR
    assert "was in force" in capsys.readouterr().err
