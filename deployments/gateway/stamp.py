"""Resuming a run: the answer in the name of whoever is logged in, with a stamp that binds it to the open question."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from deployments.gateway.bodies import refuse_templates
from deployments.gateway.inside import Inside
from deployments.gateway.refusals import RefusalError, UnansweredError
from deployments.gateway.routes import API
from gatewright.core.break_glass import BREAK_GLASS_KIND
from gatewright.core.errors import ApprovalError, NotFoundError, SpecError
from gatewright.core.records import Record
from gatewright.core.signatures import GATEWAY_STAMP, Signer
from gatewright.core.statements import GATEWAY_KIND, NO_TOKEN, STATEMENT_KIND, GatewayStamp, Pause
from gatewright.core.tokens import MAX_TOKEN, parse_token, token_of
from gatewright.services.pauses import Pauses

__all__ = ["Stamps"]


class _Typed(Record):
    """The approval form as it was filled in."""

    decision: str | None = None
    approver: str | None = None
    reason: str | None = None
    token: str | None = None


class _Resume(Record):
    run_input: _Typed | None = None


class Stamps:
    """Rewrites the body of ``resume``."""

    def __init__(self, inside: Inside, pauses: Pauses, signer: Signer, now: Callable[[], datetime]) -> None:
        self._inside = inside
        self._pauses = pauses
        self._signer = signer
        self._now = now

    async def rewritten(self, run_id: str, who: str, body: dict[str, Any]) -> dict[str, Any]:
        """The same answer, with ``who`` as the approver and the stamp as its token.

        A token that a person has signed stays: as an approval, or to break the glass. Raises UnansweredError when the
        form is not filled in, RefusalError.
        """
        refuse_templates(body)
        typed = _typed(body)
        if not typed.reason or typed.decision is None:
            raise UnansweredError("Choose a decision, and say why.")
        token = (typed.token or "").strip()
        if not _is_signed(token):
            pause = await self._pause(run_id)
            token = await asyncio.to_thread(self._stamp, pause, who, typed.decision, typed.reason)
        return {"run_input": {"decision": typed.decision, "approver": who, "reason": typed.reason, "token": token}}

    async def _pause(self, run_id: str) -> Pause:
        state = (await self._inside.read(f"{API}/flow_runs/{run_id}")).get("state") or {}
        key = (state.get("state_details") or {}).get("pause_key")
        if state.get("type") != "PAUSED" or not isinstance(key, str):
            raise RefusalError(409, "This run does not wait for an answer.")
        return Pause(run_id=run_id, key=key)

    def _stamp(self, pause: Pause, who: str, decision: str, reason: str) -> str:
        try:
            note = self._pauses.read(pause.run_id, pause.key)
        except (NotFoundError, SpecError):
            raise RefusalError(409, "This run waits for something else than an approval.") from None
        try:
            stamp = GatewayStamp(
                kind=GATEWAY_KIND,
                run_id=pause.run_id,
                pause_key=pause.key,
                evidence_root=note.evidence_root,
                nonce=note.nonce,
                decision=decision,
                principal=who,
                reason=reason,
                at=self._now(),
            ).to_bytes()
        except ValidationError:
            raise UnansweredError("Decide approve or reject.") from None
        token = token_of(stamp, self._signer.sign(stamp, namespace=GATEWAY_STAMP))
        if len(token) > MAX_TOKEN:
            raise UnansweredError("The reason is too long: say it in fewer words.")
        return token


def _typed(body: dict[str, Any]) -> _Typed:
    try:
        return _Resume.model_validate(body).run_input or _Typed()
    except ValidationError:
        raise RefusalError(400, "An answer is the texts decision, approver, reason and token.") from None


def _is_signed(token: str) -> bool:
    """Whether a person's own statement was pasted, which says more than a stamp. It is verified in the flow."""
    if not token or token.lower() == NO_TOKEN:
        return False
    try:
        return parse_token(token).kind in (STATEMENT_KIND, BREAK_GLASS_KIND)
    except ApprovalError:
        return False
