"""Memory sticks at the office: the same way as a PUT, so nothing doubles; what goes back is for one terminal alone."""

from __future__ import annotations

import datetime as dt
import io
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from machine import Machine
from townhall import NUMBER, Line, body

from kiosk.office.decision import decide
from kiosk.office.models import AuditEntry, Backup, Case, Envelope, EnvelopePart, SafeEnvelope, TerminalKey
from kiosk.office.usb import export_bundle, import_bundle, write_bundle
from kiosk.sync.wire.bundle import (
    BundleHead,
    BundleReader,
    BundleWriter,
    Kind,
    Origin,
    ReceiptsBody,
    SafeBody,
    bundle_info,
)
from kiosk.sync.wire.envelope import digest, open_bytes, seal_in_pieces
from kiosk.sync.wire.keys import sealing_public, signing_public
from kiosk.sync.wire.models import OfficeKeys, Receipt, RosterPull
from kiosk.sync.wire.outcomes import OutcomesPull
from kiosk.sync.wire.parts import part_digest
from kiosk.sync.wire.signing import Context, sign, verify

PAGE = "/desk/office/envelope/bundle/"
_FORMS = {
    Kind.RECEIPTS: ReceiptsBody, Kind.SAFE: SafeBody, Kind.ROSTER: RosterPull, Kind.OUTCOMES: OutcomesPull, Kind.KEYS: OfficeKeys,
}


@pytest.fixture
def stick(line: Line) -> Callable[..., io.BytesIO]:
    """What a terminal would write. records: kind, name, body, signature."""
    def stick(*records: tuple[Kind, str, bytes, str], key: Any = None, **changes: Any) -> io.BytesIO:
        terminal, file = line.terminal, io.BytesIO()
        fields = {
            "origin": Origin.TERMINAL, "kiosk": terminal.id, "epoch": terminal.epoch, "id": "ab" * 16,
            "made": dt.datetime.now(dt.UTC),
        }
        bundle = BundleWriter(file, BundleHead.model_validate(fields | changes))
        for kind, name, data, signature in records:
            bundle.write(kind, data, name, signature)
        bundle.end(key or terminal.signing)
        file.seek(0)
        return file

    return stick


def case(line: Line, **changes: Any) -> tuple[Kind, str, bytes, str]:
    case_id, data = line.terminal.envelope(body(**changes))
    return Kind.CASE, case_id, data, line.terminal.signature(data)


def opened(line: Line, file: io.BytesIO) -> dict[Kind, list[Any]]:
    """What the terminal makes of it; its signature is checked."""
    file.seek(0)
    reader, terminal = BundleReader(file), line.terminal
    found: dict[Kind, list[Any]] = {}
    for at, record in enumerate(reader, start=1):
        assert reader.head is not None
        data = open_bytes(record.body, terminal.sealing, bundle_info(reader.head, at, record.head.kind))
        kind = Kind(record.head.kind)
        found.setdefault(kind, []).append(_FORMS[kind].model_validate_json(data) if kind in _FORMS else data)
    assert reader.whole and verify(Context.BUNDLE, reader.digest, reader.signature, signing_public(terminal.office_signing))
    return found


def exported(line: Line) -> dict[Kind, list[Any]]:
    file = io.BytesIO()
    export_bundle(line.terminal.id, file, "t")
    return opened(line, file)


# ------------------------------------------------------------------------------- taking in


def test_twice_changes_nothing(line: Line, stick: Callable[..., io.BytesIO]) -> None:
    records = [case(line) for _ in range(3)]
    first = import_bundle(stick(*records), "t")
    assert (first.terminal, first.new, first.known, first.refused, first.whole) == ("HG01", 3, 0, {}, True)
    assert [bytes(one.raw) for one in Envelope.objects.order_by("seq")] == [data for _, _, data, _ in records]
    receipts = [bytes(one.receipt) for one in Envelope.objects.order_by("seq")]
    again = import_bundle(stick(*records), "t")
    assert (again.new, again.known, again.whole) == (0, 3, True)
    assert [bytes(one.receipt) for one in Envelope.objects.order_by("seq")] == receipts
    assert line.put(records[0][2], records[0][1]).status_code == 200  # and the line comes back
    entry = AuditEntry.objects.filter(action=AuditEntry.Action.BUNDLE_IMPORTED).earliest("n")
    assert (entry.subject, entry.detail["new"], entry.detail["whole"]) == ("HG01", 3, True)


def test_pieces_before_their_case(line: Line, stick: Callable[..., io.BytesIO]) -> None:
    from kiosk.office import intake

    terminal = line.terminal
    header = terminal.header()
    data, pieces = seal_in_pieces(header, body().to_json(), sealing_public(terminal.office_sealing), 300)
    parts = [
        (Kind.PART, header.id, piece, sign(Context.PART, bytes.fromhex(part_digest(piece)), terminal.signing)) for piece in pieces
    ]
    whole = (Kind.CASE, header.id, data, terminal.signature(data))
    torn = import_bundle(stick(*parts[1:], whole), "t")
    assert (torn.pieces, torn.new) == (len(pieces) - 1, 1) and intake.open_due() == 0
    assert Kind.RECEIPTS not in exported(line)  # not promised while a piece is missing
    report = import_bundle(stick(*parts, whole), "t")
    assert (report.pieces, report.known) == (len(pieces), 1) and intake.open_due() == 1
    assert EnvelopePart.objects.count() == len(pieces) and len(exported(line)[Kind.RECEIPTS][0].receipts) == 1


def test_a_torn_file_and_a_damaged_record(line: Line, stick: Callable[..., io.BytesIO]) -> None:
    records = [case(line) for _ in range(3)]
    data = stick(*records).getvalue()
    second = data.index(records[1][2])
    torn = import_bundle(io.BytesIO(data[: second + 50]), "t")
    assert (torn.new, torn.whole, torn.damaged) == (1, False, 0)
    damaged = bytearray(data)
    damaged[second + 50] ^= 1
    report = import_bundle(io.BytesIO(bytes(damaged)), "t")
    assert (report.new, report.known, report.damaged, report.whole) == (1, 1, 1, False)
    assert Envelope.objects.count() == 2


@pytest.mark.parametrize("data", [b"", b"KIOSKUSB1\n", b"%PDF-1.7", bytes(1000)])
def test_no_bundle(line: Line, data: bytes) -> None:
    report = import_bundle(io.BytesIO(data), "t")
    assert (report.trouble, report.whole) == ("not_a_bundle", False)


def test_what_is_refused_is_counted_and_holds_nobody_up(line: Line, stick: Callable[..., io.BytesIO]) -> None:
    good, forged = case(line), case(line)
    other = case(line, number="999901194803020015")
    taken = (Kind.CASE, good[1], other[2], line.terminal.signature(other[2]))
    report = import_bundle(stick(
        (*forged[:3], "00" * 64), good, taken, (Kind.CASE, "ab", b"nonsense", "00"), (Kind.CASE, good[1], b"nonsense", "00"),
    ), "t")
    assert (report.new, report.refused) == (1, {"invalid": 3, "unreadable": 1})
    assert report.whole


def test_signed_by_another(line: Line, stick: Callable[..., io.BytesIO]) -> None:
    from townhall import Terminal

    report = import_bundle(stick(case(line), key=Terminal().signing), "t")
    assert (report.new, report.whole) == (1, False)  # each envelope proves itself


def test_a_full_disk_stops_it_and_the_rest_comes_later(
    line: Line, stick: Callable[..., io.BytesIO], monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [case(line) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: namedtuple("usage", "total used free")(1, 1, 1))
        report = import_bundle(stick(*records), "t")
    assert (report.trouble, report.new, report.refused, report.whole) == ("busy", 0, {}, False)
    assert import_bundle(stick(*records), "t").new == 2


# ------------------------------------------------------------------------------- the way back


def test_what_goes_back(line: Line, officer: User, add_person: Callable[..., Any]) -> None:
    add_person()
    ids = [line.hand_in() for _ in range(3)]
    assert decide(ids[0], 1, True, "", officer)
    backup = Backup.objects.create(pk="b1", taken=timezone.now(), verified=timezone.now(), file="x")
    SafeEnvelope.objects.create(envelope_id=ids[1], backup=backup)
    found = exported(line)
    receipts = [Receipt.model_validate_json(one.receipt) for body in found[Kind.RECEIPTS] for one in body.receipts]
    assert {one.id for one in receipts} == set(ids)
    for body_ in found[Kind.RECEIPTS]:
        for one in body_.receipts:
            assert line.terminal.proves(Context.RECEIPT, one.receipt, one.signature)
    assert {one.id: one.sha256 for one in receipts} == {
        one.pk: digest(bytes(one.raw)).hex() for one in Envelope.objects.all()
    }
    assert [list(one.ids) for one in found[Kind.SAFE]] == [[ids[1]]]
    assert [entry.number for page in found[Kind.ROSTER] for entry in page.entries] == [NUMBER]
    assert [one.case_id for page in found[Kind.OUTCOMES] for one in page.outcomes] == [ids[0]]
    assert list(found)[:5] == [Kind.RECEIPTS, Kind.SAFE, Kind.ROSTER, Kind.OUTCOMES, Kind.KEYS]
    entry = AuditEntry.objects.filter(action=AuditEntry.Action.BUNDLE_EXPORTED).latest("n")
    assert (entry.subject, entry.detail["receipts"]) == ("HG01", 1)


def test_an_office_with_nothing_to_say(line: Line) -> None:
    assert list(exported(line)) == [Kind.KEYS]


def test_not_for_a_revoked_or_unknown_terminal(line: Line, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="ZZ99"):
        write_bundle("ZZ99", tmp_path / "x", "t")
    TerminalKey.objects.update(revoked=timezone.now())
    with pytest.raises(LookupError, match="HG01"):
        write_bundle("HG01", tmp_path / "x", "t")
    assert list(tmp_path.iterdir()) == []


def test_to_the_terminals_own_software_and_back(machine: Machine, tmp_path: Path) -> None:
    from drafts import make_enrolment

    from kiosk.config import KioskConfig, Mode, StoreConfig
    from kiosk.office import intake
    from kiosk.store.outbox import count
    from kiosk.sync.usb import Exported, export
    from kiosk.sync.usb_import import Imported
    from kiosk.sync.usb_import import import_bundle as take

    now = dt.datetime.now(dt.UTC)
    config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=tmp_path / "terminal.db"))
    machine.send(make_enrolment())  # its answer was lost on the way
    assert count(machine.engine).unsent == 1
    written = export(machine.engine, tmp_path, now)
    assert isinstance(written, Exported)
    with written.path.open("rb") as file:
        report = import_bundle(file, "t")
    assert (report.known, report.whole) == (1, True) and intake.open_due() == 1
    write_bundle("HG01", tmp_path / "back", "t")
    result = take(machine.engine, config, tmp_path / "back", now)
    assert isinstance(result, Imported) and result.receipts == 1
    assert (count(machine.engine).unsent, count(machine.engine).delivered) == (0, 1)


# ------------------------------------------------------------------------------- the desk


@pytest.fixture
def head_officer(officer: User) -> User:
    officer.groups.set([Group.objects.get(name="主管")])
    return officer


def test_the_desk_takes_it_and_hands_the_answer_out(
    line: Line, client: Client, head_officer: User, stick: Callable[..., io.BytesIO],
) -> None:
    assert "导入U盘" in client.get("/desk/office/envelope/").content.decode()
    assert client.get(PAGE).status_code == 200
    file = SimpleUploadedFile("x.kiosk", stick(case(line), case(line)).getvalue())
    page = client.post(PAGE, {"file": file}).content.decode()
    assert "已全部导入" in page and "<th>新收</th><td>2</td>" in page
    assert AuditEntry.objects.filter(actor="wang", action=AuditEntry.Action.BUNDLE_IMPORTED).count() == 1
    answer = client.post(f"{PAGE}back/", {"terminal": "HG01"})
    assert answer["Content-Disposition"] == 'attachment; filename="HG01-office.kiosk"'
    found = opened(line, io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    assert len(found[Kind.RECEIPTS][0].receipts) == 2


@pytest.mark.parametrize(("data", "said"), [(b"x", "这不是终端导出的文件"), (None, "文件不完整，完好的部分已导入")])
def test_the_desk_says_what_is_wrong(
    line: Line, client: Client, head_officer: User, stick: Callable[..., io.BytesIO], data: bytes | None, said: str,
) -> None:
    torn = stick(case(line), case(line)).getvalue()[:-200]
    page = client.post(PAGE, {"file": SimpleUploadedFile("x.kiosk", data or torn)}).content.decode()
    assert said in page
    assert client.post(PAGE, {}).status_code == 200


def test_who_may(line: Line, client: Client, officer: User) -> None:
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}back/", {"terminal": "HG01"}).status_code == 403
    officer.groups.set([Group.objects.get(name="主管")])
    assert client.get(f"{PAGE}back/").status_code == 405
    assert client.post(f"{PAGE}back/", {"terminal": "ZZ99"}).status_code == 409
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(officer)
    assert strict.post(PAGE, {"file": SimpleUploadedFile("x", b"x")}).status_code == 403
    assert not Case.objects.exists()
