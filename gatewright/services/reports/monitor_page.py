"""What production traffic showed and what was done about it, in Markdown."""

from collections.abc import Sequence

from gatewright.core.results import CheckResult, Measurement
from gatewright.services.reports import measured
from gatewright.services.reports.escape import md
from gatewright.services.reports.tables import bullets, page
from gatewright.services.reports.verdicts import rule_table

__all__ = ["monitor_page"]

_RESPONSES = {
    "record": "Recorded; no rule asks for more.",
    "alert": "Somebody should look.",
    "retrain": "Retraining is asked for.",
    "rollback": "A rollback is asked for.",
}


def monitor_page(
    model: str,
    measurements: Sequence[Measurement],
    findings: Sequence[CheckResult],
    response: str,
    reasons: Sequence[str],
    window: str,
) -> str:
    """What production traffic showed in ``window`` and what was done about it."""
    return page(
        f"# {md(response.upper())}: {md(model)} in production",
        f"**{_RESPONSES.get(response, md(response))}** Predictions of {md(window)}.",
        bullets(md(reason) for reason in reasons),
        rule_table(findings) if findings else "*No rule was judged.*",
        measured.listing(measurements),
    )
