"""What Annex IV of Regulation (EU) 2024/1689 asks, point by point in our words, and where the answer comes from."""

from dataclasses import dataclass

from gatewright.services.reports.cards import annex_evidence as evidence
from gatewright.services.reports.cards.annex_parts import COMPLIANCE, PROVIDER, SCIENTIST, Part, Proven, Said

__all__ = ["POINTS", "Point"]


SEE_3 = "The tables are under point 3."
APPROVE = "<code>gatewright approve</code>"
ADVERSARIAL = "<code>adversarial</code>"


@dataclass(frozen=True)
class Point:
    """``number`` as in the Annex, ``1(a)``; ``section`` and ``title`` are paraphrases."""

    number: str
    title: str
    parts: tuple[Part, ...]
    section: str = ""


POINTS = (
    Point(
        "1(a)", "intended purpose, provider, version and its relation to earlier ones",
        (
            Said("intended purpose", "intended_use", SCIENTIST),
            Said("name of the provider", "annex_iv.provider", PROVIDER),
            Proven("version", "train", evidence.version),
        ),
        section="General description",
    ),
    Point(
        "1(b)", "other hardware, software and AI systems it interacts with",
        (Said("interactions", "annex_iv.interactions", SCIENTIST),),
    ),
    Point("1(c)", "versions of software, and what an update asks", (Proven("software", "train", evidence.software),)),
    Point(
        "1(d)", "forms in which it is placed on the market or put into service",
        (Said("forms of distribution", "annex_iv.distribution", PROVIDER),),
    ),
    Point("1(e)", "hardware it is to run on", (Said("hardware", "annex_iv.hardware", SCIENTIST),)),
    Point(
        "1(f)", "photographs and marking of the product it is part of, if it is part of one",
        (Said("product, or that there is none", "annex_iv.product", PROVIDER),),
    ),
    Point(
        "1(g)", "user interface given to the deployer",
        (Said("user interface", "annex_iv.user_interface", SCIENTIST),),
    ),
    Point("1(h)", "instructions for use", (Said("instructions", "instructions", SCIENTIST),)),
    Point(
        "2(a)", "methods and steps of development, tools of third parties",
        (Proven("development", "train", evidence.development),),
        section="Elements and development",
    ),
    Point(
        "2(b)", "design: logic, key choices, assumptions, trade-offs, expected output",
        (
            Proven("specification", "spec", evidence.design),
            Said("choices and their reasons", "annex_iv.design_choices", SCIENTIST),
        ),
    ),
    Point(
        "2(c)", "architecture and computing resources",
        (
            Said("architecture", "annex_iv.architecture", SCIENTIST),
            Said("computing resources", "annex_iv.compute", SCIENTIST),
            Proven("steps that ran", "ledger", evidence.stages),
        ),
    ),
    Point(
        "2(d)", "data: provenance, scope, characteristics, selection, labelling, cleaning",
        (
            Said("how the data were obtained and selected", "data_collection", SCIENTIST),
            Said("labelling", "data_labelling", SCIENTIST),
            Said("cleaning", "data_preparation", SCIENTIST),
            Proven("data sets", "ingest", evidence.data),
            Proven("validation of the data", "validate", evidence.validation),
        ),
    ),
    Point(
        "2(e)", "human oversight (Article 14), and what helps to read the outputs",
        (Said("human oversight", "human_oversight", SCIENTIST),),
    ),
    Point(
        "2(f)", "changes determined in advance",
        (Said("planned changes", "annex_iv.planned_changes", SCIENTIST),),
    ),
    Point(
        "2(g)", "validation and testing: data, metrics, discriminatory impacts, signed reports",
        (
            Proven("test results", "policy", evidence.tests),
            Proven("metrics", "evaluate", lambda view: evidence.accuracy(view) and SEE_3),
            Proven("impacts by group", "fairness", lambda view: evidence.accuracy_by_group(view) and SEE_3),
            Proven("who signed", "ledger", evidence.approvals, who="the roles of the tier", where=APPROVE),
        ),
    ),
    Point(
        "2(h)", "cybersecurity",
        (
            Proven("the model file", "spec", evidence.file_safety),
            Proven("attacks tried", "robustness", evidence.attacks, who=SCIENTIST, where=ADVERSARIAL),
            Said("measures around it", "annex_iv.cybersecurity", COMPLIANCE),
        ),
    ),
    Point(
        "3", "capabilities and limits, accuracy by group, risks, oversight, input data",
        (
            Said("limits", "limits", SCIENTIST),
            Said("out of scope", "out_of_scope", SCIENTIST),
            Proven("overall accuracy", "evaluate", evidence.accuracy),
            Proven("accuracy by group", "fairness", evidence.accuracy_by_group),
            Said("foreseeable misuse", "foreseeable_misuse", COMPLIANCE),
            Said("risks to health, safety and fundamental rights", "annex_iv.risks", COMPLIANCE),
            Said("biases of the data", "data_biases", SCIENTIST),
            Said("human oversight", "human_oversight", SCIENTIST),
            Proven("input data", "lineage", evidence.inputs),
        ),
        section="Monitoring, functioning and control",
    ),
    Point(
        "4", "why the metrics are right for the system",
        (Proven("rules with their reasons", "policy", evidence.metric_reasons),),
        section="Performance metrics",
    ),
    Point(
        "5", "risk management system (Article 9)",
        (
            Said("risk management", "annex_iv.risk_management", COMPLIANCE),
            Proven("controls of this release", "policy", evidence.risk_controls),
        ),
        section="Risk management",
    ),
    Point(
        "6", "relevant changes through the lifecycle",
        (Proven("events", "ledger", evidence.changes),),
        section="Changes",
    ),
    Point(
        "7", "harmonised standards applied, or what was done instead",
        (Said("standards", "annex_iv.standards", COMPLIANCE),),
        section="Standards",
    ),
    Point(
        "8", "copy of the EU declaration of conformity (Article 47)",
        (Said("declaration", "annex_iv.declaration", PROVIDER),),
        section="Declaration of conformity",
    ),
    Point(
        "9", "post-market monitoring, with its plan (Article 72)",
        (
            Proven("what production is held against", "policy", evidence.monitoring),
            Said("monitoring plan", "annex_iv.monitoring_plan", COMPLIANCE),
        ),
        section="Post-market monitoring",
    ),
)  # fmt: skip
