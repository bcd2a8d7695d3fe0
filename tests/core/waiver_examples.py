"""Waivers with fake keys that a test can hold, and a roster of who may sign them."""

from datetime import datetime, timedelta

from gatewright.core.policy import WaiverTerms
from gatewright.core.roster import Roster
from gatewright.core.signatures import WAIVER
from gatewright.core.tokens import token_of
from gatewright.core.waivers import WAIVER_KIND, Waiver, WaiverStatement
from tests.core.examples import NOW, policy, rule
from tests.core.owners import person, signer
from tests.fakes import FakeSigner

TERMS = policy(
    rule(),
    rule(id="slow", metric="latency_ms", slices="each", minimum=None, maximum=5, severity="warn"),
    rule(id="watched", severity="shadow"),
    waivers=WaiverTerms(roles=("risk",), maximum_days=30),
)
ROSTER = Roster(version=1, people=(person("ada.risk"), person("ann.author"), person("eve.risk", keys=2)))


def waiver_statement(**changes: object) -> WaiverStatement:
    given = {
        "kind": WAIVER_KIND,
        "model": "example",
        "rule": "auc-floor",
        "slice": "*",
        "principal": "ada.risk",
        "reason": "The new hosts arrive in May.",
        "issued": NOW,
        "expires": NOW + timedelta(days=10),
    }
    return WaiverStatement.model_validate({**given, **changes})


def waiver_token(key: FakeSigner | None = None, *, namespace: str = WAIVER, **changes: object) -> str:
    """Signed with the principal's own key unless another one is given."""
    said = waiver_statement(**changes)
    body = said.to_bytes()
    return token_of(body, (key or signer(said.principal)).sign(body, namespace=namespace))


def waiver(**changes: object) -> Waiver:
    """As it was recorded; whether it holds nobody has asked yet."""
    said = waiver_statement(**changes)
    return Waiver(statement=said, role="risk", assurance="signed", token=waiver_token(**changes))


def until(seconds: float) -> datetime:
    """So long after the waiver of this module expires."""
    return waiver_statement().expires + timedelta(seconds=seconds)


__all__ = ["ROSTER", "TERMS", "until", "waiver", "waiver_statement", "waiver_token"]
