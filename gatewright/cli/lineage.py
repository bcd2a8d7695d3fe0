"""``gatewright lineage``: from a model back to the exact bytes of its data and code."""

from dataclasses import dataclass
from typing import Any

from rich.text import Text
from rich.tree import Tree

from gatewright.cli.find import ReleaseName, read_release
from gatewright.cli.output import Json, Page, print_json
from gatewright.core.errors import NotFoundError
from gatewright.core.refs import Candidate, DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import when

__all__ = ["lineage"]


@dataclass(frozen=True)
class Branch:
    """One thing that a model was made from: what it is, its digest, and what it was made from in turn."""

    what: str
    sha256: str | None = None
    sources: tuple["Branch", ...] = ()

    def lines(self) -> list[str]:
        """The branch and all below it, one line each."""
        lines = [plain(self.what) if self.sha256 is None else f"{plain(self.what)}  sha256:{self.sha256}"]
        for source in self.sources:
            knee, below = ("`-- ", "    ") if source is self.sources[-1] else ("|-- ", "|   ")
            first, *rest = source.lines()
            lines += [knee + first, *(below + line for line in rest)]
        return lines

    def tree(self) -> dict[str, Any]:
        """The same as nested dictionaries."""
        return {"what": self.what, "sha256": self.sha256, "sources": [source.tree() for source in self.sources]}

    def drawn(self) -> Tree:
        """The same for a terminal, each SHA-256 on a line of its own so that it is not broken."""
        words = Text(plain(self.what))
        if self.sha256 is not None:
            words.append(f"\n{self.sha256}", style="dim")
        tree = Tree(words, guide_style="dim")
        for source in self.sources:
            tree.children.append(source.drawn())
        return tree


def lineage(release: ReleaseName, /, *, as_json: Json = False) -> int:
    """Print the tree from a model to the exact bytes of data and code it was made from.

    Example: gatewright lineage crash_triage-2001-1
    """
    tree = _model(read_release(release)[1])
    if as_json:
        print_json(tree.tree())
    elif (console := Page().console).is_terminal:
        console.print(tree.drawn())
    else:
        print("\n".join(tree.lines()))
    return 0


def _model(view: ReleaseView) -> Branch:
    candidate = view.candidate
    if candidate is None or view.data is None:
        raise NotFoundError(
            "the release has no model yet.",
            where=f"release {view.opening.release_id}",
            remedy="wait until its training has ended, or see in Prefect why it did not.",
        )
    champion = view.opening.champion
    measured_against = (
        () if champion is None else (Branch(f"champion, release {champion.release_id}", champion.model_sha256),)
    )
    return Branch(
        f"model {candidate.model}, {candidate.artifact.size:,} bytes",
        candidate.artifact.sha256,
        (
            _training(candidate),
            Branch(
                f"release {view.opening.release_id}, {view.state.value}, opened by {view.opening.requested_by}",
                None if view.decision is None else view.evidence_root,
                (
                    _dataset("evaluated on", view.data.evaluation),
                    *measured_against,
                    Branch("model spec", view.opening.spec.sha256),
                    Branch(f"policy, version {view.policy.version}", view.opening.policy.sha256),
                    Branch("roster", view.opening.roster.sha256),
                ),
            ),
        ),
    )


def _training(candidate: Candidate) -> Branch:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(candidate.versions.items()))
    return Branch(
        f"trained {when(candidate.trained_at)} by {candidate.author}, seed {candidate.seed}",
        None,
        (
            _dataset("trained on", candidate.training),
            Branch(f"code revision {candidate.code_revision}"),
            Branch(f"environment: {versions}", candidate.environment_sha256),
            Branch(f"features: {', '.join(candidate.features)}"),
        ),
    )


def _dataset(use: str, dataset: DatasetRef) -> Branch:
    files = tuple(Branch(f"{f.uri}, period {f.period}, {f.rows:,} rows", f.artifact.sha256) for f in dataset.files)
    return Branch(f"{use} {dataset.name}, {dataset.rows:,} rows", dataset.digest, files)
