"""Great Expectations' Data Docs as one page that needs no network and runs no script."""

import copy
import html
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["render_data_docs"]

# The page loads a dozen files from other people's servers; without them it hangs or loses its layout.
REMOTE = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<footer\b.*?</footer>"
    r"|<nav class=\"navbar navbar-expand.*?</nav>\s*</div>\s*</nav>"
    r"|background: url\('https[^;]*;|href=\"\.\./[^\"]*\"",
    re.DOTALL,
)
# Nothing is loaded and nothing runs, whatever a value in the data may look like.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 1rem; color: #222; }
.row { display: flex; flex-wrap: wrap; } .col-md-10 { flex: 1 1 700px; min-width: 0; } .col-lg-2 { flex: 0 1 200px; }
.col-12 { width: 100%; } .table-responsive { overflow-x: auto; }
.alert { background: #eef0f2; border-left: 4px solid #667; margin: 1.2rem 0 .4rem; padding: .5rem .8rem; }
.card { border: 1px solid #ccd; padding: .5rem; } h4, h5, h6, p { margin: .2rem 0; font-size: 1rem; }
table { border-collapse: collapse; margin: .4rem 0; width: 100%; }
td, th { border: 1px solid #ccd; padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.badge { background: #e2e6ee; border-radius: 3px; padding: 0 .3rem; } ul { padding-left: 1rem; list-style: none; }
.fas { font-style: normal; font-weight: 700; }
.fa-check-circle::before { content: "PASS"; color: #17692f; } .fa-times::before { content: "FAIL"; color: #a3121f; }
.fa-exclamation-triangle::before { content: "ERROR"; color: #8a5300; }
td:first-child, th:first-child { min-width: 4.5rem; }
.card.mb-3 { display: none; }
"""


def render_data_docs(outcome: Any, entries: Sequence[dict[str, Any]]) -> dict[str, bytes]:
    """Path -> bytes of the site.

    ``outcome`` is a GX ExpectationSuiteValidationResult and ``entries`` its masked results in the same
    order; only values of ``entries`` are shown.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    shown = copy.copy(outcome)
    shown.results = [_shown(one, entry) for one, entry in zip(outcome.results, entries, strict=True)]
    # Load times and fingerprints would make every page different.
    shown.meta = {}
    document = ValidationResultsPageRenderer(run_info_at_end=True).render(shown)
    return {"index.html": _self_contained(DefaultJinjaPageView().render(document)).encode()}


def _shown(one: Any, entry: dict[str, Any]) -> Any:
    shown = copy.deepcopy(one)
    # GX's templates do not escape values.
    shown.result = _escaped(entry["result"])
    shown.exception_info = _escaped(entry["exception_info"])
    shown.meta = {}
    # Named anew at each run.
    shown.expectation_config.id = None
    shown.expectation_config.kwargs.pop("batch_id", None)
    return shown


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {_escaped(key): _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return html.escape(value) if isinstance(value, str) else value


def _self_contained(page: str) -> str:
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style></head>'
    return REMOTE.sub("", page).replace("</head>", head, 1)
