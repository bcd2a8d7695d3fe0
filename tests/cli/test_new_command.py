"""``gatewright new`` makes a project on which the commands of its README run as written."""

import hashlib
import json
import runpy
import shlex
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from gatewright.cli import main
from gatewright.core.schemas import json_schema
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.project_template import PERIODS, TASKS, create_project

SCHEMA_OF = {"model.yaml": "model", "roster.yaml": "roster", "sample.yaml": "policy"}


@pytest.fixture(scope="module", params=TASKS)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each task."""
    root = tmp_path_factory.mktemp("project")
    create_project("sample", request.param, root)
    return root


def commands(project: Path) -> list[list[str]]:
    text = (project / "examples/sample/README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(block.split("```")[0]) for block in text.split("```\n")[1::2]]


def test_the_commands_of_its_readme_run_as_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All pass: policy check, validate, training, check; the fifth needs servers."""
    monkeypatch.chdir(project)
    written = commands(project)
    assert [words[0] for words in written] == ["gatewright", "gatewright", "python", "gatewright", "make"]
    for words in written[:4]:
        if words[0] == "python":
            assert words[1:] == ["-m", "examples.sample.training"]
            # As the module that is run; under its name another `examples` is imported here already.
            runpy.run_path("examples/sample/training.py", run_name="__main__")
        else:
            assert main(words[1:]) == 0, capsys.readouterr()
    assert "PASS" in capsys.readouterr().out
    assert {path.name for path in project.glob("*.html")} == {"validation.html", "check.html"}


def test_its_training_data_pass_their_suite(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a release of the newest period."""
    monkeypatch.chdir(project)
    file, suite = f"examples/sample/data/{PERIODS[1]}.parquet", "expectations/sample/training.json"
    assert main(["validate", file, "--suite", suite, "--parameter", f"period={PERIODS[2]}"]) == 0
    assert main(["validate", file, "--suite", suite, "--parameter", f"period={PERIODS[1]}"]) == 2, (
        "it is no longer earlier"
    )


def test_its_yaml_follows_the_schemas_it_names(project: Path) -> None:
    """An editor finds the schema beside the project."""
    files = [*project.rglob("*.yaml")]
    assert {file.name for file in files} == set(SCHEMA_OF)
    for file in files:
        named = file.read_text(encoding="utf-8").splitlines()[0].partition("$schema=")[2]
        schema = json.loads((file.parent / named).read_text(encoding="utf-8"))
        assert schema == json_schema(SCHEMA_OF[file.name])
        value = json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=str))
        assert not list(Draft202012Validator(schema).iter_errors(value))


def test_its_data_are_marked_as_a_sample_and_split_by_patient(project: Path) -> None:
    """Whoever releases it by mistake is told on the data card; no patient is in two periods."""
    import pandas as pd

    spec = parse_yaml((project / "examples/sample/model.yaml").read_text(), ModelSpec, where="model.yaml")
    assert "SAMPLE DATA" in spec.data.attribution
    frames = [pd.read_parquet(project / f"examples/sample/data/{period}.parquet") for period in PERIODS]
    together = pd.concat(frames)
    assert len(together) == 442
    assert together["patient"].is_unique
    assert set(spec.columns()) == set(together.columns)


def test_the_same_name_gives_the_same_bytes(project: Path, tmp_path: Path) -> None:
    """Data included."""
    task = yaml.safe_load((project / "examples/sample/model.yaml").read_text())["task"]
    for file in create_project("sample", task, tmp_path):
        assert (
            hashlib.sha256((tmp_path / file).read_bytes()).digest()
            == hashlib.sha256((project / file).read_bytes()).digest()
        ), file


@pytest.mark.parametrize(
    "name", ["", "x", "../up", "a/b", "/etc", "House", "house-price", "2house", "class", "maße", "a" * 42, "a\nb", "."]
)
def test_a_name_is_a_plain_word_and_never_a_path(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written, not even the directory."""
    assert main(["new", "--dir", str(tmp_path / "new"), "--", name]) == 1
    assert "name of a model" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_exists_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file of the model refuses it all; roster and schemas are shared, and stay as they are."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/roster.yaml").write_text("mine")
    assert main(["new", "first", "--dir", str(tmp_path), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)["files"]
    assert "policies/first.yaml" in made
    assert "policies/roster.yaml" not in made
    assert (tmp_path / "policies/roster.yaml").read_text() == "mine"
    before = sorted(tmp_path.rglob("*"))
    assert main(["new", "first", "--task", "regression", "--dir", str(tmp_path)]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "policies/second.yaml").symlink_to("nowhere")
    assert main(["new", "second", "--dir", str(tmp_path)]) == 1
    assert not (tmp_path / "examples/second").exists()


def test_people_are_told_what_was_made_and_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that runs as printed."""
    monkeypatch.chdir(tmp_path)
    assert main(["new", "house_price", "--task", "regression"]) == 0
    out = capsys.readouterr().out
    assert "examples/house_price/training.py" in out
    following = next(line for line in out.splitlines() if line.startswith("  gatewright "))
    assert main(following.split()[1:]) == 0
