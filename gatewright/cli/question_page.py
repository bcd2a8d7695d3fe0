"""What somebody reads in a terminal before they sign: the verdict first, the digests last."""

from datetime import datetime
from typing import Any

from rich.text import Text

from gatewright.cli.output import Page, time_left
from gatewright.cli.verdict_page import print_comparison, print_objections, print_verdict
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.core.statements import Request
from gatewright.services.open_question import OpenQuestion
from gatewright.services.reports.charts import key_metrics
from gatewright.services.reports.wording import people, when

__all__ = ["print_question", "question_facts"]

_LABEL, _DIGEST = 8, 22


def question_facts(question: OpenQuestion, now: datetime) -> dict[str, Any]:
    """The same as `print_question`, for machines."""
    view, request = question.view, question.request
    decision = view.decision
    return {
        "release": request.release_id,
        "model": request.model,
        "environment": request.environment,
        "outcome": None if decision is None else decision.outcome,
        "reasons": [] if decision is None else list(decision.reasons),
        "comparison": _comparison(view),
        "tier": request.tier.model_dump(mode="json"),
        "author": request.author,
        "answers": [approval.model_dump(mode="json", exclude={"proof"}) for approval in view.approvals],
        "expires_at": request.expires_at.isoformat(),
        "seconds_left": max(0, int((request.expires_at - now).total_seconds())),
        "digests": _digests(request),
    }


def print_question(question: OpenQuestion, now: datetime) -> None:
    """The page of `gatewright show`, then who must approve, the window that is left, and the digests."""
    view, request, page = question.view, question.request, Page()
    print_verdict(page, view)
    print_objections(page, view)
    print_comparison(page, view)
    page.heading("What is asked")
    for name, value in _terms(view, request, now).items():
        page.line(value, indent=2, label=name, label_width=_LABEL)
    page.heading("Your signature binds these digests")
    for name, digest in _digests(request).items():
        page.drawn(Text(f"  {name:<{_DIGEST}}{digest or 'none serves'}"))


def _terms(view: ReleaseView, request: Request, now: datetime) -> dict[str, str]:
    tier = request.tier
    who = f"{people(tier.approvals)} with the role {' or '.join(tier.roles)}"
    asked = f"{who}, {tier.assurance} (tier {tier.name}, {tier.risk} risk)"
    because = view.decision.tier_because if view.decision else ()
    answers = "; ".join(f"{a.decision} by {a.principal} ({a.assurance})" for a in view.approvals)
    return {
        "asked": asked + (f" because of {'; '.join(because)}" if because else ""),
        "answered": answers or "nobody yet",
        "author": f"{request.author}, who cannot approve it",
        "window": f"until {when(request.expires_at)}, {time_left(request.expires_at - now)}",
    }


def _digests(request: Request) -> dict[str, str | None]:
    return {
        "evidence": request.evidence_root,
        "candidate model": request.model_sha256,
        "champion model": request.champion_sha256,
        f"policy, version {request.policy_version}": request.policy_sha256,
        f"roster, version {request.roster_version}": request.roster_sha256,
        f"ledger, {request.ledger_entries} entries": request.ledger_head,
        "request": request.digest,
    }


def _comparison(view: ReleaseView) -> list[dict[str, Any]]:
    """Each key metric that was measured, with its change."""
    measured = [(metric, view.find("evaluate", metric)) for metric in key_metrics(view)]
    return [
        {"metric": metric, "candidate": _number(ours), "change": _number(view.find("evaluate", f"{metric}_change"))}
        for metric, ours in measured
        if ours is not None
    ]


def _number(found: Measurement | None) -> dict[str, Any] | None:
    return None if found is None else found.model_dump(mode="json", include={"value", "interval", "n"})
