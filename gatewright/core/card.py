"""What only people know of a model: the ``card:`` of ``model.yaml``, and which of it nobody has written.

The headings come from those who ask: Mitchell et al., Model Cards for Model Reporting (FAT* 2019); the responsible-AI
vocabulary of Croissant (MLCommons, RAI 1.0); Annex IV of Regulation (EU) 2024/1689.
"""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from gatewright.core.records import Record

__all__ = ["AnnexIV", "Card", "is_said", "unsaid"]

# A page shows no more of one text; what is longer belongs into a document that the text names.
LONGEST = 2000
Text = Annotated[str, StringConstraints(min_length=1)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Items = Annotated[tuple[Said, ...], Field(max_length=50)]
_PLACEHOLDER = re.compile(r"\W*(todo|tbd|tba|tbc|fixme|xxx)\b", re.IGNORECASE)


class AnnexIV(Record):
    """What Annex IV asks and no evidence can tell; only for a system that is placed on the market of the EU.

    ``provider``: name and address, point 1(a). ``interactions``: with other hardware, software and AI systems, 1(b).
    ``distribution``: the forms in which it is sold or put into service, 1(d). ``hardware``: what it runs on, 1(e).
    ``product``: photographs and marking of what it is part of, or that it is part of nothing, 1(f).
    ``user_interface``: what the deployer sees, 1(g). ``design_choices``: choices, assumptions and trade-offs with their
    reasons, 2(b). ``architecture``: how the parts work together, 2(c). ``compute``: resources used to develop and test
    it, 2(c). ``planned_changes``: changes determined in advance, 2(f). ``cybersecurity``: measures around it, 2(h).
    ``risks``: to health, safety and fundamental rights, 3. ``risk_management``: the system of Article 9, 5.
    ``standards``: those applied, or what was done instead, 7. ``declaration``: where the EU declaration of conformity
    is, 8. ``monitoring_plan``: the plan of Article 72(3), 9.
    """

    provider: Said | None = None
    interactions: Said | None = None
    distribution: Said | None = None
    hardware: Said | None = None
    product: Said | None = None
    user_interface: Said | None = None
    design_choices: Said | None = None
    architecture: Said | None = None
    compute: Said | None = None
    planned_changes: Said | None = None
    cybersecurity: Said | None = None
    risks: Items = ()
    risk_management: Said | None = None
    standards: Items = ()
    declaration: Said | None = None
    monitoring_plan: Said | None = None


class Card(Record):
    """What only people know about a model and its data. What is left out is a gap, and is measured as one.

    ``owner``: who owns it. ``intended_use``: what it is for. ``out_of_scope``: what it is not for. ``limits``: what it
    cannot do. ``ethical_considerations``: whom it may harm, and what is done about it. ``contact``: who answers
    questions. ``intended_users``: who uses its answers. ``foreseeable_misuse``: what people will do with it although
    it is not for that. ``human_oversight``: who may overrule an answer, and how. ``instructions``: how the answers are
    used. ``data_collection``: how rows were got and chosen. ``data_labelling``: who labelled them, and how.
    ``data_preparation``: what was cleaned or imputed. ``data_biases``: who or what is in the data too often, too
    rarely, or wrongly. ``data_uses``: what the data may be used for. ``data_personal``: what they hold about people,
    and how that is protected. ``data_maintenance``: who corrects them, and how. ``annex_iv``: only for the EU AI Act.
    """

    owner: Text
    intended_use: Text
    out_of_scope: Text
    limits: Text
    ethical_considerations: Text
    contact: Said | None = None
    intended_users: Items = ()
    foreseeable_misuse: Items = ()
    human_oversight: Said | None = None
    instructions: Said | None = None
    data_collection: Said | None = None
    data_labelling: Said | None = None
    data_preparation: Said | None = None
    data_biases: Items = ()
    data_uses: Items = ()
    data_personal: Said | None = None
    data_maintenance: Said | None = None
    annex_iv: AnnexIV = AnnexIV()


def is_said(value: str | tuple[str, ...] | None) -> bool:
    """Whether a field holds words; one that only says that they are to come (``TODO``, ``TBD``) does not."""
    texts = (value,) if isinstance(value, str) else value or ()
    return bool(texts) and not any(_PLACEHOLDER.match(text) or not text.strip() for text in texts)


def unsaid(record: Card | AnnexIV) -> tuple[str, ...]:
    """Names of the fields of ``record`` itself that nobody has filled, in their order."""
    return tuple(name for name, value in _fields(record) if not is_said(value))


def _fields(record: Card | AnnexIV) -> Iterator[tuple[str, str | tuple[str, ...] | None]]:
    return ((name, value) for name, value in record if not isinstance(value, AnnexIV))
