"""Policies and the roster in the store: one chain of versions each under ``governance/<kind>/<name>``.

What a file on disk says counts only where nobody is named who must sign; otherwise the version in force counts.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from gatewright.core.approval import CLOCK_SKEW
from gatewright.core.errors import ApprovalError, ConflictError, IntegrityError, SpecError, StoreError
from gatewright.core.governed import (
    ROSTER_NAME,
    Document,
    DocumentKind,
    GovernedVersion,
    authority,
    prove,
    roster_for,
    statement_for,
    unsigned_version,
    verify_step,
)
from gatewright.core.in_force import InForce
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.core.signatures import CHANGE, SignatureVerifier, Signer
from gatewright.core.tokens import token_of
from gatewright.services.generations import GenerationLog
from gatewright.services.proposals import Proposals
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["Governance", "InForce", "Signing"]

_ROOT = "governance"
_TRIES = 50


class Signing(NamedTuple):
    """Who has signed a document, how many more must, and the version in force once it is that document."""

    signers: tuple[str, ...]
    missing: int
    in_force: InForce | None


class Governance:
    """Reads, proves and continues the chains of versions. What one object has proven it does not prove again."""

    def __init__(self, store: ObjectStore, signatures: SignatureVerifier, now: Callable[[], datetime]) -> None:
        self._store = store
        self._signatures = signatures
        self._now = now
        self._proposals = Proposals(store, signatures)
        self._logs: dict[tuple[DocumentKind, str], GenerationLog] = {}
        self._proven: dict[tuple[DocumentKind, str], tuple[InForce, ...]] = {}

    def in_force(self, kind: DocumentKind, name: str) -> InForce | None:
        """The version in force, None when there never was one. Raises IntegrityError, StoreError."""
        found = self.history(kind, name)
        return found[-1] if found else None

    def as_of(self, kind: DocumentKind, name: str, at: datetime) -> InForce | None:
        """The version that was in force at ``at``, None before the first. Raises IntegrityError, StoreError."""
        return next((version for version in reversed(self.history(kind, name)) if version.at <= at), None)

    def history(self, kind: DocumentKind, name: str) -> tuple[InForce, ...]:
        """All versions, the first one first. Raises IntegrityError at the first step that does not hold."""
        log = self._log(kind, name)
        proven = self._proven.get((kind, name), ())
        for generation in log.all()[len(proven) :]:
            entry = generation.record(GovernedVersion, where=log.key(generation.n))
            if (entry.kind, entry.name) != (kind, name):
                raise IntegrityError(
                    f"this is {entry.where}.", where=log.key(generation.n), remedy="find out who put it there."
                )
            verify_step(_prior(proven[-1] if proven else None), entry, self._roster_of, self._signatures)
            proven = (*proven, InForce(generation.n, entry))
        self._proven[kind, name] = proven
        return proven

    def digests(self, kind: DocumentKind, name: str) -> list[str]:
        """SHA-256 of each generation, the chain proven. Raises IntegrityError, StoreError."""
        self.history(kind, name)
        return self._log(kind, name).digests()

    def adopt(self, kind: DocumentKind, name: str, document: Document, actor: str) -> InForce:
        """The version in force, which becomes ``document`` where nobody is named who must sign it.

        Where the version in force names owners it stays, whatever ``document`` says. Raises SpecError when the content
        changed without the next version number, ApprovalError when owners named for the first time have not signed.
        """
        for _ in range(_TRIES):
            current = self.in_force(kind, name)
            if current is not None and (current.owned or current.holds(document)):
                return current
            entry = self._draft(kind, name, current, document, actor)
            if entry.changed_by is not None:
                raise _unsigned(entry)
            try:
                return self._append(current, entry)
            except ConflictError:
                time.sleep(random.uniform(0, 0.02))
        raise StoreError("others always wrote first.", where=self._log(kind, name).key(1), remedy="find out who.")

    def progress(self, kind: DocumentKind, name: str, document: Document) -> Signing:
        """Who has signed ``document`` as the next version. Raises SpecError, ApprovalError as `sign`."""
        current = self.in_force(kind, name)
        if current is not None and current.holds(document):
            return _done(current)
        draft = self._draft(kind, name, current, document, actor="")
        return _progress(current, draft, self._tokens(current, draft))

    def sign(
        self, kind: DocumentKind, name: str, document: Document, signer: Signer, principal: str, reason: str
    ) -> Signing:
        """Sign ``document`` as the next version; it comes into force when the quorum is there.

        To sign again changes nothing, but completes what a crash left undone. Raises ApprovalError when ``principal``
        is not an owner whose key this is, SpecError when the version is not the next one, ConflictError when another
        document became that version first.
        """
        current = self.in_force(kind, name)
        if current is not None and current.holds(document):
            return _done(current)
        draft = self._draft(kind, name, current, document, actor=principal)
        if principal not in self._tokens(current, draft):
            self._proposals.add(draft, principal, self._token(current, draft, signer, reason))
        tokens = self._tokens(current, draft)
        done = _progress(current, draft, tokens)
        return done if done.missing else self._enact(current, draft, tokens)

    def _token(self, current: InForce | None, draft: GovernedVersion, signer: Signer, reason: str) -> str:
        said = statement_for(_prior(current), draft, principal=draft.actor, reason=reason.strip(), issued=draft.at)
        token = token_of(said.to_bytes(), signer.sign(said.to_bytes(), namespace=CHANGE))
        prove(token, _prior(current), draft, self._roster(current, draft), self._signatures)
        return token

    def _tokens(self, current: InForce | None, draft: GovernedVersion) -> dict[str, str]:
        return self._proposals.proven(_prior(current), draft, self._roster(current, draft))

    def _enact(self, current: InForce | None, draft: GovernedVersion, tokens: dict[str, str]) -> Signing:
        update = {"signatures": tuple(tokens.values()), "assurance": "signed"}
        try:
            done = self._append(current, draft.model_copy(update=update))
        except ConflictError:
            found = self.in_force(draft.kind, draft.name)
            if found is None or found.sha256 != draft.document_sha256:
                raise
            done = found
        return _done(done)

    def _append(self, current: InForce | None, entry: GovernedVersion) -> InForce:
        # What could not be proven once it is written would end the chain for good.
        verify_step(_prior(current), entry, self._roster_of, self._signatures)
        log = self._log(entry.kind, entry.name)
        log.append(entry.model_dump(mode="json"), expected=current.n if current else 0)
        return self.history(entry.kind, entry.name)[current.n if current else 0]

    def _draft(
        self, kind: DocumentKind, name: str, current: InForce | None, document: Document, actor: str
    ) -> GovernedVersion:
        """``document`` as the version after ``current``, unsigned. Raises SpecError when it cannot be that."""
        draft = unsigned_version(kind, name, document, actor=actor, at=self._now())
        _require_next(current, draft, document)
        if current is not None:
            loosens = tuple(str(change) for change in current.changes_to(document) if change.loosened)
            draft = draft.model_copy(update={"loosens": loosens})
        power = authority(_prior(current), draft)
        if power is None:
            return draft
        witness = power.named_by.document_sha256 if kind == "roster" else self._roster_in_force(draft).sha256
        return draft.model_copy(update={"roster_sha256": witness})

    def _roster(self, current: InForce | None, draft: GovernedVersion) -> Roster:
        power = authority(_prior(current), draft)
        if power is None:
            raise _nobody(draft)
        return roster_for(power, draft, self._roster_of)

    def _roster_in_force(self, draft: GovernedVersion) -> InForce:
        found = self.in_force("roster", ROSTER_NAME)
        if found is None:
            raise ApprovalError(
                "no roster is in force yet, so nobody's key is known.",
                where=draft.where,
                remedy="put the roster in force first: `gatewright roster sign`, or start a release.",
            )
        return found

    def _roster_of(self, sha256: str, at: datetime) -> Roster:
        """The roster of this digest, if it was in force at ``at``."""
        versions = self.history("roster", ROSTER_NAME)
        ends = (*(later.at for later in versions[1:]), None)
        for version, end in zip(versions, ends, strict=True):
            begun = version.at <= at + CLOCK_SKEW
            if version.sha256 == sha256 and begun and (end is None or end >= at - CLOCK_SKEW):
                return version.roster
        raise IntegrityError(
            f"the roster {sha256[:12]} was not in force on {at.isoformat()}.",
            where=f"{_ROOT}/roster/{ROSTER_NAME}",
            remedy="stop and investigate who signed under a roster that did not count.",
        )

    def _log(self, kind: DocumentKind, name: str) -> GenerationLog:
        if (kind, name) not in self._logs:
            self._logs[kind, name] = GenerationLog(self._store, f"{_ROOT}/{kind}/{valid_name(name)}")
        return self._logs[kind, name]


def _prior(current: InForce | None) -> GovernedVersion | None:
    return None if current is None else current.entry


def _done(current: InForce) -> Signing:
    return Signing(tuple(said.principal for said in current.entry.statements), 0, current)


def _progress(current: InForce | None, draft: GovernedVersion, tokens: dict[str, str]) -> Signing:
    power = authority(_prior(current), draft)
    quorum = 0 if power is None else power.control.quorum
    return Signing(tuple(tokens), max(quorum - len(tokens), 0), None)


def _require_next(current: InForce | None, draft: GovernedVersion, document: Document) -> None:
    said = document.model if isinstance(document, Policy) else ROSTER_NAME
    if (draft.kind == "policy") != isinstance(document, Policy) or said != draft.name:
        raise SpecError(f"this is the {draft.kind} of `{said}`.", where=draft.where, remedy="name the right file.")
    if current is not None and draft.version != current.version + 1:
        raise SpecError(
            f"the file says version {draft.version}, and version {current.version} with other content is in force.",
            where=draft.where,
            remedy=f"write `version: {current.version + 1}` for a change, or put back what is in force.",
        )


def _unsigned(entry: GovernedVersion) -> ApprovalError:
    return ApprovalError(
        "it names owners who must sign it, and they have not.",
        where=entry.where,
        remedy=f"run `gatewright {entry.kind} sign FILE --as OWNER --key KEY --reason TEXT`.",
    )


def _nobody(draft: GovernedVersion) -> ApprovalError:
    return ApprovalError(
        "nobody is named who must sign it.",
        where=draft.where,
        remedy="nothing to do: without `changed_by` the file is the next version by itself.",
    )
