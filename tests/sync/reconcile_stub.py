"""The little office's word on what it holds, true or to order a lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.sync.wire import http as names
from kiosk.sync.wire.envelope import digest, parse_header
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import Refusal
from kiosk.sync.wire.reconcile import DayAnswer, DayBody, DayState, ReconcileAnswer, ReconcileBody, day_digest
from kiosk.sync.wire.signing import Context, heartbeat_message, sign, verify

if TYPE_CHECKING:
    from office_stub import OfficeStub

STRANGE = "01890a5d-ac96-774b-bcce-b302099a8057"


def answer(handler: Any, data: bytes) -> Any:
    office: OfficeStub = handler.office
    nonce = handler.headers[names.NONCE]
    assert office.terminal is not None
    message = heartbeat_message(names.RECONCILE_PATH, nonce, data, "POST")
    key = signing_public(office.terminal.signing_key)
    assert verify(Context.RECONCILE, message, handler.headers[names.SIGNATURE], key)
    body = ReconcileBody.model_validate_json(data)
    office.reconciled.append(body)
    fate = office.reconcile_fate
    if fate == "device":
        refusal = Refusal(id=nonce, sha256=digest(data).hex(), code="device", kid="k").to_json()
        return handler.answer(403, refusal, X_Refusal_Sig=sign(Context.REFUSAL, refusal, office.signing))
    if fate not in LIES and fate != "good":
        return getattr(handler, fate)("", data)
    told = ReconcileAnswer(nonce=nonce, backup=office.backup, days=tuple(_day(office, one) for one in body.days))
    told = LIES[fate](told) if fate in LIES else told
    text = b"[]" if fate == "nonsense" else told.to_json()
    signer = Ed25519PrivateKey.generate() if fate == "stranger" else office.signing
    context = Context.HEARTBEAT_ANSWER if fate == "as_heartbeat" else Context.RECONCILE_ANSWER
    signature = "" if fate == "unsigned" else sign(context, text, signer)
    return handler.answer(200, text, X_Reconcile_Sig=signature)


def _day(office: OfficeStub, asked: DayBody) -> DayAnswer:
    held = {one for one, data in office.stored.items() if parse_header(data).day == asked.day}
    saved = held & office.safe if office.backup else set()
    ids = asked.ids or ()
    return DayAnswer(
        day=asked.day, live=_state(held, asked), safe=_state(saved, asked),
        missing=tuple(one for one in ids if one not in held), saved=tuple(one for one in ids if one in saved),
    )


def _state(ids: set[str], asked: DayBody) -> DayState:
    return DayState.SAME if day_digest(ids) == asked.digest else DayState.DIFFERS


def _every_day(**changes: Any) -> Any:
    return lambda told: told.model_copy(update={"days": tuple(day.model_copy(update=changes) for day in told.days)})


def _all_safe(told: ReconcileAnswer) -> ReconcileAnswer:
    """What an attacker would like to be believed."""
    return _every_day(live=DayState.SAME, safe=DayState.SAME)(told.model_copy(update={"backup": "b"}))


LIES = {
    "other_nonce": lambda told: _all_safe(told).model_copy(update={"nonce": "ab" * 16}),
    "unsigned": _all_safe,
    "stranger": _all_safe,
    "as_heartbeat": _all_safe,
    "nonsense": _all_safe,
    "day_not_asked": lambda told: _every_day(day=told.days[0].day.replace(year=1999))(_all_safe(told)),
    "day_left_out": lambda told: _all_safe(told).model_copy(update={"days": told.days[1:]}),
    "day_twice": lambda told: _all_safe(told).model_copy(update={"days": (*told.days, told.days[0])}),
    "missing_not_asked": lambda told: _every_day(missing=(STRANGE,))(_all_safe(told)),
    "saved_not_asked": lambda told: _every_day(saved=(STRANGE,))(_all_safe(told)),
    "safe_without_backup": lambda told: _all_safe(told).model_copy(update={"backup": ""}),
}
