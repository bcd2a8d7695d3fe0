"""The runbook of a release: for whoever is on call at night and knows neither the model nor Gatewright.

Made of the pinned spec, policy and roster, so it names the people and the limits that hold for this release. What to
do first comes first; background does not come at all.
"""

from collections.abc import Iterable, Iterator

from gatewright.core.policy import MonitoringRule
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.services.reports import verdicts
from gatewright.services.reports.alarm_words import MESSAGES, RESPONSES, alarm_of
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.signoff import rollback_command
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import NOTHING, label, number

__all__ = ["runbook"]


_STANDS: dict[ReleaseState, str] = {
    ReleaseState.OPEN: "It has not been decided.",
    ReleaseState.WAITING: "It waits for people; this holds from when it serves.",
    ReleaseState.DEPLOYED: "It went live.",
    ReleaseState.REJECTED: "It was rejected and never served.",
    ReleaseState.EXPIRED: "It expired and never served.",
    ReleaseState.BLOCKED: "It was blocked and never served.",
    ReleaseState.FAILED: "It failed and does not serve.",
}


def runbook(view: ReleaseView) -> str:
    """How to take the model back, see what serves, whom to call, and what each alarm means."""
    return page(
        f"# Runbook: {verdicts.subject(view)}",
        _about(view),
        "Commands run in the checkout of the deployment, with its settings:\n\n```\n"
        ". .venv/bin/activate; set -a; . .gatewright/settings.env; set +a\n```",
        _take_back(view),
        _what_serves(view),
        _after_a_move(view),
        _whom_to_call(view),
        _alarms(view),
        _messages(),
        _something_is_down(view),
        _emergency(view),
    )


def _about(view: ReleaseView) -> str:
    model = "not trained" if view.candidate is None else view.candidate.artifact.sha256
    champion = view.opening.champion
    before = "no model served before it" if champion is None else f"before it {code(champion.release_id)} served"
    return bullets(
        (
            f"**{_STANDS[view.state]}** Release {code(view.opening.release_id)}, model {code(model)}; {before}.",
            f"What it is for: {md(view.spec.card.intended_use)}",
            f"Owner of the model: {md(view.spec.card.owner)}. Owner of the policy (version {view.policy.version}): "
            f"{md(view.policy.owner)}.",
        )
    )


def _take_back(view: ReleaseView) -> str:
    champion = view.opening.champion
    if champion is None:
        words = (
            "No model served before this one, so there is none to go back to. Tell those who use it to do without it: "
            f"out of scope is {md(view.spec.card.out_of_scope)}"
        )
        return page("## Take it back", words).rstrip()
    roles = ", ".join(view.policy.rollback_roles)
    return page(
        "## Take it back",
        "One command, without an approval; write why. If a later release serves, use its runbook.",
        _shell(
            f"gatewright rollback {view.opening.model} --to {champion.release_id} \\\n"
            "  --reason 'why, in ten characters or more'"
        ),
        "It stays until the model serves. The same by Prefect alone, also in its UI (*Deployments*, *rollback*):",
        _shell(rollback_command(view.opening.model, champion.release_id)),
        bullets(
            (
                f"Who may: active people with one of the roles {md(roles)}, known as {view.policy.rollback_assurance} "
                "or better: the command signs with your key, the gateway stamps your login. Anybody else is refused.",
                f"It waits at most {view.policy.serving_timeout_seconds:g} s for the service to report the model; "
                "otherwise the channel goes back to where it was and the run fails.",
                f"How long it took before: <code>gatewright changelog {md(view.opening.model)} --rollbacks</code>, the "
                "latest first. It is not on this page: the evidence of a release ends with its release.",
                "If the run dies, start it again with the <code>rollback_id</code> of its parameters; where it has "
                "none, with <code>--param rollback_id=rollback-</code> and its run id: it goes on, instead of going "
                "back one more.",
            )
        ),
    ).rstrip()


def _what_serves(view: ReleaseView) -> str:
    model = view.opening.model
    serving = "" if view.candidate is None else f": of this release {code(view.candidate.artifact.sha256)}"
    return page(
        "## See what serves",
        _shell(
            f"gatewright history {model}",
            "curl -s $GATEWRIGHT_TARGET_URL/health",
            f"gatewright verify {model} --target",
        ),
        f"The last line of `history` is what should serve, `serving` of `/health` is what does{serving}. They must be "
        "the same digest. `verify` proves the rest: who approved it, by which policy, and that no byte was changed.",
    ).rstrip()


def _after_a_move(view: ReleaseView) -> str:
    spec = view.spec
    inputs = ", ".join(code(name) for name in view.opening.features)
    threshold = "" if spec.decision_threshold is None else f" and the threshold {number(spec.decision_threshold)}"
    return page(
        "## What to re-point after a rollback",
        table(
            ("What", "Do"),
            (
                ("scoring service", "nothing: it follows the channel within seconds"),
                ("monitoring", "nothing: it compares with the data of the release that serves, from its next look on"),
                (
                    "callers",
                    f"this release is asked for {inputs}{threshold}; if the earlier one has another list or threshold, "
                    f"its model card says so: <code>gatewright documents RELEASE model-card</code>",
                ),
                (
                    "labels",
                    "go on sending them to <code>/labels</code>: each belongs to the model that made its prediction",
                ),
                ("a release that waits", "it was compared with another champion: let it expire, start a new one"),
                ("data of the next training", f"unchanged: {code(spec.data.path)} by period"),
                (
                    "dashboards and alarms of your own",
                    "where they name a digest or a release: name the one that serves",
                ),
            ),
        ),
    ).rstrip()


def _whom_to_call(view: ReleaseView) -> str:
    if view.roster is None:
        return page("## Whom to call", "*The roster is not at hand; `gatewright roster` shows it.*").rstrip()
    day = view.opening.opened_at.date()
    active = [person for person in view.roster.people if person.active(day)]
    wanted = _duties(view)
    rows = [
        (
            duty,
            md(", ".join(roles)),
            md(", ".join(f"{p.name} ({p.id})" for p in active if p.role_among(roles)) or "nobody in the roster"),
        )
        for duty, roles in wanted
    ]
    return page(
        "## Whom to call",
        table(("For", "Role", "People"), rows),
        f"As of {day:%Y-%m-%d}; addresses are in your own directory, not here.",
    ).rstrip()


def _duties(view: ReleaseView) -> Iterator[tuple[str, tuple[str, ...]]]:
    policy = view.policy
    approvers = [role for tier in policy.tiers for role in tier.roles]
    escalated = [role for tier in policy.tiers for role in tier.escalate_to]
    yield "approving, rejecting, rolling back", tuple(dict.fromkeys(approvers))
    if escalated:
        yield "a release that waits too long", tuple(dict.fromkeys(escalated))
    if policy.waivers:
        yield "waiving a rule", policy.waivers.roles
    if policy.break_glass:
        yield "breaking the glass", policy.break_glass.roles


def _alarms(view: ReleaseView) -> str:
    monitoring = view.policy.monitoring
    return page(
        "## What each alarm means",
        f"`monitor` looks every hour. Below {monitoring.minimum_rows:,} predictions, or {monitoring.minimum_labels:,} "
        "labels where labels are needed, nothing is decided. It never acts by itself.",
        *(_alarm(rule) for rule in monitoring.rules),
    ).rstrip()


def _alarm(rule: MonitoringRule) -> str:
    alarm = alarm_of(rule)
    low, high = (None if bound is None else f"{bound:,.10g}" for bound in (rule.minimum, rule.maximum))
    allowed = " and ".join(
        word for word in (f"at least {low}" if low else "", f"at most {high}" if high else "") if word
    )
    where = {"all": "all predictions", "each": "each column or group"}.get(rule.slices, rule.slices)
    return page(
        f"### {md(rule.id)}: {rule.response}",
        f"{md(label(rule.metric))} of {md(where)} must be {allowed or NOTHING}. {alarm.meaning} "
        f"Why it is watched: {md(rule.reason)}",
        f"What it asks for: {RESPONSES[rule.response]}. Look first at:",
        _numbered(alarm.first),
    ).rstrip()


def _messages() -> str:
    rows = ((event.replace("_", " "), told.meaning, told.action) for event, told in MESSAGES.items())
    return page("## What each message means", table(("Message", "What happened", "What to do"), rows)).rstrip()


def _something_is_down(view: ReleaseView) -> str:
    release = view.opening.release_id
    return page(
        "## When something is down",
        "The model that serves goes on serving in every one of these cases; nothing is released meanwhile.",
        table(
            ("Down", "What you see", "What to do"),
            (
                (
                    "object store",
                    "`StoreError`; runs fail after three tries; the service keeps the model it has loaded",
                    "start the store, then <code>gatewright doctor</code>; do not restart the scoring service before: "
                    "it loads its model from the store",
                ),
                (
                    "Prefect server, or its gateway",
                    "no UI, no runs, no sweep, no messages",
                    "start it: a rollback runs on it too. Releases wait on; the next sweep tells what was not told",
                ),
                (
                    "worker",
                    "runs stay <em>Late</em> or <em>Running</em>",
                    "start a worker; a late run is picked up. A run that stays <em>Running</em> is dead: "
                    f"<code>gatewright abandon {md(release)} --actor first.last --reason '...'</code>",
                ),
                (
                    "scoring service",
                    "`TargetError`, or 503 with an `error` in `/health`",
                    "read that error; start it: <code>gatewright serve "
                    f"{md(view.opening.model)}</code>. A promotion puts the channel back by itself",
                ),
                (
                    "anything is not what was written",
                    "`IntegrityError`",
                    "stop, roll back nothing, call the owner of the policy: somebody changed the store",
                ),
            ),
        ),
    ).rstrip()


def _emergency(view: ReleaseView) -> str:
    terms = view.policy.break_glass
    if terms is None:
        words = "The policy knows no break-glass: without enough approvals nothing goes live. A rollback needs none."
        return page("## In an emergency", words).rstrip()
    return page(
        "## In an emergency",
        f"A rollback needs no approval: try it first. Only where a release that waits must go live and its approvers "
        f"cannot be reached: one person with the role {md(' or '.join(terms.roles))}, not the author of the candidate, "
        f"can let it go on alone. Everybody is told; within {terms.hours:g} hours enough people must approve it, or it "
        "must be taken back.",
        _shell(f"gatewright break-glass {view.opening.release_id} --reason 'why, in ten characters or more'"),
    ).rstrip()


def _shell(*commands: str) -> str:
    return "\n".join(("```", *commands, "```"))


def _numbered(items: Iterable[str]) -> str:
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))
