"""The policy and the suites that a model spec names are files of the project, however their paths are written."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.errors import SpecError
from gatewright.services.project_files import ProjectFiles
from tests.services.targets.world import tiny_spec

FOLDERS = ("..", ".", "", "policies", "models/tiny", "deep", "out", "in", ".hidden", "secret", "\0", "~", "project")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with links inwards and outwards, beside files that it must not read."""
    place = tmp_path_factory.mktemp("place")
    for file in ("project/policies/a.yaml", "project/policies/deep/a.yaml", "project/.hidden/a.yaml", "secret/a.yaml",
                 "a.yaml", "policies/a.yaml", "models/tiny/a.yaml"):  # fmt: skip
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_text("text")
    for folder in ("project", "project/policies"):
        (place / folder / "out").symlink_to(place / "secret")
        (place / folder / "in").symlink_to(place / "project" / "policies" / "deep")
    (place / "project" / "policies" / "secret").symlink_to("/etc/passwd")
    return place


def files_of(place: Path) -> ProjectFiles:
    return ProjectFiles(place / "project", place / "models")


@pytest.fixture(scope="module")
def readable(place: Path) -> frozenset[tuple[int, int]]:
    return frozenset(_visible(place))


def _visible(place: Path) -> Iterator[tuple[int, int]]:
    """What may be read, by device and number: found by walking, not by resolving."""
    for top in ("project", "models"):
        for folder, folders, names in os.walk(place / top):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                found = os.lstat(os.path.join(folder, name))
                yield found.st_dev, found.st_ino


@settings(max_examples=200)
@given(
    start=st.sampled_from(("", "", "/", "place")),
    folders=st.lists(st.sampled_from(FOLDERS), max_size=4),
    file=st.sampled_from(("a.yaml", "secret")),
)
def test_no_path_leads_to_a_file_outside_the_project(
    place: Path, readable: frozenset[tuple[int, int]], start: str, folders: list[str], file: str
):
    """Dots, absolute paths, links and hidden folders in any order: refused, or it is a file of the project."""
    named = (f"{place}/" if start == "place" else start) + "/".join([*folders, file])
    try:
        path = files_of(place).path("policy", named)
    except SpecError:
        return
    if path.is_file():
        found = path.stat()
        assert (found.st_dev, found.st_ino) in readable, named


@pytest.mark.parametrize(
    "named",
    ["policies/a.yaml", "./policies/../policies/a.yaml", "policies/in/a.yaml", "in/a.yaml", "../models/tiny/a.yaml"],
)
def test_a_file_of_the_project_is_found_however_it_is_named(place: Path, named: str):
    """Also through a link that stays inside, and in the folder of models."""
    assert files_of(place).path("policy", named).read_text() == "text"
    assert files_of(place).path("policy", str(place / "project" / named)).read_text() == "text"


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("policy", "../a.yaml"),
        ("policy", "/etc/passwd"),
        ("policy", "policies/secret"),
        ("suites.training", "policies/out/a.yaml"),
        ("suites.evaluation", ".hidden/a.yaml"),
        ("suites.evaluation", "policies/a\0.yaml"),
    ],
)
def test_the_refusal_names_file_line_and_remedy(place: Path, tmp_path: Path, key: str, named: str):
    """One error, before anything of the file is read; what people see of the path cannot act."""
    written = tiny_spec().model_dump(mode="json")
    top, _, part = key.partition(".")
    if part:
        written[top][part] = named
    else:
        written[top] = named
    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    begins = f"  {part}:" if part else f"{top}:"
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if text.startswith(begins))
    with pytest.raises(SpecError, match="outside the project, or a hidden one") as refused:
        files_of(place).spec(file)
    assert refused.value.where == f"{file}:{line}"
    assert "GATEWRIGHT_ROOT" in refused.value.remedy
    assert "\0" not in str(refused.value)
