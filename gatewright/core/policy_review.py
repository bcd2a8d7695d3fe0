"""What a reviewer wants to know of a changed policy or roster: is it valid, what loosens, which releases would flip."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewright.core.backtest import Backtest, backtest
from gatewright.core.document_diff import Change
from gatewright.core.errors import SpecError
from gatewright.core.measured_release import MeasuredRelease
from gatewright.core.policy import Policy, RuleSet, parse_rules
from gatewright.core.policy_diff import diff as policy_diff
from gatewright.core.roster import Roster
from gatewright.core.roster_diff import diff as roster_diff
from gatewright.core.routing import Routes, parse_routes
from gatewright.core.strict_yaml import parse_yaml

__all__ = ["Document", "FileReview", "parse_governed", "review_file"]

Document = Policy | RuleSet | Roster | Routes
_OF_A_ROSTER = re.compile(r"^people:", re.MULTILINE)
_OF_ROUTES = re.compile(r"^routes:", re.MULTILINE)


@dataclass(frozen=True)
class FileReview:
    """One file: ``old`` is None when it is new or was never valid, ``new`` when it is gone or not valid.

    ``problem`` says what is wrong with the new one; ``backtest`` is there for policies of which evidence is.
    """

    path: str
    old: Document | None
    new: Document | None
    problem: SpecError | None = None
    changes: tuple[Change, ...] = ()
    backtest: Backtest | None = None
    notes: tuple[str, ...] = ()
    removed: bool = False

    @property
    def loosened(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.loosened)

    @property
    def loosens(self) -> bool:
        """Whether more may come through than before; of a file that is gone, everything."""
        return self.removed or bool(self.loosened)

    @property
    def to_be_signed(self) -> bool:
        """Whether it is another version of what owners sign, and not only spelt otherwise."""
        return isinstance(self.new, Policy | Roster) and self.new != self.old

    @property
    def flips(self) -> int:
        return len(self.backtest.flips) if self.backtest else 0

    @property
    def undecided(self) -> int:
        """How many releases it cannot be told of."""
        return len(self.backtest.cannot_tell) if self.backtest else 0


def parse_governed(text: str, *, where: str) -> Document:
    """A roster, notification routes, a policy or a short rule set, by its keys. Raises SpecError as `parse_yaml`."""
    if _OF_A_ROSTER.search(text):
        return parse_yaml(text, Roster, where=where)
    if _OF_ROUTES.search(text):
        return parse_routes(text, where=where)
    return parse_rules(text, where=where)


def review_file(
    path: str, old: str | None, new: str | None, evidence: Mapping[str, Sequence[MeasuredRelease]]
) -> FileReview:
    """Compare two texts of one file, None where there is none; ``evidence``: past releases by the name of the model."""
    before, ill = _read(old, path)
    if new is None:
        return FileReview(
            path, before, None, notes=("The file is gone: nothing is held against it any more.",), removed=True
        )
    after, problem = _read(new, path)
    if after is None:
        return FileReview(path, before, None, problem)
    if isinstance(before, Policy) and isinstance(after, Policy):
        return _policies(path, before, after, evidence)
    if isinstance(before, Roster) and isinstance(after, Roster):
        return FileReview(path, before, after, changes=roster_diff(before, after), notes=_version(before, after))
    note = "The former version was not valid, so nothing can be compared." if ill else _alone(after)
    tried = _tried(after, None, evidence) if isinstance(after, Policy) else None
    return FileReview(path, before, after, backtest=tried, notes=(note,))


def _policies(
    path: str, before: Policy, after: Policy, evidence: Mapping[str, Sequence[MeasuredRelease]]
) -> FileReview:
    tried = _tried(after, before, evidence)
    notes = _version(before, after)
    if tried is None:
        notes += ("No measurements of past releases were given, so none was judged again.",)
    return FileReview(path, before, after, changes=policy_diff(before, after), backtest=tried, notes=notes)


def _tried(
    policy: Policy, against: Policy | None, evidence: Mapping[str, Sequence[MeasuredRelease]]
) -> Backtest | None:
    releases = evidence.get(policy.model)
    return None if releases is None else backtest(policy, releases, against=against)


def _read(text: str | None, path: str) -> tuple[Document | None, SpecError | None]:
    if text is None:
        return None, None
    try:
        return parse_governed(text, where=path), None
    except SpecError as error:
        return None, error


def _version(before: Policy | Roster, after: Policy | Roster) -> tuple[str, ...]:
    if before == after or after.version == before.version + 1:
        return ()
    return (f"`version` is {after.version}; it must be {before.version + 1}, or nobody can sign it.",)


def _alone(after: Document) -> str:
    if isinstance(after, Policy | Roster):
        return f"This is a new file: version {after.version} has nothing to be compared with."
    return "It decides no release and nobody signs it, so nothing is compared."
