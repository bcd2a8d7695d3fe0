"""What people are told: in which words, who is named, and once for each cause."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatewright.core.causes import Standing, happened, news, responses, watched
from gatewright.core.errors import SpecError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.notices import cause_of, notice_of, production_notice, time_notice, who_is_missing
from gatewright.core.releases import ReleaseState
from gatewright.core.responses import MonitoringDecision, MonitoringFinding
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.routing import parse_routes
from gatewright.core.statements import Approval
from tests.services.release_book import ROSTER
from tests.services.reports.example_view import NOON, example_view

LINK = "http://prefect/runs/flow-run/clever-otter"


def entry(kind: str, note: str = "", actor: str = "gatewright", hours: float = 0.0) -> LedgerEntry:
    at = NOON + timedelta(hours=hours)
    return LedgerEntry(kind=kind, release_id="triage-2000-1", actor=actor, at=at, note=note)


def finding(status: str, response: str, column: str = "speed") -> MonitoringFinding:
    result = CheckResult(
        rule="live", stage="monitor", metric="psi", slice=column, value=0.3, interval=None, minimum=None, maximum=0.25,
        n=900, status=Status(status), severity=Severity.WARN, reason="0.3 is not at most 0.25",
    )  # fmt: skip
    return MonitoringFinding(result=result, response=response)


def looked(*findings: MonitoringFinding) -> MonitoringDecision:
    weights = ("record", "alert", "retrain", "rollback")
    strongest = max((f.response for f in findings), key=weights.index)
    return MonitoringDecision(
        response=strongest, reasons=tuple(f"{f.response}: {f.result}" for f in findings), findings=findings
    )


def test_who_is_asked_learns_verdict_reason_people_and_time():
    """The release of the example: one drift warning, either of two release managers, 72 hours."""
    notice = notice_of(entry("waiting"), example_view(), ROSTER, LINK)
    assert (notice.event, notice.verdict, notice.link) == ("asked", "promote", LINK)
    assert notice.reasons == ("feature-drift: psi on year_built failed: 0.32 is not at most 0.25",)
    assert notice.roles == ("release-manager", "compliance-officer")
    assert notice.next_step == "gatewright approve triage-2000-1"
    assert notice.who == (
        "1 of these must approve until 2026-03-05 12:00 UTC, by a typed name: "
        "dana.reyes (dana.reyes, release-manager), lee.wong (lee.wong, release-manager)."
    )


def test_three_reasons_are_told_and_the_others_counted():
    """Nobody reads a list of nine at night."""
    view = example_view()
    many = view.decision.model_copy(update={"reasons": tuple(f"rule {n} failed" for n in range(9))})
    notice = notice_of(entry("waiting"), replace(view, decision=many), ROSTER, "")
    assert notice.reasons == ("rule 0 failed", "rule 1 failed", "rule 2 failed")
    assert notice.more == 6


def test_whoever_has_answered_or_made_the_candidate_is_not_missing():
    """Dana has approved and Lee is the author: nobody is left, and the message says so."""
    view = example_view()
    tier = view.request.tier.model_copy(update={"approvals": 2})
    request = view.request.model_copy(update={"tier": tier, "author": "lee.wong"})
    dana = Approval(
        request=request.digest, decision="approve", principal="dana.reyes", role="release-manager",
        reason="Better for all.", assurance="declared", at=NOON,
    )  # fmt: skip
    said = who_is_missing(replace(view, request=request, approvals=(dana,)), ROSTER, NOON)
    assert said == "1 must approve until 2026-03-05 12:00 UTC, but the roster knows only: nobody."


def test_a_crowd_is_counted():
    """Eight names, and how many more could approve."""
    crowd = tuple(ROSTER.people[0].model_copy(update={"id": f"person.{n:02}"}) for n in range(11))
    said = who_is_missing(example_view(), ROSTER.model_copy(update={"people": crowd}), NOON)
    assert said.endswith("(person.06, release-manager), dana.reyes (person.07, release-manager) and 3 more.")


@pytest.mark.parametrize(
    ("hours", "event"),
    [(36.0, None), (36.1, "reminded"), (64.7, "reminded"), (65, "closing"), (71, "closing")],
)
def test_time_reminds_at_half_of_the_window_and_near_its_end(hours: float, event: str | None):
    """People were asked at 12:03 and have until 72 hours after noon."""
    notice = time_notice(example_view(), ROSTER, NOON + timedelta(hours=hours), LINK)
    assert (notice.event if notice else None) == event


def test_a_release_that_waits_no_longer_is_not_asked_about():
    """A message that comes late must not send people to a closed door."""
    over = replace(example_view(), state=ReleaseState.EXPIRED)
    assert notice_of(entry("waiting"), over, ROSTER, "") is None
    assert time_notice(over, ROSTER, NOON + timedelta(hours=70), "") is None


def test_a_tier_that_asks_nobody_tells_nobody_to_approve():
    """It rides through on its own; that it serves is told then."""
    view = example_view()
    tier = view.request.tier.model_copy(update={"approvals": 0, "roles": ()})
    alone = replace(view, request=view.request.model_copy(update={"tier": tier}))
    assert notice_of(entry("waiting"), alone, ROSTER, "") is None
    assert notice_of(entry("deployed", "production serves the candidate"), alone, ROSTER, "").event == "deployed"


@pytest.mark.parametrize("kind", ["opened", "decided", "approved", "answer_refused", "waived", "monitored"])
def test_what_needs_nobody_is_told_to_nobody(kind: str):
    """The ledger has it; a pager that rings for it is switched off soon."""
    assert cause_of(entry(kind)) is None
    assert notice_of(entry(kind), example_view(), ROSTER, "") is None


def test_what_can_happen_twice_is_told_twice():
    """Two rollbacks to one release are two causes; the same one, read again, is not."""
    first, second = (entry("rolled_back", "It misses too many.", "dana.reyes", hours) for hours in (1, 2))
    assert cause_of(first) != cause_of(second)
    assert cause_of(first) == cause_of(first.model_copy())
    assert cause_of(entry("deployed", hours=1)) == cause_of(entry("deployed", hours=2)) == "deployed"


def test_a_password_in_a_failure_is_not_sent_on():
    """Errors of libraries quote what they were given."""
    failed = entry("failed", "cannot reach https://ops:hunter2@store/")
    notice = notice_of(failed, example_view(), ROSTER, "")
    assert "hunter2" not in notice.to_bytes().decode()
    assert notice.urgent


def test_a_drift_that_lasts_is_news_once():
    """Hour after hour the same column: one message."""
    first = watched(None, "r1", looked(finding("failed", "alert")))
    assert news(None, first) == ("live: psi on speed",)
    again = watched(first, "r1", looked(finding("failed", "alert")))
    assert news(first, again) == ()


def test_a_drift_that_gets_worse_spreads_or_comes_back_is_news():
    """A stronger response, another column, and the same one after it was clear."""
    alert = watched(None, "r1", looked(finding("failed", "alert")))
    worse = watched(alert, "r1", looked(finding("failed", "retrain")))
    assert news(alert, worse) == ("live: psi on speed",)
    assert responses(worse, news(alert, worse)) == {"live: psi on speed": "retrain"}
    wider = watched(worse, "r1", looked(finding("failed", "retrain"), finding("failed", "alert", "belt")))
    assert news(worse, wider) == ("live: psi on belt",)
    clear = watched(wider, "r1", looked(finding("passed", "record"), finding("passed", "record", "belt")))
    assert clear.causes == {}
    assert news(clear, watched(clear, "r1", looked(finding("failed", "alert")))) == ("live: psi on speed",)


def test_an_hour_with_too_few_rows_does_not_clear_an_alarm():
    """What could not be judged has not passed, so the hour after it is no news."""
    alert = watched(None, "r1", looked(finding("failed", "alert")))
    unknown = watched(alert, "r1", looked(finding("inconclusive", "record")))
    assert unknown == alert


def test_another_model_in_production_starts_anew():
    """That the new one drifts too is news."""
    alert = watched(None, "r1", looked(finding("failed", "alert")))
    assert news(alert, watched(alert, "r2", looked(finding("failed", "alert")))) == ("live: psi on speed",)


def test_a_message_about_production_speaks_of_the_news_first():
    """A rollback stands since yesterday; what is told now is the new alert, and it is no emergency."""
    decision = looked(finding("failed", "rollback"), finding("failed", "alert", "belt"))
    notice = production_notice(example_view(), decision, {"live: psi on belt": "alert"}, at=NOON, link="")
    assert (notice.event, notice.urgent) == ("alert", False)
    assert notice.reasons[0].startswith("alert: live: psi on belt")


def test_what_happened_stays_told():
    """A deployment after a reminder leaves the reminder told."""
    standing = happened(happened(None, "r1", "reminded"), "r1", "deployed")
    assert standing == Standing(about="r1", causes={"reminded": 1, "deployed": 1})


ROUTES = """
quiet_seconds: 30
routes:
  - {role: release-manager, send: ["env:MANAGERS"]}
  - {role: "*", send: ["env:PAGER", "block:slack-webhook/on-call"], events: [failed, rollback]}
"""


def test_roles_and_events_decide_where_a_notice_goes():
    """A question goes to its roles, a failure to everybody who wants failures, each place once."""
    routes = parse_routes(ROUTES, where="notifications.yaml")
    assert routes.destinations("asked", ("release-manager",)) == ("env:MANAGERS",)
    assert routes.destinations("asked", ("compliance-officer",)) == ()
    assert routes.destinations("failed", ()) == ("env:MANAGERS", "env:PAGER", "block:slack-webhook/on-call")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('- {role: ops, send: ["slack://T1/B1/C1"]}', "send"),
        ('- {role: ops, send: ["env:pager"]}', "send"),
        ("- {role: ops, send: []}", "send"),
        ('- {role: ops, send: ["env:PAGER"], events: [exploded]}', "events"),
        ('- {role: ops, sent: ["env:PAGER"]}', "did you mean `send`"),
        ('- {role: Ops Team, send: ["env:PAGER"]}', "role"),
    ],
)
def test_a_route_that_nobody_could_follow_is_refused(line: str, says: str):
    """An address in the file would be a secret in the repository; the message does not spread it."""
    with pytest.raises(SpecError, match=says) as refused:
        parse_routes(f"routes:\n  {line}\n", where="notifications.yaml")
    assert "T1" not in str(refused.value)
    assert "notifications.yaml:2" in str(refused.value)
