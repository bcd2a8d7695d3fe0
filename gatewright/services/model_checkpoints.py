"""Checkpoints of everything that must never lose its tail: a model's ledger, channel, policy, waivers, the roster."""

from dataclasses import dataclass

from gatewright.core.governed import ROSTER_NAME
from gatewright.services.channel_store import ChannelStore
from gatewright.services.checkpoints import CheckpointWriter
from gatewright.services.governance import Governance
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.waivers import Waivers

__all__ = ["ModelCheckpoints"]


@dataclass(frozen=True)
class ModelCheckpoints:
    """Signs for the chains of a model outside the store; does nothing without a ``writer``."""

    writer: CheckpointWriter | None
    ledger: LedgerStore
    channels: ChannelStore
    channel: str
    governance: Governance
    waivers: Waivers

    def write(self, model: str) -> None:
        """Sign for what the chains are now.

        Raises IntegrityError when one does not continue what was signed for before, StoreError, SigningError.
        """
        if self.writer is None:
            return
        self.writer.write(f"ledger/{model}", lambda: self.ledger.digests(model))
        self.writer.write(f"channels/{model}/{self.channel}", lambda: self.channels.digests(model, self.channel))
        self.writer.write(f"waivers/{model}", lambda: self.waivers.digests(model))
        self.writer.write(f"governance/policy/{model}", lambda: self.governance.digests("policy", model))
        self.writer.write(f"governance/roster/{ROSTER_NAME}", lambda: self.governance.digests("roster", ROSTER_NAME))
