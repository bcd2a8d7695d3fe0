"""What one look at production found, for whoever is paged by it, in Markdown.

One screen comes first: what is wrong and since when, how far it is from the limits, what was done about it without
anybody, and what to do now. All else stands below it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from gatewright.core.channels import ChannelEntry, previous_deployed
from gatewright.core.limits import Limits
from gatewright.core.monitor_report import MonitorReport
from gatewright.core.policy import Monitoring, MonitoringRule
from gatewright.core.release_view import ReleaseView
from gatewright.core.responses import MonitoringFinding, Verdict
from gatewright.core.results import CheckResult, Status
from gatewright.services.reports import charts, measured
from gatewright.services.reports.alarm_words import RESPONSES, alarm_of
from gatewright.services.reports.blocks import capitalized
from gatewright.services.reports.escape import code, md
from gatewright.services.reports.limits_chart import limits_chart
from gatewright.services.reports.objections import measured_words, missed_by
from gatewright.services.reports.signoff import rollback_line
from gatewright.services.reports.tables import bullets, demoted, folded, image, page, table, web_links
from gatewright.services.reports.wording import NOTHING, STATUS_WORDS, label, limit, number, span, when

__all__ = ["monitor_page"]

_WORDS: dict[Verdict, str] = {
    "healthy": "HEALTHY",
    "inconclusive": "INCONCLUSIVE",
    "alert": "ALERT",
    "retrain": "RETRAINING ASKED",
    "rollback": "ROLLBACK ASKED",
}
_CALM: dict[Verdict, str] = {
    "healthy": "Every rule passed.",
    "inconclusive": "Nothing is known to be wrong, and health is not proven.",
}
_WEIGHT = {"record": 0, "alert": 1, "retrain": 2, "rollback": 3}
# What fits above the fold of 1400 x 900 pixels.
ABOVE_THE_FOLD = 3
MAX_FINDINGS = 150
DRIFTED = 5


def monitor_page(
    look: MonitorReport,
    view: ReleaseView,
    monitoring: Monitoring,
    history: Sequence[ChannelEntry],
    *,
    links: Mapping[str, str],
) -> str:
    """``view`` is of the release that serves, ``monitoring`` what the look was judged by, ``history`` the channel's."""
    alarms = _alarms(look)
    shown = page(
        f"# {_WORDS[look.decision.verdict]}: {md(view.spec.title)} · production",
        f"**{_asked(look)}** {_tally(look)}",
        bullets([*_first(look, alarms), *_undecided(look)]),
        image(limits_chart(f.result for f in look.decision.findings), missing="No rule could be judged."),
        _done(look, view, history),
        _next(look, view, alarms, monitoring, history),
        _meanings(alarms, monitoring),
        _answers(look, view),
        page("## Drift", _drift(look, monitoring)).rstrip(),
        page("## What was looked at", _looked_at(look, view)).rstrip(),
        folded(f"All {len(look.decision.findings)} checks of the policy", _all(look)),
        folded("All measurements", measured.listing(look.measurements)),
        page("## More", web_links(links), _commands(view)).rstrip(),
    )
    return demoted(shown, 1)


def _alarms(look: MonitorReport) -> list[MonitoringFinding]:
    """What asks for something, the weightiest first, and what is confirmed before what may be chance."""
    asked = (f for f in look.decision.findings if f.response != "record")
    return sorted(asked, key=lambda f: (-_WEIGHT[f.response], f.result.status is not Status.FAILED, _room(f.result)))


def _room(r: CheckResult) -> float:
    """How much of its limit is left, negative beyond it; without a value nothing is known."""
    limits = Limits(r.minimum, r.maximum)
    return 0.0 if r.value is None else limits.margin(r.value) / (abs(r.minimum or r.maximum or 0.0) or 1.0)


def _asked(look: MonitorReport) -> str:
    return _CALM.get(look.decision.verdict) or f"{capitalized(RESPONSES[look.decision.response])}."


def _tally(look: MonitorReport) -> str:
    counts = Counter(finding.result.status for finding in look.decision.findings)
    passed, others = counts.pop(Status.PASSED, 0), {Status.FAILED: "failed", Status.ERROR: "could not be measured"}
    words = [f"{counts[status]} {word}" for status, word in others.items() if counts[status]]
    words += [f"{counts[Status.INCONCLUSIVE]} could not be decided"] if counts[Status.INCONCLUSIVE] else []
    return f"{passed} of {len(look.decision.findings)} checks passed" + (f"; {', '.join(words)}." if words else ".")


def _first(look: MonitorReport, alarms: Sequence[MonitoringFinding]) -> Iterator[str]:
    for finding in alarms[:ABOVE_THE_FOLD]:
        r = finding.result
        chance = ", which its interval does not confirm" if r.status is Status.INCONCLUSIVE and r.interval else ""
        yield f"**{STATUS_WORDS[r.status]}** ({finding.response}): {missed_by(r)}{chance}; {_since(look, finding)}"
    if len(alarms) > ABOVE_THE_FOLD:
        yield f"and {len(alarms) - ABOVE_THE_FOLD} more, below"


def _since(look: MonitorReport, finding: MonitoringFinding) -> str:
    first = look.standing_since.get(finding.cause, look.at)
    return "new at this look" if first >= look.at else f"since {when(first)}"


def _undecided(look: MonitorReport) -> Iterator[str]:
    """What could not be judged, one line a reason: so many rules wait for the same labels."""
    calm = (f.result for f in look.decision.findings if f.response == "record")
    doubts = Counter(md(r.reason) if r.value is None else missed_by(r) for r in calm if r.status is Status.INCONCLUSIVE)
    for words, count in doubts.most_common(ABOVE_THE_FOLD - 1):
        yield f"**INCONCLUSIVE**{f' ({count} checks)' if count > 1 else ''}: {words}"


def _done(look: MonitorReport, view: ReleaseView, history: Sequence[ChannelEntry]) -> str:
    """What happens without anybody: never anything to the model."""
    serves = f"{code(look.release_id)} serves on{_serving_since(history)}."
    if look.decision.response == "record":
        return f"**Done by itself:** written down, nothing else. {serves}"
    event = code(f"gatewright.monitor.{look.decision.response}")
    return f"**Done by itself:** event {event} raised, the ledger written, people told (once while it lasts). {serves}"


def _serving_since(history: Sequence[ChannelEntry]) -> str:
    """From the first of the moves at the end that name one model."""
    since = None
    for entry in reversed(history):
        if entry.model_sha256 != history[-1].model_sha256:
            break
        since = entry
    return "" if since is None else f", since {when(since.at)}"


def _next(
    look: MonitorReport,
    view: ReleaseView,
    alarms: Sequence[MonitoringFinding],
    monitoring: Monitoring,
    history: Sequence[ChannelEntry],
) -> str:
    if look.decision.verdict == "healthy":
        return "**Next:** nothing to do."
    if not alarms:
        return "**Next:** nothing now. If it stays so, see that predictions and their labels arrive."
    rule = _rule(alarms[0], monitoring)
    first = alarm_of(rule).first if rule else ()
    steps = "\n".join(f"{n}. {words}" for n, words in enumerate(first, start=1))
    return page(f"**Next:** {_command(look, view, history)} Look first at:", steps).rstrip()


def _command(look: MonitorReport, view: ReleaseView, history: Sequence[ChannelEntry]) -> str:
    model = view.opening.model
    if look.decision.response == "retrain":
        return f"{code(f'prefect deployment run retrain/retrain --param model={model}')} trains a candidate."
    back = previous_deployed(history)
    if look.decision.response != "rollback":
        return "find out whether it is the source or the world."
    if back is None:
        return "no other model was deployed before, so there is none to go back to: call the owner of the model."
    return f"{code(rollback_line(model, back.release_id))} puts {md(back.release_id)} back; it needs no approval."


def _rule(finding: MonitoringFinding, monitoring: Monitoring) -> MonitoringRule | None:
    return next((rule for rule in monitoring.rules if rule.id == finding.result.rule), None)


def _meanings(alarms: Sequence[MonitoringFinding], monitoring: Monitoring) -> str:
    """Each alarm in full, with what it means, folded."""
    if not alarms:
        return ""
    rules = {rule.id: rule for rule in monitoring.rules}
    lines = []
    for finding in alarms[:MAX_FINDINGS]:
        rule = rules.get(finding.result.rule)
        why = "" if rule is None else f" {alarm_of(rule).meaning} <em>{md(rule.reason)}</em>"
        lines.append(f"**{finding.response}**: {missed_by(finding.result)}.{why} {code(finding.result.rule)}")
    these = "The one alarm, and what it means" if len(alarms) == 1 else f"All {len(alarms)} alarms, and what each means"
    return folded(these, bullets(lines))


def _answers(look: MonitorReport, view: ReleaseView) -> str:
    """The key metrics now, beside those on the data that the release was approved on."""
    now = {m.metric: m for m in look.measurements if m.slice == "all"}
    shown = [now[name] for name in charts.key_metrics(view) if name in now]
    measured_now = [m for m in shown if m.value is not None]
    if not measured_now:
        why = next((m.note for m in shown if m.note), "no label is known yet")
        return page("## How right it is", f"*Not measured: {md(why)}.*").rstrip()
    before = {m.metric: view.find("evaluate", m.metric) for m in measured_now}
    rows = (
        (md(label(m.metric)), number(m.value), span(m.interval), number(b.value if (b := before[m.metric]) else None))
        for m in measured_now
    )
    return page(
        "## How right it is",
        table(("Metric", "Now", "Interval", "When it was released"), rows, numbers=(1, 3)),
        f"Now: {measured_now[0].n:,} predictions whose outcome is known. Then: the evaluation data, "
        f"{md(view.opening.period)}.",
    ).rstrip()


def _drift(look: MonitorReport, monitoring: Monitoring) -> str:
    chart = charts.draw_drift(look.measurements, monitoring.rules, DRIFTED)
    return image(chart, missing="Drift was not measured.")


def _looked_at(look: MonitorReport, view: ReleaseView) -> str:
    counts = {m.metric: m for m in look.measurements if m.slice == "all"}
    rows, labels = (number(counts[name].value) if name in counts else NOTHING for name in ("rows", "labelled_rows"))
    return bullets(
        (
            f"Predictions from {when(look.since)} to {when(look.at)}: {rows}, of which {labels} with a known outcome",
            f"By the model that serves: {code(look.model_sha256)}, {md(view.spec.title)} · {md(view.opening.period)}",
            "Against the data that it was trained and evaluated on, by the policy that is in force now",
        )
    )


def _all(look: MonitorReport) -> str:
    findings = sorted(look.decision.findings, key=lambda f: (-_WEIGHT[f.response], f.result.status is Status.PASSED))
    rest = len(findings) - MAX_FINDINGS
    header = ("Rule", "Result", "Measured", "Value and interval", "Limit", "Asks for")
    listing = table(header, map(_cells, findings[:MAX_FINDINGS]))
    return listing if rest <= 0 else f"{listing}\n\n*and {rest} more in the store.*"


def _cells(finding: MonitoringFinding) -> tuple[str, ...]:
    r = finding.result
    value = md(r.reason) if r.value is None else f"{number(r.value)} {'' if r.interval is None else span(r.interval)}"
    status = "PASS" if r.status is Status.PASSED else f"**{STATUS_WORDS[r.status]}**"
    asks = NOTHING if finding.response == "record" else finding.response
    return code(r.rule), status, measured_words(r), value.rstrip(), limit(r), asks


def _commands(view: ReleaseView) -> str:
    release, model = view.opening.release_id, view.opening.model
    rows = (
        (code(f"gatewright documents {release} runbook"), "who to call, and what each alarm means"),
        (code(f"gatewright history {model}"), "what served when"),
        (code(f"prefect deployment run monitor/monitor --watch --param model={model}"), "looks again now"),
    )
    return table(("Command", "Does"), rows)
