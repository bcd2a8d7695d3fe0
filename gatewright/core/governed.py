"""Policies and the roster are changed only by those whom they name: a chain of versions, each signed by its owners.

A version is signed by a quorum of the owners that the version before it names; where that one names none, of those it
names itself; where neither does, by nobody. `verify_chain` proves every step, not only the last: a weak link early on
would let anybody become an owner. It leaves to others that the chain is whole at its end and stored unchanged.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, JsonValue, ValidationError

from gatewright.core.approval import CLOCK_SKEW, MINIMUM_REASON
from gatewright.core.assurance import Assurance
from gatewright.core.change_control import ChangeControl
from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.policy import Policy
from gatewright.core.records import Name, Record, Sha256, Timestamp, canonical_json, sha256_hex
from gatewright.core.roster import Roster
from gatewright.core.signatures import CHANGE, SignatureVerifier
from gatewright.core.tokens import parse_token

__all__ = [
    "CHANGE_KIND",
    "ROSTER_NAME",
    "Authority",
    "ChangeStatement",
    "Document",
    "DocumentKind",
    "GovernedVersion",
    "RosterOf",
    "authority",
    "label",
    "prove",
    "roster_for",
    "statement_for",
    "unsigned_version",
    "verify_chain",
    "verify_step",
]

DocumentKind = Literal["policy", "roster"]
Document = Policy | Roster
CHANGE_KIND: Literal["governed-change"] = "governed-change"
ROSTER_NAME = "roster"
# The roster of this digest, if it was in force at this time (give or take `CLOCK_SKEW`); raises IntegrityError.
RosterOf = Callable[[str, datetime], Roster]


class ChangeStatement(Record):
    """What an owner signs: exactly this document, as this version, after that one (None: the first)."""

    kind: Literal["governed-change"]
    document: DocumentKind
    name: Name
    version: int
    document_sha256: Sha256
    previous_sha256: Sha256 | None
    principal: Name
    reason: str
    issued: Timestamp


class GovernedVersion(Record):
    """One version in full, with the tokens of those who signed it.

    ``document_sha256`` is of the canonical JSON of ``document``, ``roster_sha256`` of the roster under which signers
    were looked up (None: nobody signed). ``loosens`` are the sentences of the diff that signers were shown.
    """

    kind: DocumentKind
    name: Name
    version: Annotated[int, Field(ge=1)]
    document: dict[str, JsonValue]
    document_sha256: Sha256
    signatures: tuple[str, ...] = ()
    roster_sha256: Sha256 | None = None
    actor: str
    assurance: Assurance
    at: Timestamp
    loosens: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The place of this version, for messages."""
        return f"{label(self.kind, self.name)} version {self.version}"

    @property
    def changed_by(self) -> ChangeControl | None:
        """Who signs the next version. Raises IntegrityError when the document does not say it clearly."""
        # Only this part is read: a policy of years ago must be provable by software that has other rules.
        said = self.document.get("changed_by")
        try:
            return None if said is None else ChangeControl.model_validate(said)
        except ValidationError as error:
            raise _broken(self, "its `changed_by` cannot be read") from error

    @property
    def statements(self) -> tuple[ChangeStatement, ...]:
        """What was signed. Raises ApprovalError for a token that is no statement; proves nothing else."""
        return tuple(parse_token(token).read(ChangeStatement) for token in self.signatures)

    def read(self) -> Document:
        """The document as a policy or roster. Raises IntegrityError when it is none."""
        kind: type[Document] = Policy if self.kind == "policy" else Roster
        return kind.from_bytes(canonical_json(self.document), where=self.where)

    def read_roster(self) -> Roster:
        """The document, which must be a roster. Raises IntegrityError."""
        found = self.read()
        if not isinstance(found, Roster):
            raise _broken(self, "it is no roster")
        return found


def label(kind: DocumentKind, name: str) -> str:
    """What people call the document: there is one roster, and one policy a model."""
    return kind if kind == "roster" else f"{kind} {name}"


class Authority(NamedTuple):
    """Who must sign a version, and the version that says so."""

    control: ChangeControl
    named_by: GovernedVersion


def unsigned_version(kind: DocumentKind, name: str, document: Document, *, actor: str, at: datetime) -> GovernedVersion:
    """The version of a document, before anybody signed it."""
    return GovernedVersion(
        kind=kind,
        name=name,
        version=document.version,
        document=document.model_dump(mode="json"),
        document_sha256=document.digest,
        actor=actor,
        assurance="declared",
        at=at,
    )


def authority(previous: GovernedVersion | None, version: GovernedVersion) -> Authority | None:
    """Who must sign ``version``; None when no owners are named."""
    for said in (previous, version):
        if said is not None and said.changed_by is not None:
            return Authority(said.changed_by, said)
    return None


def statement_for(
    previous: GovernedVersion | None, version: GovernedVersion, *, principal: str, reason: str, issued: datetime
) -> ChangeStatement:
    """What ``principal`` signs to put ``version`` in the place of ``previous``."""
    return ChangeStatement(
        kind=CHANGE_KIND,
        document=version.kind,
        name=version.name,
        version=version.version,
        document_sha256=version.document_sha256,
        previous_sha256=None if previous is None else previous.document_sha256,
        principal=principal,
        reason=reason,
        issued=issued,
    )


def prove(
    token: str,
    previous: GovernedVersion | None,
    version: GovernedVersion,
    roster: Roster,
    signatures: SignatureVerifier,
) -> ChangeStatement:
    """What the token says, when an owner says it of exactly this change, as of ``version.at``.

    Raises ApprovalError for a token that says something else, or that no owner has signed who is active in
    ``roster`` with a key that counts.
    """
    parsed = parse_token(token)
    said = parsed.read(ChangeStatement)
    wanted = statement_for(previous, version, principal=said.principal, reason=said.reason, issued=said.issued)
    if said != wanted:
        raise _refused("it was signed for another change")
    earliest = said.issued if previous is None else previous.at - CLOCK_SKEW
    if not earliest <= said.issued <= version.at + CLOCK_SKEW:
        raise _refused("it was signed before the version in force, or in the future")
    if len(said.reason.strip()) < MINIMUM_REASON:
        raise _refused(f"its reason has fewer than {MINIMUM_REASON} characters")
    keys = _keys_of_owner(said.principal, previous, version, roster)
    if signatures.signer(parsed.body, parsed.signature, namespace=CHANGE, keys=keys) is None:
        raise _refused(f"it is not signed by a key of {said.principal} that the roster names and nobody has revoked")
    return said


def roster_for(power: Authority, version: GovernedVersion, roster_of: RosterOf) -> Roster:
    """The roster under which the signers of ``version`` are looked up. Raises IntegrityError for any other.

    A roster is its own witness: the keys are those of the version that names the owners.
    """
    if version.roster_sha256 is None:
        raise _broken(version, "it is not signed")
    if version.kind == "policy":
        return roster_of(version.roster_sha256, version.at)
    if version.roster_sha256 != power.named_by.document_sha256:
        raise _broken(version, "its signers were looked up in another roster than the one that names the owners")
    return power.named_by.read_roster()


def verify_chain(versions: Iterable[GovernedVersion], roster_of: RosterOf, signatures: SignatureVerifier) -> None:
    """Prove every step from the first version on. Raises IntegrityError at the first that does not hold.

    ``roster_of`` finds the roster under which a policy's signers were looked up.
    """
    previous = None
    for version in versions:
        verify_step(previous, version, roster_of, signatures)
        previous = version


def verify_step(
    previous: GovernedVersion | None, version: GovernedVersion, roster_of: RosterOf, signatures: SignatureVerifier
) -> None:
    """Prove that ``version`` may follow ``previous``, itself proven, or be the first (None). Raises IntegrityError."""
    _verify_document(version)
    _verify_order(previous, version)
    power = authority(previous, version)
    if power is None:
        if version.signatures or version.roster_sha256 or version.assurance != "declared":
            raise _broken(version, "it claims signatures where no owners are named")
        return
    roster = roster_for(power, version, roster_of)
    try:
        signers = [prove(token, previous, version, roster, signatures).principal for token in version.signatures]
    except ApprovalError as error:
        raise _broken(version, f"a signature does not hold: {error.problem.rstrip('.')}") from error
    if len(set(signers)) != len(signers):
        raise _broken(version, "one owner has signed twice")
    if len(signers) < power.control.quorum:
        raise _broken(version, f"{len(signers)} of {power.control.quorum} owners have signed it")
    if version.assurance != "signed" or version.actor not in signers:
        raise _broken(version, "it does not say who signed it")


def _verify_document(version: GovernedVersion) -> None:
    try:
        body = canonical_json(version.document)
    except ValueError as error:  # a number that canonical JSON does not have
        raise _broken(version, "the document has no canonical form") from error
    if sha256_hex(body) != version.document_sha256:
        raise _broken(version, "its digest is of another document")
    name = version.document.get("model") if version.kind == "policy" else ROSTER_NAME
    if (version.document.get("version"), name) != (version.version, version.name):
        raise _broken(version, "the document says another version or name")


def _verify_order(previous: GovernedVersion | None, version: GovernedVersion) -> None:
    if previous is None:
        return
    if (version.kind, version.name) != (previous.kind, previous.name):
        raise _broken(version, f"it follows {previous.where}")
    if version.version != previous.version + 1:
        raise _broken(version, f"it follows version {previous.version}")
    if not version.at >= previous.at - CLOCK_SKEW:
        raise _broken(version, "it is older than the version before it")


def _keys_of_owner(
    principal: str, previous: GovernedVersion | None, version: GovernedVersion, roster: Roster
) -> tuple[str, ...]:
    power = authority(previous, version)
    if power is None or principal not in power.control.owners:
        raise _refused(f"{principal} is not an owner named by the version in force")
    person = roster.find(principal)
    if person is None or not person.active(version.at.date()):
        raise _refused(f"{principal} is not active in the roster")
    return person.keys_at(version.at)


def _refused(problem: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="change", remedy="sign it again, as an owner of the version in force.")


def _broken(version: GovernedVersion, problem: str) -> IntegrityError:
    return IntegrityError(
        f"the chain of changes does not hold: {problem}.",
        where=version.where,
        remedy="stop and investigate; nothing may be released under a document whose changes cannot be proven.",
    )
