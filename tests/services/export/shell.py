"""Run what a bundle says as an auditor would: with the few programs they have, and no Python among them."""

import hashlib
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from gatewright.services.audit import AuditedStore
from gatewright.services.export import collect, write
from tests.services.audit_world import AuditWorld

__all__ = ["TOOLS", "Page", "bundle", "digest", "run_step", "shell"]

TOOLS = (
    "sh", "sha256sum", "ssh-keygen", "sed", "awk", "grep", "find", "sort", "cut", "tr", "cat", "diff", "expr", "printf",
)  # fmt: skip
_BLOCK = re.compile(r"```(sh|text)\n(.*?)\n```", re.DOTALL)


class Page(NamedTuple):
    """The blocks of a VERIFY.md: the functions, and for each step its commands and what they print."""

    functions: str
    steps: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, folder: Path) -> "Page":
        text = (folder / "VERIFY.md").read_text()
        titles = re.findall(r"^## \d+\. (.*)$", text, re.MULTILINE)
        first, *rest = [body for _, body in _BLOCK.findall(text)]
        return cls(first, dict(zip(titles, zip(rest[::2], rest[1::2], strict=True), strict=True)))

    def step(self, title: str) -> tuple[str, str]:
        return next(step for name, step in self.steps.items() if name.startswith(title))


def bundle(world: AuditWorld, release: str, to: Path, **more: bool) -> Path:
    services = world.process()
    store = AuditedStore.over(world.store, services.blobs, services.signatures)
    write(collect(store, release, "production", checkpoints=world.checkpoints, **more), to)
    return to


def shell(tools: Path, folder: Path, *arguments: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(tools / "sh"), *arguments],
        cwd=folder,
        env={"PATH": str(tools), "HOME": str(folder), "LANG": "C.UTF-8"},
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_step(tools: Path, folder: Path, title: str) -> subprocess.CompletedProcess[str]:
    """The commands of one step as the page has them, after its functions."""
    page = Page.of(folder)
    return shell(tools, folder, script=f"{page.functions}\n{page.step(title)[0]}\n")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
