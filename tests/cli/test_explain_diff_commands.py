"""A data scientist whose model was held reads why, what to do, and what differs from the champion."""

import json
import re
from datetime import timedelta

import pytest

from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.reports.example_view import (
    CANDIDATE,
    DATA,
    NOON,
    STAGES,
    counted,
    dataset,
    measured,
    stage,
)


def facts(out: str, rule: str) -> dict[str, str]:
    """The labelled lines below the heading of one rule."""
    block = out[re.search(rf"^\w+  {re.escape(rule)}", out, re.MULTILINE).start() :].split("\n\n")[0]  # type: ignore[union-attr]
    return {line.split()[0]: " ".join(line.split()[1:]) for line in block.splitlines()[1:] if line.strip()}


def test_explain_says_of_each_rule_what_how_far_why_and_what_next(run: Run) -> None:
    """The drift alarm: value, limit, distance, effect, evidence with its digest, owner and next step."""
    code, out, _ = run("explain", "triage-2000-1")
    found = facts(out, "feature-drift on year_built")
    assert code == 0
    assert found["why"] == "Another population."
    assert found["found"] == "PSI 0.320, an exact count, 4,200 rows"
    assert found["limit"] == "at most 0.25: the value is 0.070 beyond it"
    assert found["effect"].startswith("warns: it does not stop the release; from 3 warnings on it is held")
    assert found["from"] == "stage drift, slice year_built"
    assert found["sha256"] == STAGES["drift"].model_copy(update={"release_id": "triage-2000-1"}).digest
    assert found["owner"] == "Model Risk"
    assert found["next"].startswith("See which inputs moved")
    assert "auc-floor" not in out


def test_explain_of_one_rule_also_when_it_passed_draws_its_interval(run: Run) -> None:
    """How near it came to its limit."""
    _, out, _ = run("explain", "triage-2000-1", "--rule", "auc-floor")
    found = facts(out, "auc-floor")
    assert found["limit"] == "at least 0.75: the value is 0.108 inside it, its interval ends 0.090 inside"
    assert re.search(r"┊ +├─+●─+┤", out)
    assert "feature-drift" not in out


def test_explain_all_has_every_result(run: Run) -> None:
    """As JSON with full digests, for a ticket."""
    code, out, _ = run("explain", "triage-2000-2", "--all", "--json")
    found = json.loads(out)
    assert (code, found["outcome"], len(found["rules"])) == (2, "block", 10)
    assert found["rules"][0]["next_steps"][0]["command"] == "gatewright documents triage-2000-2 --out evidence/"
    assert found["next_step"]["command"] == "gatewright explain triage-2000-2"


def test_explain_of_an_unknown_rule_is_an_error(run: Run) -> None:
    """Nothing to say would look like nothing being wrong."""
    code, out, err = run("explain", "triage-2000-1", "--rule", "auc-flor\x1b[2J")
    assert (code, out) == (1, "")
    assert "no result of a rule `auc-flor[2J`" in err


def test_explain_before_the_decision_says_so(run: Run) -> None:
    """And names the command to wait with."""
    code, out, _ = run("explain", "triage-2000-3")
    assert code == 3
    assert out.startswith("NOT DECIDED triage-2000-3")
    assert "gatewright watch triage-2000-3" in out


def test_explain_fits_eighty_columns_and_breaks_no_command(terminal: Run) -> None:
    """Only a command may be longer: it is there to be copied."""
    _, out, _ = terminal("explain", "triage-2000-1", "--all")
    long = [line for line in out.splitlines() if len(line) > 80]
    assert all(line.strip().startswith(("gatewright ", "prefect ")) for line in long)
    assert "feature-drift on year_built" in out


@pytest.fixture
def champion(services: Services) -> str:
    """The release that made the example's champion, on less data and worse for the young."""
    template = services.evidence.read("opening", "triage-2000-1", Opening)
    terms = {"release_id": "triage-1999-1", "period": "1999", "champion": None, "opened_at": NOON - timedelta(days=1)}
    opening = template.model_copy(update=terms)
    data = DATA.model_copy(update={"training": dataset("training", ("1998",), 4000)})
    candidate = CANDIDATE.model_copy(update={"versions": {"scikit-learn": "1.8.0", "python": "3.11.9"}})
    records: dict[str, Opening | ReleaseData | Candidate | StageEvidence] = {
        "opening": opening, "data": data, "candidate": candidate,
        **{name: one.model_copy(update={"release_id": "triage-1999-1"}) for name, one in STAGES.items()},
        "drift": stage("drift", counted("psi", 0.1, "year_built")),
        "evaluate": stage("evaluate", measured("auc", 0.7, 0.66, 0.74)),
    }  # fmt: skip
    for name, record in records.items():
        services.evidence.write(name, opening.release_id, record)
    return opening.release_id


def test_diff_compares_with_the_champion_s_release(run: Run, champion: str) -> None:
    """The change of each metric by its own interval, the data by rows and digests, the libraries by version."""
    code, out, _ = run("diff", "triage-2000-1")
    assert code == 0
    assert out.startswith(f"{champion} -> triage-2000-1: NOT DECIDED -> PASS\n")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "better AUC +0.030 [0.014, 0.044] 0.858 [0.840, 0.876] 0.828" in lines
    assert any(line.startswith("not shown recall -0.021 ") for line in lines)
    assert any(line.startswith("training 1998 -> 1998 to 1999; 4,000 -> 8,000 rows; failed") for line in lines)
    assert "evaluation the same 4,200 rows of 2000, " + DATA.evaluation.digest[:12] in lines
    assert "libraries scikit-learn 1.8.0 -> 1.9.1; the same lock file" in lines
    assert any(line.startswith("drift (PSI) year_built 0.320, speed 0.080, score 0.021") for line in lines)


def test_diff_with_any_other_release_names_it(run: Run) -> None:
    """Its numbers come from other rows, which is said."""
    _, out, _ = run("diff", "triage-2000-2", "triage-2000-1")
    assert "on other rows: the intervals take them for independent" in out
    assert re.search(r"^not shown +AUC +0 \[", out, re.MULTILINE)


def test_diff_without_a_champion_asks_for_the_other_release(run: Run, champion: str) -> None:
    """There is nothing to guess."""
    code, out, err = run("diff", champion)
    assert (code, out) == (1, "")
    assert "name the release to compare it with" in err


def test_diff_as_json_holds_every_number_with_its_intervals(run: Run, champion: str) -> None:
    """For a table of one's own."""
    found = json.loads(run("diff", "triage-2000-1", "--json")[1])
    auc = next(one for one in found["numbers"] if one["metric"] == "auc")
    assert (auc["paired"], auc["shown"], auc["change_interval"]["low"]) == (True, "better", 0.014)
    assert found["features"] == {"added": [], "removed": [], "changed": {}}


def test_diff_fits_eighty_columns(terminal: Run, champion: str) -> None:
    """What has no room in a row follows below it."""
    _, out, _ = terminal("diff", "triage-2000-1", "--all")
    assert all(len(line) <= 80 for line in out.splitlines() if "git diff" not in line)
    assert "0.828" in out
    assert "0.858 [0.840, 0.876]" in out
