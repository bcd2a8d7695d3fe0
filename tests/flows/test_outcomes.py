"""The example's six years: what a correct pipeline finds on real data, through real flows."""

import itertools

import httpx
import pytest

from gatewright.core.records import sha256_hex
from gatewright.core.releases import STAGES, ReleaseState
from gatewright.core.results import Status
from tests.flows.world import APPROVE, Ended, rows_of


def results(ended: Ended, rule: str):
    return [r for r in ended.view.decision.results if r.rule == rule]


def test_the_first_release_is_reviewed_because_nothing_serves_yet(years):
    """Without a champion there is nothing to compare with; a person looked and approved."""
    first = years["1998"]
    assert first.view.decision.outcome == "review"
    assert first.state.name == "Deployed"


def test_1999_is_promoted(years):
    """AUC rises from about 0.846 to 0.866; the interval of the difference is above zero."""
    ended = years["1999"]
    change = ended.view.find("evaluate", "auc_change")
    assert ended.view.decision.outcome == "promote"
    assert ended.state.name == "Deployed"
    assert ended.view.find("evaluate", "auc").value == pytest.approx(0.866, abs=0.005)
    assert change.value == pytest.approx(0.021, abs=0.005)
    assert change.interval.low > 0


def test_2000_is_promoted_with_a_drift_alarm(years):
    """The model year of the cars moves on: PSI 0.32, an alarm that does not stop the release."""
    ended = years["2000"]
    alarms = [r for r in results(ended, "feature-drift") if r.status is not Status.PASSED]
    assert ended.view.decision.outcome == "promote"
    assert ended.state.name == "Deployed"
    assert [alarm.slice for alarm in alarms] == ["yearVeh"]
    assert alarms[0].value == pytest.approx(0.324, abs=0.01)


def test_a_candidate_blind_to_sex_and_age_is_stopped_by_fairness(years):
    """Without age it misses half of the old who die: unawareness is no fairness."""
    ended = years["2000 blind"]
    (gap,) = results(ended, "equal-opportunity")
    assert ended.view.decision.outcome == "block"
    assert ended.state.name == "Blocked"
    assert gap.status is Status.FAILED
    assert gap.value == pytest.approx(0.45, abs=0.03)
    assert gap.interval.low > 0.2
    groups = {g["group"]: g for g in ended.view.stages["fairness"].details["groups"] if g["slice"] == "age_band"}
    assert value(groups["65+"]["true_positive_rate"]) == pytest.approx(0.51, abs=0.03)
    assert value(groups["16-24"]["true_positive_rate"]) == pytest.approx(0.95, abs=0.03)


def value(rate):
    return rate["value"] if isinstance(rate, dict) else rate


def test_2001_is_promoted_although_the_cars_move_on(years):
    """A small lead whose interval is above zero; drift and slices that got worse are warnings."""
    ended = years["2001"]
    change = ended.view.find("evaluate", "auc_change")
    warned = {r.rule for r in ended.view.decision.results if r.severity == "warn" and r.status != "passed"}
    assert ended.state.name == "Deployed"
    assert change.value == pytest.approx(0.0074, abs=0.001)
    assert change.interval.low > 0
    assert {"feature-drift", "no-slice-got-worse", "robust-ranking"} <= warned


def test_2002_keeps_the_champion(years, world):
    """The difference is not shown to be above zero, so what serves stays."""
    ended = years["2002"]
    change = ended.view.find("evaluate", "auc_change")
    assert ended.state.name == "Blocked"
    assert change.interval.low < 0 < change.interval.high
    assert [r.rule for r in ended.view.decision.results if r.severity == "block" and r.status != "passed"] == [
        "better-than-champion"
    ]
    assert world.serving() == years["2001"].view.candidate.artifact.sha256


def test_the_champion_of_each_year_is_the_model_of_the_year_before(years):
    """A blocked candidate never becomes anybody's champion."""
    chain = [years[year].view for year in ("1998", "1999", "2000", "2001", "2002")]
    assert chain[0].opening.champion is None
    for before, after in itertools.pairwise(chain):
        assert after.opening.champion.release_id == before.opening.release_id


def test_no_champion_has_learned_from_the_year_it_is_compared_on(years):
    """Each was trained on earlier years only, so nothing is warned of; the first release has none."""
    assert years["1998"].view.find("leakage", "champion_seen_rows") is None
    for year, ended in list(years.items())[1:]:
        (held_out,) = results(ended, "champion-held-out")
        assert (held_out.status, held_out.value) == (Status.PASSED, 0), year
        assert ended.view.find("leakage", "champion_seen_entities").value == 0


def test_the_scoring_service_answers_with_the_model_that_was_approved(years, world):
    """The digest of the answer is the digest in the evidence."""
    row = rows_of(world.models, "2002")[list(years["2001"].view.candidate.features)].head(1)
    reply = httpx.post(f"{world.services.settings.target_url}/score", json={"rows": row.to_dict("records")})
    assert reply.json()["model_sha256"] == years["2001"].view.candidate.artifact.sha256


def test_every_release_has_the_evidence_of_every_stage(years):
    """Blocked or deployed, nothing is left out."""
    stages = set(STAGES)
    for ended in years.values():
        assert set(ended.view.stages) == stages
        assert ended.view.evidence_root is not None


def test_the_ledger_tells_who_approved_what_and_why(years, world):
    """Actor, reason and digests are in it, in order."""
    release_id = years["1999"].view.opening.release_id
    events = [e for e in world.services.ledger.entries("crash_triage") if e.release_id == release_id]
    assert [e.kind for e in events] == ["opened", "decided", "waiting", "approved", "deployed"]
    assert events[3].actor == "dana.reyes"
    assert events[3].note == APPROVE["reason"]
    assert events[3].digests["evidence"] == years["1999"].view.evidence_root
    assert years["1999"].view.state is ReleaseState.DEPLOYED


def test_the_form_shows_the_verdict_first(years, world):
    """Who approves reads the verdict, the failing rules and the comparison before the fields."""
    descriptions = [form["description"] for form in world.forms if "description" in form]
    assert descriptions
    assert "HOLD" in descriptions[0][:400]
    assert any("PASS" in text[:400] for text in descriptions[1:])


def test_documents_of_each_release_are_the_same_bytes_when_made_again(years, world):
    """Those that people were asked with, though they have answered since, and those of the end."""
    store = world.services.documents
    for ended in years.values():
        release_id = ended.view.opening.release_id
        for moment in ("asked", "ended"):
            again = {name: sha256_hex(body) for name, body in store.again(release_id, moment).items()}
            assert again == {name: ref.sha256 for name, ref in store.written(release_id, moment).documents.items()}
