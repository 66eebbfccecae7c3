"""The office's word on the days of a terminal: who may ask, what counts as here, as safe, as lost."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone
from test_office_backup import configure
from test_office_parts import large, put_piece
from townhall import NOW, Line, Terminal, body

from kiosk.office.backup.make import make_backup
from kiosk.office.models import AuditEntry, Backup, Envelope, SafeEnvelope, TerminalKey
from kiosk.office.models import Terminal as TerminalRow
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest
from kiosk.sync.wire.models import Refusal
from kiosk.sync.wire.reconcile import DayAnswer, DayBody, DayState, ReconcileAnswer, ReconcileBody, day_digest
from kiosk.sync.wire.signing import Context, heartbeat_message, sign

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.skipif(connection.vendor != "sqlite", reason="copies of SQLite"),
]
TODAY = NOW.date()
SAME, DIFFERS = DayState.SAME, DayState.DIFFERS


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    configure(monkeypatch, backup_dir=tmp_path, free_floor_mb=0)
    return tmp_path


def headers_for(line: Line, data: bytes, path: str = http.RECONCILE_PATH, context: Context = Context.RECONCILE) -> dict[str, str]:
    nonce = uuid.uuid4().hex
    signature = sign(context, heartbeat_message(path, nonce, data, "POST"), line.terminal.signing)
    return {http.KIOSK: line.terminal.id, http.NONCE: nonce, http.SIGNATURE: signature}


def post(line: Line, data: bytes, headers: dict[str, str]) -> Any:
    kept = {name: value for name, value in headers.items() if value}
    return line.client.post(http.RECONCILE_PATH, data, content_type=http.JSON_TYPE, headers=kept)


def request(line: Line, *days: DayBody, **changes: object) -> bytes:
    fields = {"kiosk": line.terminal.id, "epoch": line.terminal.epoch, "days": days}
    return ReconcileBody.model_validate(fields | changes).to_json()


def ask(line: Line, *days: DayBody) -> ReconcileAnswer:
    data = request(line, *days)
    headers = headers_for(line, data)
    answer = post(line, data, headers)
    assert answer.status_code == 200, answer.content
    assert line.terminal.proves(Context.RECONCILE_ANSWER, answer.content, answer.headers[http.RECONCILE_SIGNATURE])
    told = ReconcileAnswer.model_validate_json(answer.content)
    assert told.nonce == headers[http.NONCE] and [one.day for one in told.days] == [one.day for one in days]
    return told


def of_day(line: Line, *ids: str, told: bool = False, purged: tuple[str, ...] = (), day: dt.date = TODAY) -> DayAnswer:
    return ask(line, DayBody(day=day, digest=day_digest(ids), ids=ids if told else None, purged=purged)).days[0]


def hand_in(line: Line, **changes: object) -> str:
    case_id, data = line.terminal.envelope(body(), **changes)
    assert line.put(data, case_id).status_code in (201, 202)
    return case_id


# ------------------------------------------------------------------------------- what is here, what is safe


def test_live_by_the_day_of_the_header_safe_by_the_backup(line: Line) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    first, second = hand_in(line), hand_in(line, day=yesterday)
    assert [(one.live, one.safe) for one in ask(
        line, DayBody(day=TODAY, digest=day_digest([first])), DayBody(day=yesterday, digest=day_digest([second])),
    ).days] == [(SAME, DIFFERS)] * 2
    assert ask(line).backup == ""
    backup = make_backup()
    third = hand_in(line)
    told = ask(line, DayBody(day=TODAY, digest=day_digest([first, third])), DayBody(day=yesterday, digest=day_digest([second])))
    assert told.backup == backup.pk and [(one.live, one.safe) for one in told.days] == [(SAME, DIFFERS), (SAME, SAME)]
    assert of_day(line, first).live is DIFFERS


def test_of_ids_told_what_is_missing_and_what_is_saved(line: Line) -> None:
    first = hand_in(line)
    make_backup()
    second, strange = hand_in(line), str(uuid.uuid4())
    answer = of_day(line, first, second, strange, told=True)
    assert (answer.live, answer.safe, answer.missing, answer.saved) == (DIFFERS, DIFFERS, (strange,), (first,))
    assert of_day(line, first, second).missing == () == of_day(line, first, second).saved, "only of ids told"


def test_held_ones_and_tombstones_are_here(line: Line) -> None:
    held, gone = hand_in(line, kid="0" * 16), hand_in(line)
    models.QuerySet(Envelope).filter(pk=gone).update(raw=b"", erased=timezone.now())
    assert of_day(line, held, gone).live is SAME
    make_backup()
    answer = of_day(line, held, gone, told=True)
    assert (answer.safe, answer.missing, set(answer.saved)) == (SAME, (), {held, gone})


def test_without_one_of_its_pieces_it_is_missing(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    line.put(data, case_id)
    for piece in pieces[1:]:
        put_piece(line, piece, case_id)
    answer = of_day(line, case_id, told=True)
    assert (answer.live, answer.missing) == (DIFFERS, (case_id,))
    put_piece(line, pieces[0], case_id)
    answer = of_day(line, case_id, told=True)
    assert (answer.live, answer.missing) == (SAME, ())


def test_cases_of_another_terminal_do_not_count_but_are_found_by_id(line: Line) -> None:
    """A machine that got another number still has cases it handed in under the old one."""
    mine = hand_in(line)
    other = Line(Terminal(id="HG02", office_signing=line.terminal.office_signing), line.client)
    row = TerminalRow.objects.create(pk="HG02", site="含湖村")
    key = TerminalKey.objects.get()
    key.pk, key.terminal = None, row
    key.save()
    other.terminal.signing = line.terminal.signing
    answer = of_day(other, mine, told=True)
    assert (answer.live, answer.missing) == (DIFFERS, ())
    assert of_day(other).live is SAME


def test_a_backup_whose_file_is_gone_says_nothing(line: Line, place: Path) -> None:
    case_id = hand_in(line)
    backup = make_backup()
    assert of_day(line, case_id).safe is SAME
    (place / backup.file).unlink()
    told = ask(line, DayBody(day=TODAY, digest=day_digest([case_id]), ids=(case_id,)))
    assert told.backup == "" and (told.days[0].safe, told.days[0].saved) == (DIFFERS, ())


def test_an_unverified_backup_makes_nothing_safe(line: Line) -> None:
    case_id = hand_in(line)
    one = Backup.objects.create(pk="b", taken=timezone.now(), file="x")
    SafeEnvelope.objects.create(envelope_id=case_id, backup=one)
    assert of_day(line, case_id).safe is DIFFERS


def test_missing_and_erased_there_is_an_alarm_once(line: Line) -> None:
    here, lost = hand_in(line), str(uuid.uuid4())
    of_day(line, here, told=True, purged=(here,))
    assert not AuditEntry.objects.filter(action="missing").exists()
    for _ in range(3):
        of_day(line, here, lost, told=True, purged=(here, lost))
    entry = AuditEntry.objects.get(action="missing")
    assert (entry.subject, entry.detail["count"]) == ("HG01", 1)
    of_day(line, here, lost, str(uuid.uuid4()), told=True)
    assert AuditEntry.objects.filter(action="missing").count() == 1, "what it still has it sends again"


def test_the_heartbeat_names_the_backup(line: Line) -> None:
    from townhall import heartbeat

    assert line.beat(heartbeat()).backup == ""
    backup = make_backup()
    assert line.beat(heartbeat()).backup == backup.pk


# ------------------------------------------------------------------------------- whose question


def refused(line: Line, answer: Any, status: int, code: str, data: bytes, nonce: str) -> None:
    assert answer.status_code == status, answer.content
    assert line.terminal.proves(Context.REFUSAL, answer.content, answer.headers[http.REFUSAL_SIGNATURE])
    refusal = Refusal.model_validate_json(answer.content)
    assert (refusal.code, refusal.id, refusal.sha256) == (code, nonce, digest(data).hex())


def test_wrong_signatures(line: Line) -> None:
    data, other = request(line), request(line, DayBody(day=TODAY, digest="0" * 64))
    good = headers_for(line, data)
    stranger = Line(Terminal(), line.client)
    for sent, headers in (
        (other, good), (data, headers_for(stranger, data)), (data, headers_for(line, data, http.HEARTBEAT_PATH)),
        (data, headers_for(line, data, context=Context.HEARTBEAT)), (data, good | {http.NONCE: "ab"}),
        (data, good | {http.SIGNATURE: "zz"}),
    ):
        refused(line, post(line, sent, headers), 403, "invalid", sent, headers[http.NONCE])


def test_unknown_revoked_another_and_an_earlier_enrolment(line: Line) -> None:
    data = request(line)
    headers = headers_for(line, data)
    refused(line, post(line, data, headers | {http.KIOSK: "ZZ99"}), 403, "device", data, headers[http.NONCE])
    for changes in ({"kiosk": "HG09"}, {"epoch": 7}):
        data = request(line, **changes)
        headers = headers_for(line, data)
        refused(line, post(line, data, headers), 403, "invalid", data, headers[http.NONCE])
    TerminalKey.objects.update(revoked=timezone.now())
    refused(line, post(line, data, headers), 403, "device", data, headers[http.NONCE])


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"kiosk":"HG01","epoch":1,"days":[{"day":"x"}]}'])
def test_what_is_no_question(line: Line, data: bytes) -> None:
    headers = headers_for(line, data)
    refused(line, post(line, data, headers), 422, "invalid", data, headers[http.NONCE])


@pytest.mark.parametrize("name", [http.KIOSK, http.NONCE, http.SIGNATURE])
def test_a_lost_header_is_a_network_fault(line: Line, name: str) -> None:
    data = request(line)
    answer = post(line, data, headers_for(line, data) | {name: ""})
    assert answer.status_code == 400 and http.REFUSAL_SIGNATURE not in answer.headers


def test_half_a_year_costs_few_questions_of_the_database(line: Line, django_assert_max_num_queries: Any) -> None:
    hand_in(line)
    days = [DayBody(day=TODAY - dt.timedelta(days=n), digest=day_digest([])) for n in range(180)]
    with django_assert_max_num_queries(20):
        answer = ask(line, *days)
    assert [one.live for one in answer.days] == [DIFFERS] + [SAME] * 179
