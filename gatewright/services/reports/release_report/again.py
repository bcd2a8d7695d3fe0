"""What it was made with, what was not measured, how to make it again, and how to take it back."""

import json
import shlex
from collections.abc import Callable, Iterator

from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import STAGES, Opening
from gatewright.services.reports.blocks import (
    Block,
    Cell,
    Commands,
    Folded,
    Heading,
    Section,
    Table,
    Text,
    digest,
    mono,
)
from gatewright.services.reports.signoff import rollback_command
from gatewright.services.reports.wording import label, when

__all__ = ["environment", "not_measured", "reproduce"]

DIRTY = "+dirty"


def not_measured(view: ReleaseView) -> Section:
    """Every stage that has not run, and every measurement without a value, with the reason."""
    stages = [(name, "stage", "it has not run") for name in STAGES if name not in view.stages]
    rows = [*stages, *_without_value(view, lambda stage: stage != "slices")]
    of_slices = _without_value(view, lambda stage: stage == "slices")
    header = ("What", "Where", "Why")
    blocks: list[Block] = [Table("What was not measured, and why", header, rows)] if rows else []
    if of_slices:
        blocks.append(Folded(Table("Metrics of slices without a value", header, of_slices)))
    return Section("missing", "What was not measured", blocks or [Text("Everything that was asked for was measured.")])


def _without_value(view: ReleaseView, wanted: Callable[[str], bool]) -> list[tuple[str, ...]]:
    return [
        (label(m.metric), f"{stage}, {m.slice}", m.note or "no reason was kept")
        for stage, m in view.measurements()
        if m.value is None and wanted(stage)
    ]


def environment(view: ReleaseView) -> Section:
    """Code, lock file, seed and libraries."""
    candidate, opening = view.candidate, view.opening
    made: list[tuple[str, Cell]] = [
        ("Code revision", mono(opening.code_revision)),
        ("Lock file, SHA-256", digest(opening.environment_sha256)),
        ("Training", mono(view.spec.training)),
        ("Run", opening.flow_run),
    ]
    if candidate is not None:
        made += [
            ("Seed", str(candidate.seed)),
            ("Trained", when(candidate.trained_at)),
            ("Author", candidate.author),
            ("Features", ", ".join(candidate.features)),
        ]
    blocks: list[Block] = [Table("What the model was made with", ("What", "Value"), made)]
    if candidate is not None and candidate.versions:
        blocks.append(Table("Libraries", ("Library", "Version"), sorted(candidate.versions.items())))
    return Section("environment", "Environment", blocks)


def reproduce(view: ReleaseView) -> Section:
    """The commands that verify, make again, train again and take back, as they are typed."""
    return Section("reproduce", "How to reproduce it", list(_commands(view)))


def _commands(view: ReleaseView) -> Iterator[Block]:
    release, opening = view.opening.release_id, view.opening
    yield Commands(
        "Prove it from the store: chains, signatures, decision, approvals.", [f"gatewright verify {release}"]
    )
    yield Commands(
        "Take all that proves it away, and prove it offline with sha256sum and ssh-keygen alone.",
        [f"gatewright export {release} --to {release} --with-blobs", f"cd {release} && sh verify.sh"],
    )
    yield Commands("Make this report again and compare it byte for byte.", [f"gatewright documents {release} --check"])
    revision = opening.code_revision.removesuffix(DIRTY)
    yield Commands(
        "Train and judge again on the same code and the same libraries; the result is a new release.",
        [
            f"git checkout {revision}",
            "pip install --require-hashes -r requirements.lock",
            f"prefect deployment run retrain/retrain --param model={opening.model} --param {_period(opening)}",
        ],
    )
    if opening.code_revision.endswith(DIRTY):
        yield Text("The code held changes that were not committed: they are not in the revision.")
    yield from _back(view)


def _period(opening: Opening) -> str:
    # Prefect reads a parameter as JSON, where 2000 is a number.
    return shlex.quote(f"period={json.dumps(opening.period)}")


def _back(view: ReleaseView) -> Iterator[Block]:
    yield Heading("How to take it back")
    champion = view.opening.champion
    if champion is None:
        yield Text("No model served before it, so there is none to go back to.")
        return
    command = rollback_command(view.opening.model, champion.release_id)
    yield Commands(f"This puts {champion.release_id} back, the champion when it opened.", command.splitlines())
