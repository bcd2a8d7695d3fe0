"""Two kinds of answers to what Annex IV asks: what people wrote, and what the evidence proves; or the gap, named."""

from collections.abc import Callable
from dataclasses import dataclass

from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.cards.said import said
from gatewright.services.reports.escape import code

__all__ = ["COMPLIANCE", "PROVIDER", "SCIENTIST", "Gap", "Part", "Proven", "Said"]

SCIENTIST, COMPLIANCE, PROVIDER = "data scientist", "compliance officer", "provider"


@dataclass(frozen=True)
class Gap:
    """What is missing, who must see to it, and where; in Markdown."""

    asks: str
    who: str
    where: str


@dataclass(frozen=True)
class Said:
    """Something that only people know: ``field`` of the card, which ``who`` must write."""

    asks: str
    field: str
    who: str

    def answer(self, view: ReleaseView) -> str:
        return said(view.spec.card, self.field)

    def source(self, view: ReleaseView) -> str:
        return f"Written by people: {code(f'card.{self.field}')}, spec {code(view.opening.spec.sha256)}."

    def gap(self) -> Gap:
        return Gap(self.asks, self.who, code(f"card.{self.field}"))


@dataclass(frozen=True)
class Proven:
    """Something that the evidence tells: ``show`` gives Markdown, or nothing where it was not measured.

    ``by`` is a stage, or a word for what else is pinned in the ledger: ``policy``, ``spec``, ``ledger``. ``who`` and
    ``where`` say who closes the gap, and with what.
    """

    asks: str
    by: str
    show: Callable[[ReleaseView], str]
    who: str = "nobody: it is measured"
    where: str = ""

    def answer(self, view: ReleaseView) -> str:
        return self.show(view)

    def source(self, view: ReleaseView) -> str:
        pinned = {"policy": view.opening.policy, "spec": view.opening.spec}.get(self.by)
        if pinned is not None:
            return f"From the {self.by} {code(pinned.sha256)}."
        if self.by == "ledger":
            return f"From the ledger of {code(view.opening.model)}, entries of {code(view.opening.release_id)}."
        evidence = view.stages.get(self.by)
        return f"From the stage {code(self.by)}" + ("." if evidence is None else f", evidence {code(evidence.digest)}.")

    def gap(self) -> Gap:
        return Gap(self.asks, self.who, self.where or f"{self.by}: run the release to its end")


Part = Said | Proven
