"""The GitHub Action and the pre-commit hook of this repository, run for real on a repository with a changed policy."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from gatewright.core.errors import SpecError
from gatewright.core.measured_release import MeasuredReleases
from gatewright.core.policy import Policy
from gatewright.services.git_files import GitFiles
from gatewright.services.measured_releases import write_measured
from gatewright.services.reports.policy_review import MARKER
from tests.core.examples import policy, rule
from tests.core.releases_measured import released

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
PR = "7"


class Checkout:
    """A repository whose policy was committed, and then changed as in a pull request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        (self.folder / "policies").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(policy())
        self.commit("The policy in force.")
        self.base = self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        named = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
        command = ["git", "-C", str(self.folder), *named, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def write(self, document: Policy) -> None:
        text = yaml.safe_dump(document.model_dump(mode="json", exclude_unset=True))
        (self.folder / "policies/example.yaml").write_text(text)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


class Runner:
    """Runs the action's own scripts as GitHub's runner does, with programs of ours in front of the real ones."""

    def __init__(self, folder: Path, checkout: Checkout) -> None:
        self.checkout = checkout
        self.folder = folder
        self.calls = folder / "calls"
        (folder / "bin").mkdir()
        self.known_comment = ""
        self._program(
            "python", f'if [ "$2" = pip ]; then echo "pip $*" >> {self.calls}; else exec {sys.executable} "$@"; fi'
        )
        self._program("gh", f'echo "gh $*" >> {self.calls}; case "$*" in *--jq*) cat {folder}/comments;; esac')
        (folder / "comments").write_text("")
        for name in ("summary", "output"):
            (folder / name).touch()

    def _program(self, name: str, script: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)

    def run(self, **inputs: str) -> list[int]:
        """The exit code of each step that ran; it ends where GitHub would."""
        given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | inputs
        codes = []
        for step in ACTION["runs"]["steps"]:
            if step.get("if") == "inputs.comment == 'true'" and given["comment"] != "true":
                continue
            codes.append(self._step(step, given))
            if codes[-1]:
                break
        return codes

    def _step(self, step: Mapping[str, str], inputs: Mapping[str, str]) -> int:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "what is written into a script would be run"
        variables = {name: self._value(text, inputs) for name, text in dict(step.get("env", {})).items()}
        environment = {
            "PATH": f"{self.folder / 'bin'}:{BIN}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_REPOSITORY": "acme/models",
            **variables,
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, cwd=self.checkout.folder, env=environment, capture_output=True, timeout=60, check=False
        )
        return done.returncode

    def _value(self, text: str, inputs: Mapping[str, str]) -> str:
        known = {f"inputs.{name}": value for name, value in inputs.items()}
        known |= {f"steps.review.outputs.{name}": value for name, value in self.outputs().items()}
        known |= {"github.action_path": str(ROOT), "github.event.pull_request.number": PR}
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: known[found[1]], text)

    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def versions(self) -> Path:
        return self.folder / "gatewright-versions.txt"

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def runner(tmp_path: Path, checkout: Checkout) -> Runner:
    return Runner(tmp_path, checkout)


def test_a_loosened_policy_fails_the_check_and_says_why(runner: Runner) -> None:
    """The comment stands in the summary of the run and in the file that the action names."""
    runner.checkout.write(policy(rule(minimum=0.7), version=2))
    assert runner.run(base=runner.checkout.base) == [0, 0, 2]
    assert runner.summary.startswith(MARKER)
    assert "`minimum` falls from 0.75 to 0.7".replace("`", "\\`") in runner.summary
    assert runner.outputs()["verdict"] == "HOLD"
    assert Path(runner.outputs()["comment-file"]).read_text() == runner.summary
    assert runner.called() == [f"pip -m pip install --quiet --constraint {runner.versions} {ROOT}"]


def test_the_versions_that_were_tested_are_installed(runner: Runner) -> None:
    """Every package of the lock file, each with its one version and without its hashes."""
    assert runner.run(base=runner.checkout.base) == [0, 0, 0]
    locked = re.findall(r"^[^\s#].*?(?= )", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert runner.versions.read_text().split() == locked
    assert "prefect" in {line.split("==")[0] for line in locked}


def test_a_stricter_policy_is_tried_on_past_releases_from_a_file(runner: Runner) -> None:
    """Without access to the store; what served would be blocked, so the check fails though nothing loosens."""
    evidence = runner.folder / "evidence of example.json"
    write_measured(MeasuredReleases(model="example", releases=(released("example-1", auc=0.8, serves=True),)), evidence)
    runner.checkout.write(policy(rule(minimum=0.79), version=2))
    assert runner.run(base=runner.checkout.base, evidence=f"{evidence}\n") == [0, 0, 2]
    assert runner.outputs()["verdict"] == "BLOCK"
    assert "example-1</code> **serves** | PASS | **BLOCK**" in runner.summary


def test_the_check_may_only_tell(runner: Runner) -> None:
    """With ``fail: false`` what loosens is shown and passes; a file with an error still fails."""
    runner.checkout.write(policy(rule(minimum=0.7), version=2))
    assert runner.run(base=runner.checkout.base, fail="false") == [0, 0, 0]
    (runner.checkout.folder / "policies/example.yaml").write_text("model: [")
    (runner.folder / "output").write_text("")
    assert runner.run(base=runner.checkout.base, fail="false") == [0, 0, 1]
    assert runner.outputs()["verdict"] == "ERROR"


def test_the_comment_is_posted_once_and_then_replaced(runner: Runner) -> None:
    """Asked of ``gh``, which is told the file; the second run finds the comment of the first."""
    file = runner.folder / "gatewright-policy-review.md"
    assert runner.run(base=runner.checkout.base, comment="true") == [0, 0, 0, 0]
    posted = f"gh api --silent --method POST repos/acme/models/issues/{PR}/comments --field body=@{file}"
    assert runner.called()[-1] == posted
    (runner.folder / "comments").write_text("42\n43\n")
    assert runner.run(base=runner.checkout.base, comment="true") == [0, 0, 0, 0]
    replaced = f"gh api --silent --method PATCH repos/acme/models/issues/comments/42 --field body=@{file}"
    assert runner.called()[-1] == replaced


def test_no_input_is_run_or_taken_for_an_option(runner: Runner) -> None:
    """The review fails, and nothing else happens."""
    assert runner.run(base="main; touch pwned", policies="$(touch pwned)") == [0, 1]
    assert not (runner.checkout.folder / "pwned").exists()
    assert runner.summary == ""


@pytest.mark.parametrize("base", ["", "--output=/tmp/x", "-", "no-such-branch", "HEAD:policies", "HEAD..HEAD"])
def test_a_base_is_a_commit_or_an_error(checkout: Checkout, base: str) -> None:
    """A branch may be called anything, also like an option of git."""
    with pytest.raises(SpecError, match="fetch-depth"):
        GitFiles(checkout.folder, base)


def test_only_what_the_branch_itself_changed_is_reviewed(checkout: Checkout) -> None:
    """As in the pull request's own list of files: changed, new, gone and moved."""
    checkout.git("checkout", "--quiet", "-b", "feature")
    (checkout.folder / "README.md").write_text("Nothing of a policy.\n")
    (checkout.folder / "policies/new name.yaml").write_text("rules: []\n")
    checkout.commit("A page and a policy.")
    checkout.git("checkout", "--quiet", "main")
    checkout.write(policy(rule(minimum=0.5), version=2))
    checkout.commit("Somebody else loosens.")
    checkout.git("checkout", "--quiet", "feature")
    git = GitFiles(checkout.folder / "policies", "main")
    assert git.changed("policies") == ["policies/new name.yaml"]
    assert git.before("policies/new name.yaml") is None
    (checkout.folder / "policies/example.yaml").rename(checkout.folder / "policies/moved.yaml")
    checkout.commit("A move.")
    assert git.changed("policies") == ["policies/example.yaml", "policies/moved.yaml", "policies/new name.yaml"]
    assert (git.before("policies/example.yaml") or "").startswith("alpha")
    assert git.now("policies/example.yaml") is None


def test_the_action_installs_from_itself_and_names_no_server() -> None:
    """No address of a package index, and every action it would use is pinned: there is none."""
    text = (ROOT / "action.yml").read_text()
    assert "http" not in text
    assert not any("uses" in step for step in ACTION["runs"]["steps"])


@pytest.fixture
def hooked(checkout: Checkout) -> Checkout:
    """With this repository's hook, as real pre-commit runs it; only how it is installed differs."""
    installed = {"language": "system", "language_version": "default", "entry": f"{BIN}/{HOOK['entry']}"}
    local = {**HOOK, **installed}
    (checkout.folder / ".pre-commit-config.yaml").write_text(
        yaml.safe_dump({"repos": [{"repo": "local", "hooks": [local]}]})
    )
    checkout.commit("The hook.")
    return checkout


def run_hook(checkout: Checkout) -> tuple[int, str]:
    checkout.git("add", "--all")
    home = {**os.environ, "HOME": str(checkout.folder.parent), "PRE_COMMIT_HOME": str(checkout.folder.parent / "cache")}
    command = [str(BIN / "pre-commit"), "run", "--color=never"]
    done = subprocess.run(
        command, cwd=checkout.folder, env=home, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def test_the_hook_shows_what_loosens_and_lets_it_be_committed(hooked: Checkout) -> None:
    """It is the owners' signature that is missing, not a commit."""
    hooked.write(policy(rule(minimum=0.7), version=2))
    code, out = run_hook(hooked)
    assert (code, "**loosens**" in out) == (0, True)


def test_the_hook_stops_a_file_that_is_not_valid(hooked: Checkout) -> None:
    """The message names the line."""
    (hooked.folder / "policies/example.yaml").write_text("model: example\nversion: 1\nversion: 2\n")
    code, out = run_hook(hooked)
    assert (code, "example.yaml:3" in out) == (1, True)


def test_the_hook_leaves_other_files_alone(hooked: Checkout) -> None:
    """Nothing of it is run."""
    (hooked.folder / "README.md").write_text("Nothing of a policy.\n")
    code, out = run_hook(hooked)
    assert (code, "(no files to check)Skipped" in out) == (0, True)
