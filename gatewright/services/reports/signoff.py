"""Who must approve, what the approval binds, how to answer the form and how to take a release back."""

from gatewright.core.assurance import Assurance
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.statements import Request, missing_approvals
from gatewright.core.tiers import Tier
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import NOTHING, people, short, when

__all__ = [
    "KNOWN_BY",
    "approvals",
    "decided_on",
    "digests",
    "form_fields",
    "next_step",
    "rollback_command",
    "rollback_line",
    "still_needed",
    "take_back",
    "who_approves",
]

# What the name of somebody who answers is known by, in two words.
KNOWN_BY: dict[Assurance, str] = {
    "declared": "typed name",
    "gateway": "gateway login",
    "signed": "SSH signature",
}
# How far the name of somebody who answered is proven.
PROVEN: dict[Assurance, str] = {
    "declared": "declared: typed into the form, not verified",
    "gateway": "gateway: logged in, and stamped by the identity gateway",
    "signed": "signed: by the person's own SSH key, over exactly this evidence",
}


def still_needed(view: ReleaseView) -> str:
    """In two or three lines: who must approve until when, what is needed still, and what is given."""
    if view.decision is not None and view.decision.outcome == "block":
        return "**Nobody is asked: a blocked release cannot be approved.**"
    if view.request is None:
        return "**Nobody is asked yet.**" if view.decision is None else "**Nobody has to approve it.**"
    return " ".join(part for part in (_emergency(view), _open(view, view.request), _given(view)) if part)


def next_step(view: ReleaseView) -> str:
    """What to do now, and by which command; empty when nothing is left to do."""
    if view.decision is not None and view.decision.outcome == "block":
        return f"**Next:** {_command('explain', view)} names the next step of each rule."
    if view.request is None or _ended(view):
        return ""
    if not missing_approvals(view.approvals, view.request):
        return f"**Next:** nothing to do; {_command('watch', view)} shows how far it is."
    answer = f"{_command('approve', view)} or {_command('reject', view)}"
    if view.request.tier.assurance == "signed":
        return f"**Next:** {answer}, which sign with your key."
    return f"**Next:** Resume in the menu of this run, or {answer}."


def _open(view: ReleaseView, request: Request) -> str:
    ended = _ended(view)
    if ended:
        return f"**{ended}.**"
    needed = missing_approvals(view.approvals, request)
    if not needed:
        return "**All approvals are given.**"
    roles = " or ".join(md(role) for role in request.tier.roles)
    more = f"{needed} more {'approval' if needed == 1 else 'approvals'} needed until {when(request.expires_at)}"
    return f"**{more}** from {roles} ({KNOWN_BY[request.tier.assurance]})."


def _ended(view: ReleaseView) -> str:
    """How it ended, or is about to: who rejected ends it before the ledger says so."""
    rejected = any(a.decision == "reject" for a in view.approvals)
    if view.state is ReleaseState.DEPLOYED and not view.approvals:
        return "It was deployed without an approval"
    return _ENDED.get(ReleaseState.REJECTED if rejected else view.state, "")


def _answered(view: ReleaseView) -> bool:
    """Whether nobody can answer any more: after a broken glass people still have to."""
    owed = view.request is not None and missing_approvals(view.approvals, view.request) > 0
    return bool(_ended(view)) and not (owed and _emergency(view))


def _emergency(view: ReleaseView) -> str:
    """Who broke the glass, when and why; empty when nobody did."""
    broken = (event for event in view.events if event.kind == "break_glass")
    return " ".join(f"**{md(e.actor)} broke the glass** {when(e.at)}, {md(e.note)}." for e in broken)


_ENDED = {
    ReleaseState.DEPLOYED: "It was approved and deployed",
    ReleaseState.REJECTED: "It was rejected: the champion stays",
    ReleaseState.EXPIRED: "Nobody answered in time: the champion stays",
    ReleaseState.FAILED: "It failed and is not deployed: the champion stays",
}


def _given(view: ReleaseView) -> str:
    if not view.approvals:
        return "Given: none." if view.state is ReleaseState.WAITING else ""
    return "Given: " + "; ".join(
        f"**{a.decision}** by {md(a.principal)} ({a.assurance}), {when(a.at)}" for a in view.approvals
    )


def _command(name: str, view: ReleaseView) -> str:
    return code(f"gatewright {name} {view.opening.release_id}")


def who_approves(view: ReleaseView) -> str:
    """Tier, roles, number of people, until the release ends also how and until when; then who has answered."""
    if view.decision is None or view.decision.outcome == "block":
        return page("## Who must approve", "Nobody is asked.").rstrip()
    heading = "## Who had to approve" if _answered(view) else "## Who must approve"
    return page(heading, _asked(view), approvals(view)).rstrip()


def approvals(view: ReleaseView) -> str:
    """The answers so far; empty without any."""
    if not view.approvals:
        return ""
    rows = (
        (md(a.principal), md(a.role), a.decision, md(a.reason), when(a.at), PROVEN[a.assurance]) for a in view.approvals
    )
    return table(("Person", "As", "Decision", "Reason", "At", "Name is"), rows)


def digests(view: ReleaseView) -> str:
    """The full digests that an approval binds."""
    candidate = None if view.candidate is None else view.candidate.artifact.sha256
    champion = None if view.opening.champion is None else view.opening.champion.model_sha256
    bound = {
        "evidence": view.evidence_root,
        "candidate model": candidate,
        "champion model": champion or "none serves",
        f"policy, version {view.policy.version}": view.opening.policy.sha256,
        "model spec": view.opening.spec.sha256,
        "roster": view.opening.roster.sha256,
        "request": None if view.request is None else view.request.digest,
    }
    rows = ((md(name), code(digest or NOTHING)) for name, digest in bound.items())
    return table(("What", "SHA-256"), rows)


_LINE = "the line that <code>gatewright approve --print</code> gives you"
_TOKEN: dict[Assurance, str] = {
    "declared": f"the word <code>none</code>, or {_LINE}",
    "gateway": f"the word <code>none</code>: the gateway puts its stamp there; or {_LINE}",
    "signed": f"{_LINE}; nothing else counts here",
}


def form_fields(view: ReleaseView) -> str:
    """Exactly what to write into each field of the form."""
    tier = _tier(view)
    token = _TOKEN["declared" if tier is None else tier.assurance]
    rows = (
        ("decision", "<code>approve</code> or <code>reject</code>"),
        ("approver", "your id in the roster, such as <code>first.last</code>"),
        ("reason", "why, in at least ten characters; it is kept for ever"),
        ("token", token),
    )
    return page("## What to write in the form", table(("Field", "Write"), rows)).rstrip()


def rollback_command(model: str, release_id: str) -> str:
    """The shell command that puts ``release_id`` back; the reader fills in who and why."""
    return (
        "prefect deployment run rollback/rollback \\\n"
        f"  --param model={model} --param to_release={release_id} \\\n"
        "  --param actor=first.last --param reason='why, in ten characters or more'"
    )


def rollback_line(model: str, release_id: str) -> str:
    """The same in one line, by the command that stays until it serves again."""
    return f"gatewright rollback {model} --to {release_id} --reason WHY"


def take_back(view: ReleaseView) -> str:
    """How to undo the release once it serves."""
    return page("## How to take it back", _way_back(view)).rstrip()


def _way_back(view: ReleaseView) -> str:
    champion = view.opening.champion
    if view.state.final and view.state is not ReleaseState.DEPLOYED:
        return "It was not put into production: there is nothing to take back."
    if champion is None or champion.release_id is None:
        return "Nothing served before, so there is no model to go back to."
    command = rollback_command(view.opening.model, champion.release_id)
    back = f"This puts {md(champion.release_id)}, which served before, back:\n\n```\n{command}\n```"
    stay = code(rollback_line(view.opening.model, champion.release_id))
    return f"{back}\n\nTo stay until it serves again: {stay}"


def decided_on(view: ReleaseView) -> str:
    """Release, state, who opened it when, by which code, and the policy in force; one line each."""
    candidate = "not trained" if view.candidate is None else short(view.candidate.artifact.sha256)
    return bullets(
        (
            f"Release {code(view.opening.release_id)}, {view.state.value}: model {code(candidate)}, "
            f"opened {when(view.opening.opened_at)} by {md(view.opening.requested_by)}, "
            f"code {code(view.opening.code_revision[:12])}",
            f"Policy of {md(view.policy.model)}, version {view.policy.version}, "
            f"{code(short(view.opening.policy.sha256))}, owned by {md(view.policy.owner)}",
            *_window(view),
        )
    )


def _window(view: ReleaseView) -> tuple[str, ...]:
    if view.request is None:
        return ()
    return (f"Window: asked {when(view.request.asked_at)}, open until {when(view.request.expires_at)}",)


def _asked(view: ReleaseView) -> str:
    tier = _tier(view)
    if tier is None:
        return "Nobody is asked."
    who = "Nobody needs to approve" if tier.approvals == 0 else _people(tier)
    because = view.decision.tier_because if view.decision else ()
    why = f"Why this tier: {md('; '.join(because))}." if because else ""
    asked = f"{who} (tier {md(tier.name)}, {tier.risk} risk)."
    if _answered(view):
        return bullets(item for item in (asked, why) if item)
    author = "" if view.candidate is None else f"The author, {md(view.candidate.author)}, cannot approve it."
    end = "" if view.request is None else f"Until **{when(view.request.expires_at)}**; then it expires."
    proof = _ASKED[tier.assurance].format(command=code(f"gatewright approve {view.opening.release_id}"))
    return bullets(item for item in (asked, proof if tier.approvals else "", why, end, author) if item)


_ASKED: dict[Assurance, str] = {
    "declared": "A typed name is enough.",
    "gateway": "Log in at the identity gateway as yourself: its stamp is your proof.",
    "signed": "Sign with your SSH key: {command}.",
}


def _people(tier: Tier) -> str:
    roles = " or ".join(md(role) for role in tier.roles)
    return f"**{people(tier.approvals)}** with the role {roles}"


def _tier(view: ReleaseView) -> Tier | None:
    if view.request is not None:
        return view.request.tier
    if view.decision is None or view.decision.tier is None:
        return None
    return view.policy.named_tier(view.decision.tier)
