"""``gatewright policy review``: changed policies and rosters, checked, compared and tried on past releases."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.backtest import described, from_store, stages_of
from gatewright.cli.governed import described_change
from gatewright.cli.output import Json, print_json
from gatewright.core.errors import NotFoundError, SpecError
from gatewright.core.policy import Policy
from gatewright.core.policy_review import FileReview, parse_governed, review_file
from gatewright.services.text_files import read_text

if TYPE_CHECKING:
    from gatewright.core.measured_release import MeasuredRelease

__all__ = ["review"]

PASS, ERROR, LOOK = 0, 1, 2
_YAML = (".yaml", ".yml")


def review(
    *files: Path,
    base: Annotated[str | None, Parameter(help="Compare with this commit or branch, as git knows it.")] = None,
    policies: Annotated[Path, Parameter(help="Where policies and rosters are.")] = Path("policies"),
    evidence: Annotated[
        tuple[Path, ...],
        Parameter(name="--evidence", negative="", help="Measurements of past releases; one file a model."),
    ] = (),
    store: Annotated[bool, Parameter(negative="", help="Read past releases from the store.")] = False,
    out: Annotated[Path | None, Parameter(help="Write the comment into this file as well.")] = None,
    exit_zero: Annotated[
        bool, Parameter(negative="", help="Exit code 0 also where something loosens or flips.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check, compare and backtest every changed policy and roster, and print one Markdown comment.

    Exit code 2 when something loosens, or a past release would be decided otherwise or cannot be told of; 1 for a file
    that is not valid.

    Example: gatewright policy review --base main --evidence crash_triage-evidence.json

    Parameters
    ----------
    files
        An old and a new file, instead of --base.
    """
    texts = _two(files) if base is None else _since(base, policies, files)
    reviews = _reviewed(texts, evidence, store=store)
    _show(reviews, out, as_json=as_json)
    if any(one.problem for one in reviews):
        return ERROR
    noticed = any(one.loosens or one.flips or one.undecided for one in reviews)
    return LOOK if noticed and not exit_zero else PASS


_Texts = Mapping[str, tuple[str | None, str | None]]


def _two(files: Sequence[Path]) -> _Texts:
    if len(files) != 2:
        raise SpecError("it is not known what to compare.", where="command line", remedy="give --base REF, or OLD NEW.")
    old, new = files
    return {str(new): (read_text(old), read_text(new))}


def _since(base: str, policies: Path, files: Sequence[Path]) -> _Texts:
    from gatewright.services.git_files import GitFiles

    if files:
        raise SpecError("--base compares all that changed.", where="command line", remedy="leave the files out.")
    git = GitFiles(Path.cwd(), base)
    changed = [path for path in git.changed(str(policies.absolute())) if path.endswith(_YAML)]
    now = {path: git.now(path) for path in changed}
    return {path: (git.before(path), read_text(file) if file else None) for path, file in now.items()}


def _reviewed(texts: _Texts, evidence: Sequence[Path], *, store: bool) -> list[FileReview]:
    from gatewright.services.measured_releases import read_measured

    known: dict[str, Sequence[MeasuredRelease]] = {}
    known |= {found.model: found.releases for found in map(read_measured, evidence)}
    if store:
        known |= _from_store(texts)
    return [review_file(path, old, new, known) for path, (old, new) in texts.items()]


def _from_store(texts: _Texts) -> "dict[str, Sequence[MeasuredRelease]]":
    found: dict[str, Sequence[MeasuredRelease]] = {}
    for policies in _policies(texts):
        model = policies[-1].model
        try:
            found[model] = from_store(model, stages_of(*policies)).releases
        except NotFoundError:
            continue  # a new model has no past
    return found


def _policies(texts: _Texts) -> Iterator[list[Policy]]:
    for path, both in texts.items():
        found = []
        for text in both:
            try:
                document = None if text is None else parse_governed(text, where=path)
            except SpecError:
                continue  # the review itself says so
            if isinstance(document, Policy):
                found.append(document)
        if found:
            yield found


def _show(reviews: Sequence[FileReview], out: Path | None, *, as_json: bool) -> None:
    from gatewright.services.reports.policy_review import comment, review_verdict

    text = comment(reviews)
    if out is not None:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            problem = f"cannot be written: {error.strerror}."
            raise SpecError(problem, where=str(out), remedy="name a file in a directory that is there.") from None
    if as_json:
        word, sentence = review_verdict(reviews)
        print_json({"verdict": word, "summary": sentence, "files": [_file(one) for one in reviews]})
    else:
        print(text, end="")


def _file(one: FileReview) -> dict[str, Any]:
    problem = one.problem
    new = one.new
    tried = described(one.backtest, new.model) if one.backtest and isinstance(new, Policy) else None
    return {
        "file": one.path,
        "ok": problem is None,
        "problem": problem and {"problem": problem.problem, "where": problem.where, "remedy": problem.remedy},
        "loosens": one.loosens,
        "changes": [described_change(change) for change in one.changes],
        "backtest": tried,
        "notes": list(one.notes),
    }
