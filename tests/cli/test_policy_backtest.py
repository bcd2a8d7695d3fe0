"""``policy backtest``, ``whatif``, ``evidence`` and ``review``, read as a compliance officer reads them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatewright.cli import main
from gatewright.core.policy import Policy
from gatewright.settings import Settings
from gatewright.wiring import Services, build
from tests.fakes import MemoryStore
from tests.services.past_releases import fill
from tests.services.reports.example_view import NOON, POLICY

PASS, ERROR, BLOCKED = 0, 1, 2
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line over three past releases, in a folder of its own; only reading is allowed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    blobs, records = MemoryStore(), MemoryStore()
    services = build(Settings(root=tmp_path), blob_store=blobs, record_store=records, now=lambda: NOON)
    fill(services)
    services.governance.adopt("policy", "triage", POLICY, "file")

    def connect(*, read_only: bool = False) -> Services:
        assert read_only
        return services

    monkeypatch.setattr("gatewright.wiring.connect", connect)

    def run(*arguments: object) -> tuple[int, str, str]:
        written = {**blobs.objects, **records.objects}
        code = main([str(one) for one in arguments])
        assert {**blobs.objects, **records.objects} == written
        return code, *capsys.readouterr()

    return run


def proposed(folder: Path, version: int = 4, **floors: float) -> Path:
    """The policy with other limits of rules, by id with underscores."""
    document: dict[str, Any] = POLICY.model_dump(mode="json", exclude_unset=True)
    for rule in document["rules"]:
        if (name := rule["id"].replace("-", "_")) in floors:
            rule["minimum" if "minimum" in rule else "maximum"] = floors[name]
    return write(folder / "proposed.yaml", Policy.model_validate({**document, "version": version}))


def write(path: Path, document: Policy) -> Path:
    path.write_text(yaml.safe_dump(document.model_dump(mode="json", exclude_unset=True)), encoding="utf-8")
    return path


def test_a_stricter_floor_names_what_it_would_have_blocked_and_what_serves(call: Call, tmp_path: Path) -> None:
    """The verdict first; then each release with rule, value, interval, limit and margin, what serves on top.

    In a pipe each is one line, however narrow the terminal.
    """
    code, out, _ = call("policy", "backtest", proposed(tmp_path, auc_floor=0.85))
    lines = out.splitlines()
    assert code == BLOCKED
    said = " ".join(out.split())
    assert said.startswith("BLOCK: 2 of 3 past releases would be blocked that serve or were let through, among them")
    assert "triage-c, which serves. triage: 3 judged again under version 4: 1 as decided, 2 PASS -> BLOCK." in said
    assert lines.index("  triage-c (deployed, serves): PASS -> BLOCK") < lines.index(
        "  triage-b (deployed): PASS -> BLOCK"
    )
    assert (
        "      auc-floor blocks: AUC 0.800 [0.780, 0.820], must be at least 0.85: 0.050 below the limit of 0.85"
        in lines
    )
    assert "auc-floor blocks: AUC 0.860 [0.840, 0.880], must be at least 0.85: " in said
    assert "Next look at it, then choose other limits, or replace it before this is signed:" in said
    assert "gatewright show triage-c" in said


def test_a_policy_that_changes_nothing_passes_and_says_what_comes_next(call: Call, tmp_path: Path) -> None:
    """The same limits under another version."""
    code, out, _ = call("policy", "backtest", proposed(tmp_path))
    assert (code, out.splitlines()[0]) == (PASS, "PASS: All 3 past releases would be decided as they were.")
    assert "gatewright policy sign" in out


def test_a_looser_policy_holds_and_names_what_is_no_longer_in_the_way(call: Call, tmp_path: Path) -> None:
    """Nothing that serves is in danger, so the exit code is 0; but a release that was blocked would go through."""
    code, out, _ = call("policy", "backtest", proposed(tmp_path, auc_floor=0.7))
    assert (code, out.startswith("HOLD: 1 of 3 past releases would be decided otherwise")) == (PASS, True)
    assert "triage-a (blocked): BLOCK -> PASS\n      auc-floor: no longer in the way" in out


def test_what_cannot_be_told_is_listed_and_never_a_pass(call: Call, tmp_path: Path) -> None:
    """A new rule on a metric that nobody measured; the release that is blocked anyway is no question."""
    rule = {"id": "mcc", "stage": "evaluate", "metric": "mcc", "minimum": 0.3, "severity": "block", "reason": "x"}
    document = POLICY.model_dump(mode="json", exclude_unset=True)
    file = write(tmp_path / "new.yaml", Policy.model_validate({**document, "rules": [*document["rules"], rule]}))
    code, out, _ = call("policy", "backtest", file)
    assert (code, out.startswith("HOLD: It cannot be told of 2 of 3 past releases")) == (PASS, True)
    assert "triage-c (deployed, serves): PASS -> CANNOT TELL\n      mcc: `mcc` was not measured then" in out
    assert "triage-a" not in out


def test_as_json_a_script_finds_outcomes_and_numbers(call: Call, tmp_path: Path) -> None:
    """The words of a decision, and a margin in the metric's unit."""
    code, out, _ = call("policy", "backtest", proposed(tmp_path, auc_floor=0.85), "--json")
    found = json.loads(out)
    assert code == BLOCKED
    assert (found["verdict"], found["releases"], found["as_decided"]) == ("BLOCK", 3, 1)
    assert found["newly_blocked"] == ["triage-b", "triage-c"]
    [missed] = found["flips"][0]["now_missed"]
    assert (missed["rule"], missed["value"], round(missed["margin"], 6)) == ("auc-floor", 0.8, -0.05)


def test_a_limit_is_tried_without_a_file(call: Call) -> None:
    """The policy in force, changed in thought; the same table, the same exit codes."""
    code, out, _ = call("policy", "whatif", "triage", "--set", "min_auc=0.79")
    assert (code, "triage-b (deployed): PASS -> BLOCK" in out) == (BLOCKED, True)
    code, out, _ = call("policy", "whatif", "triage", "--set", "auc-floor.minimum=0.78", "--set", "alpha=0.05")
    assert (code, out.startswith("PASS: All 3")) == (PASS, True)
    assert "Next write it into the policy's file, then try that:\n       gatewright policy backtest FILE\n" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["whatif", "triage"], "--set"),
        (["whatif", "triage", "--set", "max_psi"], "KEY=VALUE"),
        (["whatif", "triage", "--set", "max_fpr=0.1"], "no rule limits `false_positive_rate`"),
        (["whatif", "traige", "--set", "auc-floor=0.8"], "was in force"),
        (["backtest", "missing.yaml"], "missing.yaml"),
        (["evidence", "traige", "--out", "x.json"], "did you mean `triage`?"),
        (["review"], "--base"),
        (["review", "only-one.yaml"], "OLD NEW"),
        (["review", "--base", "HEAD"], "git"),
    ],
)
def test_a_call_that_means_nothing_is_one_error(call: Call, arguments: list[str], said: str) -> None:
    """Exit code 1, which is no verdict."""
    code, out, err = call("policy", *arguments)
    assert (code, said in err, out) == (ERROR, True, "")


def test_ci_tries_a_policy_on_exported_measurements(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exported where the store is, judged where it is not: the same words."""
    file, evidence = proposed(tmp_path, auc_floor=0.85), tmp_path / "evidence.json"
    code, out, _ = call("policy", "evidence", "triage", "--out", evidence)
    assert (code, out.startswith(f"{evidence}: 3 releases of triage, ")) == (PASS, True)
    _, from_store, _ = call("policy", "backtest", file)
    monkeypatch.setattr("gatewright.wiring.connect", None)
    assert call("policy", "backtest", file, "--evidence", evidence)[:2] == (BLOCKED, from_store)
    current = write(tmp_path / "current.yaml", POLICY)
    changed = ("policy", "whatif", "triage", "--set", "auc-floor=0.85", "--evidence", evidence)
    assert call(*changed, "--policy", current)[0] == BLOCKED
    code, _, err = call(*changed)
    assert (code, "give --policy FILE" in err) == (ERROR, True)


def test_only_later_releases_are_judged(call: Call, tmp_path: Path) -> None:
    """After the last one there is nothing to judge, which is no pass."""
    file = proposed(tmp_path, auc_floor=0.85)
    assert call("policy", "backtest", file, "--since", "2026-03-02")[0] == BLOCKED
    code, out, _ = call("policy", "backtest", file, "--since", "2026-03-03")
    assert (code, out.startswith("HOLD: No past release was decided")) == (PASS, True)


def test_evidence_of_another_model_is_refused(call: Call, tmp_path: Path) -> None:
    """Its releases would be judged by a policy that is not theirs."""
    evidence = tmp_path / "evidence.json"
    call("policy", "evidence", "triage", "--out", evidence)
    other = write(tmp_path / "other.yaml", POLICY.model_copy(update={"model": "other"}))
    code, _, err = call("policy", "backtest", other, "--evidence", evidence)
    assert (code, "it holds releases of `triage`, not of `other`" in err) == (ERROR, True)


def test_two_files_are_reviewed_in_one_comment(call: Call, tmp_path: Path) -> None:
    """The verdict, what tightens, and which releases would flip; also written to a file."""
    current, comment = write(tmp_path / "current.yaml", POLICY), tmp_path / "comment.md"
    code, out, _ = call("policy", "review", current, proposed(tmp_path, auc_floor=0.85), "--store", "--out", comment)
    assert (code, comment.read_text()) == (BLOCKED, out)
    assert (
        out.index("## Policy review: BLOCK") < out.index("| tightens | rule auc-floor") < out.index("| release | was |")
    )
    assert "<code>triage-c</code> **serves** | PASS | **BLOCK**" in out
    code, out, _ = call("policy", "review", current, proposed(tmp_path, auc_floor=0.7), "--json")
    found = json.loads(out)
    assert (code, found["verdict"], found["files"][0]["backtest"]) == (BLOCKED, "HOLD", None)
    assert [c["counts_as_loosened"] for c in found["files"][0]["changes"] if c["where"] == "rule auc-floor"] == [True]


def test_a_review_passes_where_nothing_loosens_and_nothing_flips(call: Call, tmp_path: Path) -> None:
    """And says what comes next. With --exit-zero it tells and never stops anybody, but for an error."""
    current = write(tmp_path / "current.yaml", POLICY)
    code, out, _ = call("policy", "review", current, proposed(tmp_path, auc_floor=0.76), "--store")
    assert (code, "## Policy review: PASS" in out, "Next: the owners sign it" in out) == (PASS, True, True)
    looser = proposed(tmp_path, auc_floor=0.7)
    assert call("policy", "review", current, looser, "--exit-zero")[0] == PASS
    looser.write_text("model: [", encoding="utf-8")
    assert call("policy", "review", current, looser, "--exit-zero")[0] == ERROR
