"""The protocol of outbox and receipts as a state machine: the terminal's real store and delivery before a model of an office.

The office loses answers, forges, holds, refuses, comes back from old backups; the terminal dies in the middle and its clock
jumps. Whatever happens: a case once accepted is in the office in the end, exactly once and as it was sealed; nothing counts
as received without the office's signature; nothing dies but by its signed refusal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from office_stub import NOW, make_draft
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.models import CaseRow, OutboxRow, OutboxState
from kiosk.store.outbox import HELD, Outbox
from kiosk.sync import identity
from kiosk.sync.delivery import Delivery
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import Answer, LinkDown, NoAnswer
from kiosk.sync.reconcile import reconcile
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest, parse_header
from kiosk.sync.wire.keys import key_id, private_hex, public_hex
from kiosk.sync.wire.models import AckLevel, EnrolAnswer, OfficeKeys, Receipt, Refusal, RefusalCode
from kiosk.sync.wire.parts import PartReceipt, part_digest
from kiosk.sync.wire.reconcile import DayAnswer, DayState, ReconcileAnswer, ReconcileBody, day_digest
from kiosk.sync.wire.signing import Context, sign

GOOD = "good"
FATES = (
    GOOD, "down", "cut", "lost", "late", "portal", "http_403", "http_404", "http_413", "http_422", "http_500", "http_503",
    "forged", "of_another", "held", "killed_before", "killed_after",
)
STEPS_S = (0.0, 5.0, 61.0, 3600.0, -3600.0, -6 * 365 * 86400.0, 10 * 365 * 86400.0)
KEY = DatabaseKey("0f" * 32)
LEVELS = (AckLevel.COMMITTED.value, AckLevel.SAFE.value, HELD)


class Killed(BaseException):
    """The terminal's process is gone at this very place."""


class ModelOffice:
    """Stands where the link to the office stands. `fates` are used up one per exchange."""

    def __init__(self, signing: Ed25519PrivateKey, stranger: Ed25519PrivateKey) -> None:
        self.signing, self._stranger = signing, stranger
        self.stored: dict[str, bytes] = {}
        self.pieces: dict[str, bytes] = {}
        self.backups: list[tuple[dict[str, bytes], dict[str, bytes]]] = []
        self.saved: dict[str, bytes] = {}
        """In the newest verified backup."""
        self.ever_saved: set[str] = set()
        self.ever_stored: set[str] = set()
        self.refused: set[str] = set()
        self.held: set[str] = set()
        self.fates: deque[str] = deque()
        self._said: list[tuple[str, Answer]] = []

    def exchange(self, method: str, target: str, headers: Mapping[str, str], content: bytes | None, limit: int) -> Any:
        fate = self.fates.popleft() if self.fates else GOOD
        if fate == "killed_before":
            raise Killed
        if fate in ("down", "cut"):
            return LinkDown("connect") if fate == "down" else NoAnswer("broken_off")
        if fate == "portal":
            return Answer(200, httpx.Headers({"Content-Type": "text/html"}), b"<html>please log in</html>")
        if fate.startswith("http_"):
            return Answer(int(fate[5:]), httpx.Headers({}), b'{"detail": "no"}')
        if fate == "of_another":
            others = [answer for told, answer in self._said if told != target]
            return others[0] if others else NoAnswer("broken_off")
        answer = self._answer(target, headers, content or b"", fate)
        if fate == "killed_after":
            raise Killed
        if fate in ("lost", "late"):
            return NoAnswer("timeout")
        self._said.append((target, answer))
        return answer

    def back_up(self) -> None:
        self.backups.append((dict(self.stored), dict(self.pieces)))
        self.saved = self._complete()
        self.ever_saved |= set(self.saved)

    def restore(self, number: int) -> None:
        self.stored, self.pieces = map(dict, self.backups[number])
        self.saved = self._complete()

    def _complete(self) -> dict[str, bytes]:
        return {one: data for one, data in self.stored.items() if self.pieces.keys() >= set(parse_header(data).parts)}

    def _answer(self, target: str, headers: Mapping[str, str], content: bytes, fate: str) -> Answer:
        if target == http.RECONCILE_PATH:
            return self._compare(headers[http.NONCE], ReconcileBody.model_validate_json(content), fate)
        if target.startswith("/v1/parts/"):
            self.pieces[part_digest(content)] = content
            told = PartReceipt(case=headers[http.CASE], sha256=part_digest(content), kid=self._kid).to_json()
            return self._signed(Context.PART_RECEIPT, http.PART_SIGNATURE, 201, told, fate)
        case_id = target.rsplit("/", 1)[1]
        if case_id in self.refused:
            told = Refusal(
                id=case_id, sha256=digest(content).hex(), code=RefusalCode.CONFLICT, kid=self._kid).to_json()
            return self._signed(Context.REFUSAL, http.REFUSAL_SIGNATURE, 409, told, fate)
        new = case_id not in self.stored
        assert new or self.stored[case_id] == content, "the same case came with other bytes"
        self.stored[case_id] = content
        self.ever_stored.add(case_id)
        (self.held.add if fate == "held" and new else self.held.discard)(case_id)
        level = AckLevel.HELD if case_id in self.held else AckLevel.COMMITTED
        told = Receipt(id=case_id, sha256=digest(content).hex(), received=NOW, level=level, kid=self._kid).to_json()
        answer = self._signed(Context.RECEIPT, http.RECEIPT_SIGNATURE, 201 if new else 200, told, fate)
        missing = [one for one in parse_header(content).parts if one not in self.pieces]
        if missing:
            answer.headers[http.MISSING] = ",".join(missing)
        return answer

    def _compare(self, nonce: str, asked: ReconcileBody, fate: str) -> Answer:
        days = []
        whole = self._complete()
        for one in asked.days:
            live = [case for case, data in whole.items() if parse_header(data).day == one.day]
            saved = [case for case, data in self.saved.items() if parse_header(data).day == one.day]
            told = set(one.ids or ())
            days.append(DayAnswer(
                day=one.day, live=DayState.SAME if day_digest(live) == one.digest else DayState.DIFFERS,
                safe=DayState.SAME if day_digest(saved) == one.digest else DayState.DIFFERS,
                missing=tuple(sorted(told - set(live))), saved=tuple(sorted(told & set(saved))),
            ))
        told_bytes = ReconcileAnswer(nonce=nonce, backup="b" if self.backups else "", days=tuple(days)).to_json()
        return self._signed(Context.RECONCILE_ANSWER, http.RECONCILE_SIGNATURE, 200, told_bytes, fate)

    @property
    def _kid(self) -> str:
        return key_id(self.signing.public_key())

    def _signed(self, context: Context, name: str, status: int, told: bytes, fate: str) -> Answer:
        key = self._stranger if fate == "forged" else self.signing
        return Answer(status, httpx.Headers({name: sign(context, told, key)}), told)


class OutboxMachine(RuleBasedStateMachine):
    template: Path
    """An enrolled, empty database, made once."""
    keys: dict[str, Any]

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-model-"))
        shutil.copy(self.template, self.folder / "terminal.db")
        self.office = ModelOffice(self.keys["office"], self.keys["stranger"])
        self.accepted: dict[str, bytes] = {}
        self.visits = 0
        self.now = NOW
        self.engine: Engine
        self._open()
        self.office.back_up()
        for large in (False, True, False):
            self.hand_in(large)

    def _open(self) -> None:
        self.engine = open_database(self.folder / "terminal.db", KEY)
        known = load_identity(self.engine)
        assert known is not None
        self.identity: Identity = known

    def hand_in(self, large: bool) -> None:
        self.visits += 1
        self._submit(self.visits, large)

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def hand_in_the_same_again(self, data: st.DataObject) -> None:
        """Somebody who saw no slip tries again: the same case."""
        before = set(self.accepted)
        self._submit(data.draw(st.integers(1, self.visits)), False)
        assert set(self.accepted) == before

    def _submit(self, visit: int, large: bool) -> None:
        draft = make_draft(number=f"999901195001{visit:06d}", photos=(bytes(9000),) if large else (b"\xff\xd8small",))
        receipt = CaseStore(self.engine, 0).submit(draft, EnvelopeSealer(self.engine, True, 4000), self.now)
        assert isinstance(receipt, CaseReceipt), receipt
        with Session(self.engine) as session:
            self.accepted.setdefault(receipt.case_id, session.get_one(CaseRow, receipt.case_id).sealed)

    @rule(seed=st.integers(0, 2**32), large=st.booleans(), seconds=st.sampled_from(STEPS_S))
    def deliver(self, seed: int, large: bool, seconds: float) -> None:
        """seed: of what happens on the way, one fate per exchange; a list drawn by hypothesis is mostly short and dull."""
        self.hand_in(large)
        self._step_the_clock(seconds)
        self.office.fates.extend(random.Random(seed).choices(FATES, k=12))
        try:
            self._pass()
        except Killed:
            self.start_again()
        self.office.fates.clear()

    def _step_the_clock(self, seconds: float) -> None:
        earliest, latest = NOW - dt.timedelta(days=7000), NOW + dt.timedelta(days=9000)
        self.now = min(max(self.now + dt.timedelta(seconds=seconds), earliest), latest)

    def start_again(self) -> None:
        self.engine.dispose()
        self._open()

    @rule()
    def back_up(self) -> None:
        self.office.back_up()

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self.office.restore(data.draw(st.integers(0, len(self.office.backups) - 1)))

    @rule(first=st.sampled_from((GOOD, "lost", "portal", "forged", "of_another", "killed_after")))
    def compare(self, first: str) -> None:
        self.office.fates.extend((GOOD, first) if first == "killed_after" else (first,))
        try:
            self._reconcile()
        except Killed:
            self.start_again()
        self.office.fates.clear()

    @precondition(lambda self: self.accepted)
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        """From now on the office will never take this one; what it has, it has."""
        case_id = data.draw(st.sampled_from(list(self.accepted)))
        if case_id not in self.office.ever_stored:
            self.office.refused.add(case_id)

    @rule()
    def staff_clear_the_cause(self) -> None:
        self.office.refused.clear()
        Outbox(self.engine, 1, 60).requeue_dead(self.now)

    @invariant()
    def only_signed_words_count(self) -> None:
        if not hasattr(self, "engine"):
            return
        with Session(self.engine.execution_options(read_only=True)) as session, session.begin():
            rows = list(session.scalars(select(OutboxRow)))
            sealed = {case.id: case.sealed for case in session.scalars(select(CaseRow))}
            states = [(row.case_id, row.state, row.ack_level, row.answer or b"", row.answer_signature or "") for row in rows]
        assert sealed == self.accepted, "a case was changed, lost or made up"
        for case_id, state, level, answer, signature in states:
            if state == OutboxState.ACKED:
                assert self.identity.office_signed(Context.RECEIPT, answer, signature)
                receipt = Receipt.model_validate_json(answer)
                assert (receipt.id, receipt.sha256) == (case_id, digest(sealed[case_id]).hex())
                assert case_id in self.office.ever_stored and level in LEVELS
                assert level != AckLevel.SAFE or case_id in self.office.ever_saved
            elif state == OutboxState.DEAD:
                assert self.identity.office_signed(Context.REFUSAL, answer, signature)
                assert Refusal.model_validate_json(answer).id == case_id

    def teardown(self) -> None:
        """When the office is itself again, everything is there: nothing lost, nothing doubled."""
        if not hasattr(self, "engine"):
            return
        try:
            self.staff_clear_the_cause()
            for _ in range(4):
                self._reconcile()
                self._pass()
            assert self.office.stored == self.accepted
            assert self.office._complete() == self.accepted
            with Session(self.engine) as session:
                left = session.scalars(select(OutboxRow.case_id).where(
                    (OutboxRow.state != OutboxState.ACKED) | (OutboxRow.ack_level == HELD))).all()
            assert not left
        finally:
            self.engine.dispose()
            shutil.rmtree(self.folder)

    def _pass(self) -> None:
        """After the longest wait there is."""
        self.now += dt.timedelta(seconds=61)
        outbox = Outbox(self.engine, 1, 60)
        link: Any = self.office
        Delivery(outbox, link, self.identity, Gate(0, 0), lambda: self.now).run_pass(threading.Event())

    def _reconcile(self) -> None:
        link: Any = self.office
        reconcile(self.engine, link, self.identity, 400, self.now)


def _prepare(folder: Path) -> None:
    office, stranger, terminal, sealing = (
        Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), X25519PrivateKey.generate(),
    )
    engine = open_database(folder / "terminal.db", KEY)
    migrate(engine)
    answer = EnrolAnswer(
        terminal_id="HG07", site="含谷镇", epoch=1, signing_key=public_hex(terminal.public_key()),
        office=OfficeKeys(
            sealing=public_hex(X25519PrivateKey.generate().public_key()), signing=(public_hex(office.public_key()),),
        ),
    )
    stored = identity.Stored(
        office_url="http://127.0.0.1", answer=answer, signing_key=private_hex(terminal), sealing_key=private_hex(sealing),
    )
    identity.take_identity(engine, stored, "enrolled", "enrolment_asked")
    with contextlib.closing(engine.raw_connection()) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    OutboxMachine.template = folder / "terminal.db"
    OutboxMachine.keys = {"office": office, "stranger": stranger}


def _run(folder: Path, examples: int, steps: int, **more: Any) -> None:
    _prepare(folder)
    run_state_machine_as_test(OutboxMachine, settings=settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), **more,
    ))


def test_the_protocol(tmp_path: Path) -> None:
    _run(tmp_path, 25, 15)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_the_protocol_at_length(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    scale = request.config.getoption("--scale", 1.0)
    _run(tmp_path, max(50, round(1500 * scale)), 50)
