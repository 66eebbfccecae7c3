"""Reading a refusal: the office's own word, or none."""

from __future__ import annotations

from pydantic import ValidationError

from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer
from kiosk.sync.wire import http
from kiosk.sync.wire.models import Refusal
from kiosk.sync.wire.signing import Context


def signed_refusal(answer: Answer, identity: Identity, request_id: str, sha256: str) -> Refusal | None:
    """None unless the office signed it for this very request."""
    if not identity.office_signed(Context.REFUSAL, answer.body, answer.header(http.REFUSAL_SIGNATURE)):
        return None
    try:
        refusal = Refusal.model_validate_json(answer.body)
    except ValidationError:
        return None
    return refusal if (refusal.id, refusal.sha256) == (request_id, sha256) else None
