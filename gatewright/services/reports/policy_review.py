"""One Markdown comment on changed policies and rosters, for a pull request: the verdict first, all text escaped."""

from collections.abc import Iterable, Iterator, Sequence

from gatewright.core.backtest import Backtest, Rejudged
from gatewright.core.document_diff import Change
from gatewright.core.policy import Policy
from gatewright.core.policy_review import FileReview
from gatewright.core.roster import Roster
from gatewright.services.reports.backtest_words import UNKNOWN, caveats, reasons, summary, verdict, weightiest_first
from gatewright.services.reports.escape import code, md, plain
from gatewright.services.reports.tables import bullets, folded, page, table
from gatewright.services.reports.wording import OUTCOME_WORDS

__all__ = ["MARKER", "comment", "review_verdict"]

# By it the comment is found again, and replaced.
MARKER = "<!-- gatewright-policy-review -->"
MOST_BYTES = 60_000
MOST_CHARACTERS = 400
MOST_ROWS = 500
# Rows of a table, and files; fewer are shown until the comment fits.
_ROWS = (100, 50, 25, 12, 6, 3, 1)
_OPEN_ROWS = 8


def comment(reviews: Sequence[FileReview]) -> str:
    """Under 60 kB of Markdown; what does not fit is counted."""
    texts = (_comment(reviews, rows) for rows in _ROWS if rows * min(len(reviews), rows) <= MOST_ROWS or rows == 1)
    return next(text for text in texts if len(text.encode()) < MOST_BYTES)


def review_verdict(reviews: Sequence[FileReview]) -> tuple[str, str]:
    """ERROR, BLOCK, HOLD or PASS, and one sentence."""
    broken = sum(one.problem is not None for one in reviews)
    if broken:
        return "ERROR", f"{_many(broken, 'file')} cannot be used as written."
    blocked = sum(len(one.backtest.newly_blocked) for one in reviews if one.backtest)
    flips, unknown = sum(one.flips for one in reviews), sum(one.undecided for one in reviews)
    said = [
        f"{_many(sum(len(one.loosened) for one in reviews), 'change')} may let more through"
        if _loosens(reviews)
        else "",
        f"{_many(blocked, 'release')} that serve or were let through would be blocked" if blocked else "",
        f"{_many(flips, 'past release')} would be decided otherwise" if flips and not blocked else "",
        f"of {_many(unknown, 'past release')} it cannot be told" if unknown else "",
    ]
    sentence = "; ".join(part for part in said if part)
    if not sentence:
        return "PASS", "Nothing loosens, and no past release that was judged again would be decided otherwise."
    return "BLOCK" if blocked else "HOLD", f"{sentence[0].upper()}{sentence[1:]}."


def _loosens(reviews: Sequence[FileReview]) -> bool:
    return any(one.loosens for one in reviews)


def _comment(reviews: Sequence[FileReview], rows: int) -> str:
    word, sentence = review_verdict(reviews)
    left = len(reviews) - rows
    return page(
        MARKER,
        f"## Policy review: {word}",
        f"**{md(sentence)}** {_next(word, reviews)}".rstrip(),
        *(_file(one, rows) for one in reviews[:rows]),
        f"And {_many(left, 'more file')}." if left > 0 else "",
        "No file below the policies' folder changed." if not reviews else "",
    )


def _next(word: str, reviews: Sequence[FileReview]) -> str:
    if word == "PASS" and not any(one.to_be_signed for one in reviews):
        return ""
    return {
        "ERROR": "Next: correct what is named below.",
        "BLOCK": "Next: decide whether what serves may stay; change the limits, or replace it before anybody signs.",
        "HOLD": "Next: the owners read the changes below, and sign only if each is meant.",
        "PASS": "Next: the owners sign it; until then the former version is in force.",
    }[word]


def _file(one: FileReview, rows: int) -> str:
    return page(
        f"### {code(one.path)}{_versions(one)}",
        f"**{md(_cut(one.problem))}**" if one.problem else "",
        bullets(md(_cut(note)) for note in one.notes),
        _changes(one, rows),
        *_backtested(one.backtest, rows),
    ).rstrip()


def _versions(one: FileReview) -> str:
    found = [str(d.version) if isinstance(d, Policy | Roster) else "" for d in (one.old, one.new)]
    named = [version for version in found if version]
    return f" · version {' → '.join(dict.fromkeys(named))}" if named else ""


def _changes(one: FileReview, rows: int) -> str:
    if not one.changes:
        return "" if one.problem or one.removed or one.old is None else "Nothing changes."
    ordered = sorted(one.changes, key=lambda c: not c.loosened)
    lines = _limited([(_way(c), md(_cut(c))) for c in ordered], rows)
    tally = f"{len(one.loosened)} of {_many(len(one.changes), 'change')} may let more through"
    return _maybe_folded(tally, table(("way", "what"), lines), len(lines))


def _way(change: Change) -> str:
    return "**loosens?**" if change.in_doubt else f"**{change.direction}**" if change.loosened else change.direction


def _backtested(found: Backtest | None, rows: int) -> Iterator[str]:
    if found is None:
        return
    yield f"**Past releases: {verdict(found)}.** {md(summary(found))}"
    yield bullets(md(sentence) for sentence in caveats(found))
    parts = (
        ("would be decided otherwise", found.flips),
        ("cannot be told", found.cannot_tell),
        ("would be asked of other people", found.asks_others),
    )
    for title, ones in parts:
        if ones:
            lines = _limited([_row(one) for one in weightiest_first(ones)], rows, width=4)
            header = ("release", "was", "would be", "why")
            yield _maybe_folded(f"{_many(len(ones), 'release')} {title}", table(header, lines), len(lines))


def _row(one: Rejudged) -> tuple[str, ...]:
    before, after = (OUTCOME_WORDS[end] if end else UNKNOWN for end in (one.before, one.after))
    name = code(one.release.release_id) + (" **serves**" if one.release.serves else "")
    said = list(reasons(one))
    more = [f"and {len(said) - 3} more"] if len(said) > 3 else []
    return name, before, f"**{after}**", "<br>".join(md(_cut(text)) for text in (*said[:3], *more))


def _limited(lines: Iterable[tuple[str, ...]], rows: int, *, width: int = 2) -> list[tuple[str, ...]]:
    found = list(lines)
    left = len(found) - rows
    return found if left <= 0 else [*found[:rows], (f"and {left} more", *[""] * (width - 1))]


def _maybe_folded(title: str, body: str, lines: int) -> str:
    return f"{title}:\n\n{body}" if lines <= _OPEN_ROWS else folded(title, body)


def _cut(text: object) -> str:
    line = plain(text)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
