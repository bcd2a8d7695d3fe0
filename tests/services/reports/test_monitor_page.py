"""The page of a look at production: what is wrong since when, what was done by itself, what to do now."""

from dataclasses import replace
from pathlib import Path

import pytest

from gatewright.core.monitor_report import MonitorReport
from gatewright.core.results import Measurement
from gatewright.services.reports.monitor_page import monitor_page
from tests.services.reports.example_view import counted, example_view, measured
from tests.services.reports.pages import GOLDEN, HOSTILE, LINKS, before_the_fold, broken_tables, foreign_parts
from tests.services.reports.production_views import (
    MONITORING,
    MOVES,
    RELEASED,
    alerted,
    failing,
    healthy,
    look,
    silent,
    traffic,
)
from tests.services.reports.rendering import without_charts


def shown(report: MonitorReport) -> str:
    return monitor_page(report, example_view(), MONITORING, RELEASED, links=LINKS)


@pytest.mark.parametrize(
    ("name", "report"),
    [("alert", alerted()), ("rollback", failing()), ("healthy", healthy()), ("silent", silent())],
)
def test_a_page_is_built_as_agreed(name: str, report: MonitorReport, tmp_path: Path) -> None:
    """The page equals its golden file but for the drawings; the new text lies in the temporary directory."""
    found = without_charts(shown(report))
    (tmp_path / f"monitor_page_{name}.md").write_text(found, encoding="utf-8")
    assert found == (GOLDEN / f"monitor_page_{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("report", "word"),
    [
        (healthy(), "HEALTHY"),
        (silent(), "INCONCLUSIVE"),
        (alerted(), "ALERT"),
        (look(*traffic(labels=900), measured("recall", 0.4, 0.35, 0.45, n=900)), "RETRAINING ASKED"),
        (failing(), "ROLLBACK ASKED"),
    ],
)
def test_the_verdict_is_the_first_word(report: MonitorReport, word: str) -> None:
    """Whoever is paged reads one word."""
    assert shown(report).startswith(f"## {word}: Triage - who needs help first? · production")


def test_one_screen_says_what_since_when_what_was_done_and_what_to_do() -> None:
    """In this order, before anything that has to be opened or scrolled to."""
    first = before_the_fold(shown(alerted()))
    wanted = (
        "ALERT: ",
        "PSI, year\\_built: 0.320, **0.070 over the limit of 0.25**; since 2026-03-11 12:00 UTC",
        "<img alt=",
        "**Done by itself:** event <code>gatewright.monitor.alert</code>",
        "serves on, since 2026-03-09 12:00 UTC",
        "**Next:** ",
    )
    places = [first.index(words) for words in wanted]
    assert places == sorted(places)
    assert len(without_charts(first)) < 2000


def test_what_asks_for_most_comes_first_and_names_the_release_to_go_back_to() -> None:
    """A rollback that is asked for stands above an older alert, with the command that does it."""
    first = before_the_fold(shown(failing()))
    assert first.index("(rollback): AUC") < first.index("(alert): PSI")
    assert "(rollback): AUC: 0.610 [0.570, 0.650], **0.090 below the limit of 0.7**; new at this look" in first
    assert "0.060 below the limit of 0.5**, which its interval does not confirm; new at this look" in first
    assert "gatewright rollback triage --to triage-1999-1 --reason WHY" in first


def test_without_an_earlier_model_nobody_is_sent_back_to_one() -> None:
    """The page says whom to call instead."""
    page = monitor_page(failing(), example_view(), MONITORING, RELEASED[:2], links={})
    assert "there is none to go back to: call the owner of the model" in page
    assert "gatewright rollback" not in page


def test_since_when_it_serves_is_the_move_that_brought_it() -> None:
    """Not the first time that this model ever served: it was away between."""
    again = monitor_page(healthy(), example_view(), MONITORING, MOVES, links={})
    assert "serves on, since 2026-03-10 17:00 UTC" in again


def test_what_could_not_be_judged_is_no_health() -> None:
    """Rules that wait for the same labels stand in one line, and the chapter of metrics says why it is empty."""
    page = shown(alerted())
    assert "- **INCONCLUSIVE** (2 checks): 120 labels are too few to tell; the policy asks for 300" in page
    assert "*Not measured: 120 labels are too few to tell; the policy asks for 300.*" in page
    assert "health is not proven" in shown(silent())


def test_a_value_that_may_be_beyond_its_limit_is_named() -> None:
    """Not only that some interval is too wide."""
    report = look(*traffic(labels=900), measured("recall", 0.58, 0.39, 0.74, n=900))
    doubt = "- **INCONCLUSIVE**: recall: 0.580 [0.390, 0.740], **may be 0.110 below the limit of 0.5**"
    assert doubt in before_the_fold(shown(report))


def test_of_alarms_that_ask_for_the_same_the_furthest_beyond_its_limit_comes_first() -> None:
    """Three of thirty stand on the first screen."""
    drifts = {"belt": 0.3, "year_built": 1.4, "speed": 0.4, "age": 0.5}
    report = look(*traffic(), *(counted("psi", value, name) for name, value in drifts.items()))
    first = before_the_fold(shown(report))
    places = [first.index(f"PSI, {name}: ") for name in ("year\\_built", "age", "speed")]
    assert places == sorted(places)
    assert "- and 1 more, below" in first


def test_metrics_stand_beside_those_of_the_release() -> None:
    """0.858 was the AUC that people approved."""
    assert "| AUC | 0.610 | [0.570, 0.650] | 0.858 |" in shown(failing())


def test_nothing_measured_gives_sentences() -> None:
    """No empty chart, no empty table."""
    page = shown(look())
    assert page.startswith("## INCONCLUSIVE: ")
    for sentence in ("*No rule could be judged.*", "*Drift was not measured.*", "*Nothing was measured.*"):
        assert sentence in page


def test_hostile_text_adds_nothing_and_breaks_no_table() -> None:
    """Names of columns come from data, notes from measurements, titles from people."""
    report = look(
        *traffic(),
        counted("psi", 0.9, HOSTILE),
        Measurement(metric="auc", value=None, n=4, note=HOSTILE),
        Measurement(metric="recall", slice=HOSTILE, value=0.1, n=4, note=HOSTILE),
    )
    view = example_view()
    view = replace(view, spec=view.spec.model_copy(update={"title": HOSTILE}))
    moves = [entry.model_copy(update={"release_id": HOSTILE, "reason": HOSTILE}) for entry in RELEASED]
    page = monitor_page(report, view, MONITORING, moves, links=LINKS)
    assert not foreign_parts(page)
    assert not broken_tables(page)


def test_a_page_of_many_columns_stays_small() -> None:
    """Four hundred drifted columns stay well under the 300 kB that Prefect's events can carry."""
    report = look(*traffic(), *(counted("psi", 0.3, f"column_{i}") for i in range(400)))
    page = shown(report)
    assert "and 397 more, below" in page
    assert len(page.encode()) < 150_000
