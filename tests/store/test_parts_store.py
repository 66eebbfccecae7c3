"""Large cases in the store: pieces beside the case in one transaction, never more waiting than allowed, all of it shown."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.domain.trouble import HandInTrouble
from kiosk.store.cases import CaseStore, SubmitFailed
from kiosk.store.models import PartRow
from kiosk.store.outbox import Outbox, count
from kiosk.store.waiting import WaitingCase, waiting_cases

MakeDraft = Callable[..., CaseDraft]
LATER = dt.timedelta(minutes=30)


@pytest.fixture
def submit(sealer: Any, draft: MakeDraft, now: dt.datetime) -> Callable[..., Any]:
    return lambda store, repeat=0: store.submit(draft(repeat=repeat), sealer, now)


@pytest.fixture
def in_pieces(sealer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sealer.seal
    monkeypatch.setattr(sealer, "seal", lambda one, ticket: dataclasses.replace(
        whole(one, ticket), parts=tuple(f"{ticket.case_id} {n}".encode() for n in range(3))))


@pytest.mark.usefixtures("in_pieces")
def test_pieces_go_one_by_one_in_their_order(store: CaseStore, engine: Engine, submit: Any, now: dt.datetime) -> None:
    first, second = submit(store).case_id, submit(store, 1).case_id
    outbox = Outbox(engine, 1, 60)
    for n in range(3):
        piece = outbox.next_piece(first)
        assert piece is not None and piece.body == f"{first} {n}".encode()
        assert piece.sha256 == hashlib.sha256(piece.body).hexdigest() and first not in repr(piece)
        outbox.piece_delivered(piece.sha256, now)
    assert outbox.next_piece(first) is None and outbox.next_piece(second) is not None
    with Session(engine) as session:
        assert {row.delivered for row in session.query(PartRow).filter_by(case_id=first)} == {now}
        lost = session.query(PartRow).filter_by(case_id=first, position=1).one().sha256
    assert outbox.pieces_lost(first, [lost]) == 1 and outbox.pieces_lost(second, [lost]) == 0
    again = outbox.next_piece(first)
    assert again is not None and again.sha256 == lost


@pytest.mark.usefixtures("in_pieces")
def test_the_same_wish_again_is_one_case_and_its_pieces(store: CaseStore, engine: Engine, submit: Any) -> None:
    assert submit(store) == submit(store)
    with Session(engine) as session:
        assert session.query(PartRow).count() == 3


def test_no_new_case_beyond_the_limit(engine: Engine, submit: Any, now: dt.datetime) -> None:
    store = CaseStore(engine, 0, max_unsent=2)
    first = submit(store)
    assert isinstance(first, CaseReceipt) and isinstance(submit(store, 1), CaseReceipt)
    assert submit(store, 2) == SubmitFailed(HandInTrouble.DISK_FULL, "too_many_unsent")
    assert submit(store) == first and not store.restart_needed  # what is handed in stays so
    outbox = Outbox(engine, 1, 60)
    outbox.acked(first.case_id, "committed", b"{}", "00", now)
    third = submit(store, 2)
    assert isinstance(third, CaseReceipt) and third.case_number.endswith("000003")  # the refused one took no number
    assert submit(store, 3) == SubmitFailed(HandInTrouble.DISK_FULL, "too_many_unsent")
    outbox.dead(third.case_id, "conflict", b"{}", "00", now)
    assert isinstance(submit(store, 3), CaseReceipt)


@pytest.mark.usefixtures("in_pieces")
def test_everything_that_waits_is_shown_and_nothing_else(store: CaseStore, engine: Engine, submit: Any, now: dt.datetime) -> None:
    outbox = Outbox(engine, 1, 60)
    receipts = [submit(store, repeat) for repeat in range(5)]
    gone, held, dead, started, fresh = receipts
    outbox.acked(gone.case_id, "committed", b"{}", "00", now)
    outbox.acked(held.case_id, "held", b"{}", "00", now)
    outbox.dead(dead.case_id, "conflict", b"{}", "00", now)
    piece = outbox.next_piece(started.case_id)
    assert piece is not None
    outbox.piece_delivered(piece.sha256, now)
    outbox.unproven(started.case_id, "timeout")
    age = LATER.total_seconds()
    assert waiting_cases(engine, now + LATER) == (
        WaitingCase(held.case_number, "held", 0, age, 0.0, None, 0, 3),
        WaitingCase(dead.case_number, "dead", 0, age, None, "conflict", 0, 3),
        WaitingCase(started.case_number, "pending", 0, age, 0.0, "timeout", 1, 3),
        WaitingCase(fresh.case_number, "pending", 0, age, 0.0, None, 0, 3),
    )
    assert waiting_cases(engine, now - LATER)[3].age_s == 0.0  # the clock was set back
    assert len(waiting_cases(engine, now)) == count(engine).unsent + count(engine).held + count(engine).dead
