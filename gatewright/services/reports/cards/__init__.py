"""The cards of a release: documents for people and machines that were not there, each made of a ``ReleaseView`` alone.

``model_card`` and ``data_card`` are for readers; ``croissant`` (data, with the responsible-AI vocabulary) and ``mlbom``
(CycloneDX) say the same to machines; ``annex_iv`` is the technical documentation that the EU AI Act asks for. What only
people know comes from the ``card:`` of ``model.yaml``; where they have said nothing, each document says so.
"""

from gatewright.services.reports.cards.annex_iv import annex_iv
from gatewright.services.reports.cards.croissant import croissant
from gatewright.services.reports.cards.data_card import data_card
from gatewright.services.reports.cards.front_matter import card_body
from gatewright.services.reports.cards.mlbom import mlbom
from gatewright.services.reports.cards.model_card import model_card

__all__ = ["annex_iv", "card_body", "croissant", "data_card", "mlbom", "model_card"]
