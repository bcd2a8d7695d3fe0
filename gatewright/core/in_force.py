"""A version of a policy or roster whose whole chain was proven."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gatewright.core import policy_diff, roster_diff
from gatewright.core.document_diff import DOCUMENT, Change
from gatewright.core.errors import IntegrityError
from gatewright.core.governed import Document, GovernedVersion
from gatewright.core.policy import Policy
from gatewright.core.records import canonical_json
from gatewright.core.roster import Roster

__all__ = ["InForce"]

_UNREADABLE = Change(
    where=DOCUMENT,
    field=DOCUMENT,
    sentence="this software cannot read the version in force",
    direction="changes",
    in_doubt=True,
)


@dataclass(frozen=True)
class InForce:
    """A version that came into force, the whole chain up to it proven. ``n`` is the number of its generation."""

    n: int
    entry: GovernedVersion

    @property
    def version(self) -> int:
        return self.entry.version

    @property
    def sha256(self) -> str:
        """Of `body`."""
        return self.entry.document_sha256

    @property
    def at(self) -> datetime:
        """When it came into force."""
        return self.entry.at

    @property
    def owned(self) -> bool:
        """Whether the next version must be signed by owners whom this one names."""
        return self.entry.changed_by is not None

    @property
    def body(self) -> bytes:
        """The document's canonical JSON, as it was signed."""
        return canonical_json(self.entry.document)

    @cached_property
    def document(self) -> Document:
        """Raises IntegrityError when this software cannot read the document any more."""
        return self.entry.read()

    @property
    def policy(self) -> Policy:
        """The document. Raises TypeError when it is a roster."""
        if not isinstance(self.document, Policy):
            raise TypeError(f"{self.entry.where} is no policy")
        return self.document

    @property
    def roster(self) -> Roster:
        """The document. Raises TypeError when it is a policy."""
        if not isinstance(self.document, Roster):
            raise TypeError(f"{self.entry.where} is no roster")
        return self.document

    def holds(self, document: Document) -> bool:
        """Whether it is this document, in the words of this software or byte for byte."""
        try:
            return self.sha256 == document.digest or self.document == document
        except IntegrityError:
            return False

    def changes_to(self, document: Document) -> tuple[Change, ...]:
        """What changes when ``document`` comes next. Raises TypeError when it is of another kind."""
        try:
            if isinstance(document, Policy):
                return policy_diff.diff(self.policy, document)
            return roster_diff.diff(self.roster, document)
        except IntegrityError:
            # Or a stricter software could never leave a version behind that an earlier one took.
            return (_UNREADABLE,)
