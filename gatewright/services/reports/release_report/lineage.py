"""Where the model came from and what it went through: a graph with short digests, and a table with full ones."""

from collections.abc import Sequence

from gatewright.core.refs import DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.blocks import Cell, Figure, Section, Table, charts, digest
from gatewright.services.reports.svg import INK, MUTED, PANEL, Drawing
from gatewright.services.reports.wording import short

__all__ = ["lineage"]

# In pixels: three columns of boxes, a row for each step of the release.
WIDTH, BOX_WIDTH, BOX_HEIGHT = 760, 212, 70
COLUMNS = (16, 274, 532)
TOP, STEP = 44, 100
LONGEST_LINE = 32
Place = tuple[int, int]


def lineage(view: ReleaseView) -> Section:
    """Data files, training, model, gates, evidence, request and channel."""
    says = "Each box names what it holds by the beginning of its digest; the table has all digits."
    return Section(
        "lineage", "Lineage", [Figure("Lineage of the release", says, charts([_graph(view)]), _digests(view))]
    )


def _graph(view: ReleaseView) -> str:
    boxes = _boxes(view)
    told = "; ".join(f"{title}: {', '.join(lines)}" for _, title, lines in boxes)
    draw = Drawing(WIDTH, TOP + STEP * 5 - 10, "Lineage: from data to the channel", told)
    draw.text(16, 26, "Lineage", size=14, bold=True)
    for (column, row), title, lines in boxes:
        _box(draw, COLUMNS[column], TOP + STEP * row, title, lines)
    _arrows(draw)
    return draw.render()


def _boxes(view: ReleaseView) -> list[tuple[Place, str, Sequence[str]]]:
    opening, champion = view.opening, view.opening.champion
    training, evaluation = (view.data.training, view.data.evaluation) if view.data else (None, None)
    passed = sum(r.status == "passed" for r in view.decision.results) if view.decision else 0
    gates = f"{len(view.stages)} stages" + (
        f", {passed} of {len(view.decision.results)} passed" if view.decision else ""
    )
    model = view.candidate.artifact if view.candidate else None
    return [
        ((0, 0), "Training data", _held(training)),
        (
            (1, 0),
            "Training",
            [f"code {opening.code_revision[:12]}", f"environment {short(opening.environment_sha256)}"],
        ),
        ((2, 0), "Model", [short(model.sha256), f"{model.size:,} bytes"] if model else ["not trained"]),
        ((0, 1), "Evaluation data", _held(evaluation)),
        ((2, 1), "Gates", [gates]),
        ((0, 2), "Champion", [short(champion.model_sha256), champion.release_id] if champion else ["none serves"]),
        ((2, 2), "Evidence", [f"root {short(view.evidence_root)}"] if view.evidence_root else ["not complete"]),
        ((0, 3), "Policy", [f"version {view.policy.version}", short(opening.policy.sha256)]),
        ((2, 3), "Request", _request(view)),
        ((0, 4), "People", [f"{len(view.approvals)} {'answer' if len(view.approvals) == 1 else 'answers'}"]),
        ((2, 4), "Channel", [_channel(view), view.state.value]),
    ]


def _held(dataset: DatasetRef | None) -> list[str]:
    if dataset is None:
        return ["not pinned"]
    count = len(dataset.files)
    files = f"{count} {'file' if count == 1 else 'files'}, {dataset.rows:,} rows"
    return [files, f"{short(dataset.files[0].artifact.sha256)}{' …' if count > 1 else ''}"]


def _request(view: ReleaseView) -> list[str]:
    if view.request is not None:
        return [f"tier {view.request.tier.name}", short(view.request.digest)]
    return ["nobody is asked"] if view.decision else ["not asked yet"]


def _channel(view: ReleaseView) -> str:
    return view.request.environment if view.request else "production"


def _box(draw: Drawing, x: float, y: float, title: str, lines: Sequence[str]) -> None:
    corners = [(x, y), (x + BOX_WIDTH, y), (x + BOX_WIDTH, y + BOX_HEIGHT), (x, y + BOX_HEIGHT)]
    draw.bar(x, y, BOX_WIDTH, BOX_HEIGHT, color=PANEL)
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        draw.line(start, end, color=MUTED)
    draw.text(x + 10, y + 20, title, bold=True)
    for k, line in enumerate(lines):
        words = line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
        draw.text(x + 10, y + 39 + 17 * k, words, color=MUTED)


def _arrows(draw: Drawing) -> None:
    middle = BOX_HEIGHT / 2
    rows = [TOP + STEP * row + middle for row in range(5)]
    _across(draw, COLUMNS[0] + BOX_WIDTH, COLUMNS[1], rows[0])
    _across(draw, COLUMNS[1] + BOX_WIDTH, COLUMNS[2], rows[0])
    for row in (1, 3, 4):
        _across(draw, COLUMNS[0] + BOX_WIDTH, COLUMNS[2], rows[row])
    turn = COLUMNS[1] + BOX_WIDTH / 2
    draw.line((COLUMNS[0] + BOX_WIDTH, rows[2]), (turn, rows[2]), color=INK, width=1.5)
    draw.line((turn, rows[2]), (turn, rows[1] + 18), color=INK, width=1.5)
    _across(draw, turn, COLUMNS[2], rows[1] + 18)
    for row in range(4):
        _down(draw, COLUMNS[2] + BOX_WIDTH / 2, rows[row] + middle, rows[row + 1] - middle)


def _across(draw: Drawing, start: float, end: float, y: float) -> None:
    draw.line((start, y), (end, y), color=INK, width=1.5)
    for side in (-5, 5):
        draw.line((end - 8, y + side), (end, y), color=INK, width=1.5)


def _down(draw: Drawing, x: float, start: float, end: float) -> None:
    draw.line((x, start), (x, end), color=INK, width=1.5)
    for side in (-5, 5):
        draw.line((x + side, end - 8), (x, end), color=INK, width=1.5)


def _digests(view: ReleaseView) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, digest(sha256)) for name, sha256 in _named(view)]
    return Table("All digests", ("What", "SHA-256"), rows)


def _named(view: ReleaseView) -> list[tuple[str, str | None]]:
    champion, opening = view.opening.champion, view.opening
    parts = [view.data.training, view.data.evaluation] if view.data else []
    return [
        *((f"{part.name}: {f.uri}", f.artifact.sha256) for part in parts for f in part.files),
        ("model spec", opening.spec.sha256),
        (f"policy, version {view.policy.version}", opening.policy.sha256),
        ("roster", opening.roster.sha256),
        ("environment (lock file)", opening.environment_sha256),
        ("model", view.candidate.artifact.sha256 if view.candidate else None),
        ("champion", champion.model_sha256 if champion else None),
        *((f"evidence of stage {name}", stage.digest) for name, stage in view.stages.items()),
        ("evidence root", view.evidence_root),
        ("request", view.request.digest if view.request else None),
    ]
