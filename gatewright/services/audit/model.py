"""The steps of an audit that are about a model as a whole."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property, partial

from gatewright.core.audit import Finding, UnprovenError, must_be_legal, overall
from gatewright.core.channels import ChannelEntry, standing
from gatewright.core.checkpoints import must_agree
from gatewright.core.errors import IntegrityError, NotFoundError
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.ledger import LedgerEntry
from gatewright.services.audit.kept import Checkpoints
from gatewright.services.audit.rollbacks import rollbacks
from gatewright.services.audit.store import AuditedStore, counted, step
from gatewright.services.channel_seals import TrustedSeals
from gatewright.services.checkpoints import CheckpointReader
from gatewright.services.targets.base import Target

__all__ = ["ModelAudit"]


class ModelAudit:
    """Ledger, channel, seals, checkpoints and governed documents of one model."""

    def __init__(self, store: AuditedStore, model: str, channel: str, checkpoints: Checkpoints) -> None:
        self.store = store
        self.model = model
        self.channel = channel
        self._checkpoints = checkpoints
        self.where = f"channel {model}/{channel}"
        self._logs = {
            f"ledger/{model}": partial(store.ledger.digests, model),
            f"channels/{model}/{channel}": partial(store.channels.digests, model, channel),
            f"governance/policy/{model}": partial(store.governance.digests, "policy", model),
            f"governance/roster/{ROSTER_NAME}": partial(store.governance.digests, "roster", ROSTER_NAME),
        }

    def findings(self) -> list[Finding]:
        """Every step, whatever came of the one before."""
        self.store.records.read_ahead(
            f"ledger/{self.model}/",
            f"channels/{self.model}/{self.channel}/",
            f"rollbacks/{self.model}/{self.channel}/",
            f"governance/policy/{self.model}/",
            f"governance/roster/{ROSTER_NAME}/",
        )
        return [
            step("ledger chain", f"ledger {self.model}", self._ledger),
            step("channel chain", self.where, self._chain),
            step("channel moves", self.where, self._legal),
            step("channel seals", self.where, self._sealed),
            step("rollbacks", self.where, partial(rollbacks, self)),
            step("roster chain", "roster", partial(self._governed, "roster", ROSTER_NAME)),
            step("policy chain", f"policy {self.model}", partial(self._governed, "policy", self.model)),
            *(step("checkpoint", f"chain {log}", partial(self._checkpoint, log)) for log in self._logs),
        ]

    @cached_property
    def entries(self) -> list[LedgerEntry]:
        """The ledger. Raises IntegrityError, StoreError."""
        return self.store.ledger.entries(self.model)

    @cached_property
    def moves(self) -> list[ChannelEntry]:
        """The channel's history. Raises IntegrityError, StoreError."""
        return [move for _, move in self.store.channels.history(self.model, self.channel)]

    def deployed(self) -> list[str]:
        """The releases that were ever confirmed, the first one first; none when the channel cannot be read.

        The channel's own step says so then.
        """
        try:
            confirmed = [move.release_id for move in self.moves if move.action == "confirm"]
        except (IntegrityError, NotFoundError):
            return []
        return list(dict.fromkeys(confirmed))

    def serving(self, found: Sequence[Finding], target: Target | None) -> Finding:
        """Whether what serves was approved, by all that was found; what ``target`` says itself, where one is given."""
        return step("serving", self.where, partial(self._serving, found, target))

    def _ledger(self) -> str:
        length, head = self.store.ledger.head(self.model)
        if not length:
            raise NotFoundError("there is no ledger.", where=f"ledger {self.model}", remedy="name another model.")
        last = f"{head[:12]} of {_day(self.entries[-1].at)}"
        return f"{counted(length, 'entry')}, each names the one before; the last is {last}"

    def _chain(self) -> str:
        return f"{counted(len(self.moves), 'move')}, each names the one before"

    def _legal(self) -> str:
        must_be_legal(self.moves, self.entries, where=self.where)
        return f"each was made by a release or a rollback; confirmed: {counted(len(self.deployed()), 'release')}"

    def _sealed(self) -> str:
        pipeline = self.store.pipeline
        seals = TrustedSeals(self.store.signatures, pipeline.at)
        for index, move in enumerate(self.moves):
            where = f"{self.where} generation {index + 1}"
            if move.seal is None and not pipeline.named(move.at):
                raise UnprovenError(
                    "it has no seal, and the roster named no pipeline then.",
                    where=where,
                    remedy="give the pipeline a key, and name it in the roster.",
                )
            before = self.moves[index - 1] if index else None
            seals.require(move, before, model=self.model, channel=self.channel, n=index + 1, where=where)
        return f"{counted(len(self.moves), 'move')} sealed by the pipeline's key of their time"

    def _governed(self, kind: DocumentKind, name: str) -> str:
        versions = self.store.governance.history(kind, name)
        if not versions:
            raise UnprovenError(
                "no version was ever put in force.",
                where=f"{kind} {name}",
                remedy=f"sign the first: `gatewright {kind} sign`.",
            )
        last = versions[-1]
        signed = sum(version.entry.assurance == "signed" for version in versions)
        said = f"{counted(len(versions), 'version')}, {signed} signed by owners"
        return f"{said}; version {last.version} since {_day(last.at)}"

    def _checkpoint(self, log: str) -> str:
        """The chain continues every checkpoint of it: its end was not cut off, and it was not written anew."""
        checkpoints = self._checkpoints.of(log, CheckpointReader(self.store.signatures, self.store.pipeline.at))
        digests = self._logs[log]()
        held = must_agree(checkpoints, digests)
        return f"{counted(len(checkpoints), 'checkpoint')}, up to entry {held} of {len(digests)}"

    def _serving(self, found: Sequence[Finding], target: Target | None) -> str:
        stands = standing(self.moves)
        serves = stands.model_sha256 if stands else None
        if target is not None and target.serving() != serves:
            raise IntegrityError(
                f"the target serves {target.serving()}, the channel says {serves}.",
                where=self.where,
                remedy="find out what the target loaded, and from where.",
            )
        if stands is None or serves is None:
            return "nothing serves"
        if self.moves[-1] is not stands:
            raise UnprovenError(
                f"the move to {self.moves[-1].release_id} is neither confirmed nor put back.",
                where=self.where,
                remedy="let its run go on, or `gatewright abandon` it.",
            )
        # What is about another release, such as a blob of it that is gone, is no fact about what serves.
        ours = [one for one in found if one.subject == f"release {stands.release_id}" or one.subject == self.where]
        self._require_proven(ours, stands.release_id)
        told = "; the target says so too" if target else ""
        return f"release {stands.release_id}, model {serves[:12]}, since {_day(stands.at)}, as it was approved{told}"

    def _require_proven(self, found: Sequence[Finding], release_id: str) -> None:
        status = overall(found)
        missing = ", ".join(one.check for one in found if one.status != "ok")
        remedy = "see these steps."
        if status == "broken":
            raise IntegrityError(f"what serves is not proven: {missing}.", where=f"release {release_id}", remedy=remedy)
        if status == "unproven":
            raise UnprovenError(f"these steps could not be done: {missing}.", where=self.where, remedy=remedy)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
