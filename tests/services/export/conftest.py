"""A year of one model, exported once; each test changes a copy."""

import shutil
from pathlib import Path

import pytest

from tests.services.audit_world import AuditWorld
from tests.services.export.shell import TOOLS, bundle


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is on the PATH of an auditor."""
    folder = tmp_path_factory.mktemp("tools")
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of people and machines, made once."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> AuditWorld:
    """Two releases, a change of the policy, a rollback. Not to be changed."""
    return AuditWorld(tmp_path_factory.mktemp("year"), keys).year()


@pytest.fixture(scope="session")
def exported(year: AuditWorld) -> Path:
    """The second release, with the model and the data. Not to be changed."""
    return bundle(year, "r2", year.folder / "exported", with_blobs=True)


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))
