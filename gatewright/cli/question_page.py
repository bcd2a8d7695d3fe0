"""What somebody reads in a terminal before they sign: the verdict first, the digests last."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatewright.cli.output import time_left
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.core.statements import Request
from gatewright.services.open_question import OpenQuestion
from gatewright.services.reports.charts import key_metrics
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import OUTCOME_WORDS, label, number, signed, span, when

__all__ = ["print_question", "question_facts"]

_STYLES = {"promote": "bold green", "review": "bold yellow", "block": "bold red"}


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
    """Verdict, reasons, candidate against champion, who must approve, the window that is left, and the digests."""
    view, request = question.view, question.request
    console = Console(highlight=False, soft_wrap=True)
    outcome = "review" if view.decision is None else view.decision.outcome
    title = Text(OUTCOME_WORDS[outcome], style=_STYLES[outcome])
    console.print(title.append(f"  {request.release_id}: {plain(view.spec.title)}, {plain(view.opening.period)}"))
    for reason in view.decision.reasons if view.decision else ():
        console.print(Text(f"  - {plain(reason)}"))
    console.print()
    console.print(_comparison_table(view))
    console.print()
    for name, value in _terms(view, request, now).items():
        console.print(Text(f"{name:<14}", style="bold").append(value))
    console.print(Text("\nYour signature binds these digests:", style="bold"))
    for name, digest in _digests(request).items():
        console.print(Text(f"  {name:<22}{digest or 'none serves'}"))


def _terms(view: ReleaseView, request: Request, now: datetime) -> dict[str, str]:
    tier = request.tier
    people = "1 person" if tier.approvals == 1 else f"{tier.approvals} different people"
    asked = f"{people} with the role {' or '.join(tier.roles)}, {tier.assurance} (tier {tier.name}, {tier.risk} risk)"
    because = view.decision.tier_because if view.decision else ()
    answers = "; ".join(f"{a.decision} by {a.principal} ({a.assurance})" for a in view.approvals)
    return {
        "asked": asked + (f" because of {plain('; '.join(because))}" if because else ""),
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
    return [
        {"metric": metric, "candidate": _number(ours), "change": None if change is None else _number(change)}
        for metric, ours, change in _compared(view)
    ]


def _compared(view: ReleaseView) -> Iterator[tuple[str, Measurement, Measurement | None]]:
    """Each key metric that was measured, with its change."""
    for metric in key_metrics(view):
        ours = view.find("evaluate", metric)
        if ours is not None:
            yield metric, ours, view.find("evaluate", f"{metric}_change")


def _number(found: Measurement) -> dict[str, Any]:
    return found.model_dump(mode="json", include={"value", "interval", "n"})


def _comparison_table(view: ReleaseView) -> Table:
    table = Table("metric", box=None, pad_edge=False)
    for heading in ("candidate", "interval", "change", "interval"):
        table.add_column(heading, no_wrap=True)
    for metric, ours, change in _compared(view):
        moved = ("-", "-") if change is None else (signed(change.value), span(change.interval))
        table.add_row(label(metric), number(ours.value), span(ours.interval), *moved)
    return table
