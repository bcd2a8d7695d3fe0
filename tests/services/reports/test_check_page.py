"""The page of a checked file: its verdict, what speaks against it and by how much, before all numbers."""

from pathlib import Path

from gatewright.core.file_verdict import FileVerdict
from gatewright.core.results import CheckResult, Measurement, Severity, Status
from gatewright.services.reports.check_page import check_page
from tests.services.reports.example_view import measured
from tests.services.reports.pages import GOLDEN, HOSTILE, before_the_fold, broken_tables, foreign_parts
from tests.services.reports.rendering import without_charts


def judged(m: Measurement, status: Status, reason: str, **limit: float) -> CheckResult:
    return CheckResult(
        rule="floor", stage="check", metric=m.metric, slice=m.slice, value=m.value, interval=m.interval,
        minimum=limit.get("minimum"), maximum=limit.get("maximum"), n=m.n, status=status, severity=Severity.BLOCK,
        reason=reason,
    )  # fmt: skip


def checked(file: str = "scored.parquet", reason: str = "0.71 is below 0.75") -> FileVerdict:
    auc, change = measured("auc", 0.71, 0.68, 0.74), measured("auc_change", -0.02, -0.05, 0.01)
    return FileVerdict(
        file=file,
        rows=4200,
        task="binary_classification",
        confidence=0.9,
        verdict="block",
        reasons=(f"floor: auc failed: {reason}", "a champion was given without scores"),
        results=(
            judged(measured("recall", 0.8, 0.78, 0.82), Status.PASSED, "ok", minimum=0.5),
            judged(auc, Status.FAILED, reason, minimum=0.75),
        ),
        overall=(auc, change),
    )


def test_a_page_is_built_as_agreed(tmp_path: Path) -> None:
    """The page equals its golden file but for the drawing; the new text lies in the temporary directory."""
    found = without_charts(check_page(checked()))
    (tmp_path / "check_page.md").write_text(found, encoding="utf-8")
    assert found == (GOLDEN / "check_page.md").read_text(encoding="utf-8")


def test_the_first_screen_says_by_how_much_it_failed() -> None:
    """Once, not as a reason and as a result; what no result tells stands beside it."""
    first = before_the_fold(check_page(checked()))
    assert first.startswith("## BLOCK: scored.parquet")
    assert "- **FAIL** (blocks): AUC: 0.710 [0.680, 0.740], **0.040 below the limit of 0.75**" in first
    assert first.count("0.75") == 2  # in words, and in what the drawing says
    assert "- a champion was given without scores" in first


def test_hostile_text_adds_nothing_and_breaks_no_table() -> None:
    """File names and reasons come from people."""
    page = check_page(checked(HOSTILE, HOSTILE))
    assert not foreign_parts(page)
    assert not broken_tables(page)
