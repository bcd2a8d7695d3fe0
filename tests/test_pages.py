"""What the pages name is there: pages and their chapters, files, tests, modules, settings, deployments."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from deployments.gateway.settings import GatewaySettings
from gatewright.core import errors
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.core.routing import Routes
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks/README.md",
    *(ROOT / "examples").glob("*/README.md"),
]
PARTS = "benchmarks|deployments|docs|examples|expectations|flows|gatewright|policies|schemas|tasks|tests"
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# The project that a page tells the reader to make.
MADE_BY_THE_READER = "house_price"
YAML_FOR_OTHER_PROGRAMS = {"jobs", "repos"}


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text())


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """Code of ``language`` in the pages."""
    for page in PAGES:
        yield from ((page, text) for kind, text in FENCED.findall(page.read_text()) if kind == language)


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    shown = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)}


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [address for address in found if not address.startswith("http")]


def leads_somewhere(page: Path, address: str) -> bool:
    file, _, chapter = address.partition("#")
    target = (page.parent / file).resolve() if file else page
    return target.exists() and (not chapter or chapter in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_its_chapter(page: Path) -> None:
    """Links to other sites are not asked."""
    assert [address for address in links(page) if not leads_somewhere(page, address)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_module_that_a_page_names_is_there(page: Path) -> None:
    """What a reader makes or keeps below ``.gatewright`` is not part of the repository."""
    text = page.read_text()
    files = {name.rstrip(".") for name in re.findall(rf"(?<![\w./-])((?:{PARTS})/[\w./-]*)", text)}
    modules = {name.replace(".", "/") for name in re.findall(rf"python -m ((?:{PARTS})[\w.]*)", text)}
    missing = {name for name in files if not (ROOT / name).exists() and MADE_BY_THE_READER not in name}
    missing |= {name for name in modules if not ((ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file())}
    assert missing == set()


def test_every_test_that_a_page_names_is_there() -> None:
    """Under its whole name, or the beginning that stands before three dots."""
    sources = list((ROOT / "tests").rglob("test_*.py"))
    files = {source.stem for source in sources}
    tests = {name for source in sources for name in re.findall(r"def (test_\w+)\(", source.read_text())}
    named = {found for page in PAGES for found in re.findall(r"\b(test_\w+)(\.\.\.)?", page.read_text())}
    begun = {name for name, dots in named if dots and not any(test.startswith(name) for test in tests)}
    assert begun | {name for name, dots in named if not dots and name not in files | tests} == set()


def names_of(kind: type[Settings] | type[GatewaySettings]) -> set[str]:
    return {f"{kind.model_config['env_prefix']}{name.upper()}" for name in kind.model_fields}


def test_every_setting_that_a_page_names_is_read() -> None:
    """One that nothing reads would be set in vain."""
    named = {name for page in PAGES for name in re.findall(r"GATEWRIGHT_\w*[A-Z]\b", page.read_text())}
    # Where the benchmarks look for what they are compared with.
    assert named - names_of(Settings) - names_of(GatewaySettings) == {"GATEWRIGHT_PEERS"}


def test_the_deployment_page_names_every_setting() -> None:
    """In the first column of its table, and no other."""
    table = (ROOT / "docs/deployment.md").read_text().partition("## Settings")[2]
    rows = re.findall(r"^\| (`[A-Z].*?) \|", table, re.MULTILINE)
    named = {f"GATEWRIGHT_{name}" for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == names_of(Settings)


def test_the_page_on_troubles_explains_every_error() -> None:
    """But their common base, which is never raised."""
    rows = re.findall(r"^\| `(\w+Error)` \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(set(errors.__all__) - {"GatewrightError"})


def parameters(name: str) -> set[str]:
    """Those of the flow ``flow/deployment``."""
    deployments = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]
    (module, function) = next(
        one["entrypoint"].rsplit(".", 1) for one in deployments if name.endswith(f"/{one['name']}")
    )
    body = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text()).body
    (flow,) = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == function]
    return {argument.arg for argument in (*flow.args.args, *flow.args.kwonlyargs)}


def started() -> Iterator[tuple[str, set[str]]]:
    """The deployments that the pages start or list, with the names of the parameters that they give."""
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        for name, given in re.findall(
            r"prefect deployment run (\w+/\w+)(.*?)(?=^```|^\.venv)", text, re.DOTALL | re.MULTILINE
        ):
            json_given = re.search(r"--params\s+'(\{.*?\})'", given, re.DOTALL)
            yield name, set(json.loads(json_given[1]) if json_given else re.findall(r"--param (\w+)=", given))
        for name, listed in re.findall(r"^\| `(\w+/\w+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE):
            yield name, set(re.findall(r"`(\w+)`", listed))


def test_every_deployment_that_a_page_starts_takes_what_it_is_given() -> None:
    """The JSON of the command is read as the shell would hand it over."""
    found = list(started())
    assert {name for name, given in found if given} >= {"retrain/retrain", "check/check", "rollback/rollback"}
    assert [(name, given) for name, given in found if not given <= parameters(name)] == []


WHOLE: dict[type[BaseModel], str] = {
    Policy: "policies/crash_triage.yaml",
    ModelSpec: "examples/crash_triage/model.yaml",
    Roster: "policies/roster.yaml",
    Routes: "policies/notifications.yaml",
}


def keyed(text: str) -> dict[str, Any]:
    """Part of a file as a page shows it; a list is one of rules."""
    part = yaml.safe_load(text.replace("AAAA...", "A" * 44))
    if isinstance(part, dict):
        return part
    return (
        {"monitoring": {"minimum_rows": 1, "minimum_labels": 1, "rules": part}}
        if "response" in part[0]
        else {"rules": part}
    )


PARTS_OF_FILES = [
    pytest.param(part, id=f"{page.name}: {', '.join(map(str, part))}")
    for page, part in ((page, keyed(text)) for page, text in blocks("yaml"))
    if not YAML_FOR_OTHER_PROGRAMS & part.keys()
]


@pytest.mark.parametrize("part", PARTS_OF_FILES)
def test_yaml_on_a_page_is_accepted_where_it_belongs(part: dict[str, Any]) -> None:
    """Put into the example's own file it is parsed as strictly as any."""
    kind = next(kind for kind in WHOLE if part.keys() <= kind.model_fields.keys())
    whole = yaml.safe_load((ROOT / WHOLE[kind]).read_text())
    whole |= {key: whole[key] | value if key == "card" else value for key, value in part.items()}
    parse_yaml(yaml.safe_dump(whole), kind, where="page")


PYTHON = [pytest.param(text, id=page.name) for page, text in blocks("python")]


@pytest.mark.parametrize("text", PYTHON)
def test_python_on_a_page_imports_what_is_there(text: str) -> None:
    """And is Python."""
    tree = ast.parse(text.replace("  # -> scikit-learn estimator", " ..."))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and re.match(PARTS, node.module):
            source = ROOT / node.module.replace(".", "/")
            text = (source / "__init__.py" if source.is_dir() else source.with_suffix(".py")).read_text()
            assert [name.name for name in node.names if not re.search(rf"\b{name.name}\b", text)] == []
