"""A memory stick instead of a line: out goes what is stored, in comes only what the office has signed for this terminal."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from machines import Machine
from office_stub import NAME, NUMBER, OfficeStub, make_draft
from real_office import RealOffice
from sqlalchemy import Engine

from kiosk.content.manifest import ContentFile, Manifest
from kiosk.domain.case import CaseReceipt
from kiosk.store.account import send_again
from kiosk.store.cases import CaseStore
from kiosk.store.outbox import Outbox, count
from kiosk.store.outcomes import Outcomes
from kiosk.store.roster import Roster
from kiosk.sync import usb, usb_import
from kiosk.sync.content import in_use, with_office_settings
from kiosk.sync.delivery import vouch
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.usb import Exported, ExportFailed, export
from kiosk.sync.usb_import import Imported, ImportFailed, import_bundle
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.bundle import (
    BundleHead,
    BundleReader,
    BundleWriter,
    Kind,
    ManifestBody,
    Origin,
    ReceiptsBody,
    Record,
    SafeBody,
    SignedReceipt,
    bundle_info,
)
from kiosk.sync.wire.envelope import parse_header, seal_bytes
from kiosk.sync.wire.keys import public_hex
from kiosk.sync.wire.models import AckLevel, OfficeKeys, RosterEntryBody, RosterPull
from kiosk.sync.wire.outcomes import OutcomeBody, OutcomesPull
from kiosk.sync.wire.signing import Context, sign, verify

NOW = dt.datetime(2026, 11, 25, 3, 0, tzinfo=dt.UTC)
_OFFICE = "from kiosk.office import service\nfrom pathlib import Path\nimport dataclasses\n"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def far(office: OfficeStub, tmp_path: Path) -> Iterator[Machine]:
    """Enrolled, then carried to where no line is."""
    machine = Machine(tmp_path / "far")
    machine.enrol(office.code)
    yield machine
    machine.close()


def records(path: Path) -> tuple[BundleReader, list[Record]]:
    with path.open("rb") as file:
        reader = BundleReader(file)
        return reader, list(reader)


def out(machine: Machine, stick: Path, everything: bool = False) -> Exported:
    result = export(machine.engine, stick, NOW, everything)
    assert isinstance(result, Exported), result
    return result


def take(machine: Machine, path: Path) -> Imported | ImportFailed:
    return import_bundle(machine.engine, machine.config, path, NOW)


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT * FROM outbox ORDER BY epoch, seq").all())


Contents = list[tuple[Kind, str, "Wire | bytes"]]


@pytest.fixture
def word(office: OfficeStub, far: Machine, stick: Path) -> Callable[..., Path]:
    """A bundle of the office with these contents."""
    def word(contents: Contents, made: dt.datetime = NOW, **changes: Any) -> Path:
        identity, key = far.identity, changes.pop("key", office.signing)
        fields = {"origin": Origin.OFFICE, "kiosk": identity.terminal_id, "epoch": identity.epoch, "id": os.urandom(16).hex()}
        head = BundleHead.model_validate(fields | {"made": made} | changes)
        path = stick / f"{head.id}.kiosk"
        with path.open("wb") as file:
            bundle = BundleWriter(file, head)
            for kind, name, body in contents:
                data = body if isinstance(body, bytes) else body.to_json()
                info = bundle_info(head, bundle.count, kind)
                bundle.write(kind, seal_bytes(data, identity.sealing_key.public_key(), info), name)
            bundle.end(key)
        return path

    return word


@pytest.fixture
def receipts(office: OfficeStub, far: Machine) -> Callable[..., Contents]:
    """The office's receipts for everything that is here."""
    def receipts(level: AckLevel = AckLevel.COMMITTED, key: Ed25519PrivateKey | None = None) -> Contents:
        with far.engine.connect() as connection:
            stored = connection.exec_driver_sql("SELECT id, sealed FROM cases ORDER BY id").all()
        signed = [office.receipt(case_id, data, level, key) for case_id, data in stored]
        body = ReceiptsBody(receipts=tuple(SignedReceipt(receipt=one, signature=sig) for one, sig in signed))
        return [(Kind.RECEIPTS, "", body)]

    return receipts


def at_office(real: RealOffice, path: Path) -> dict[str, Any]:
    told = real.ask(f"{_OFFICE}found = dataclasses.asdict(service.import_bundle(Path({str(path)!r})))")
    assert isinstance(told, dict)
    return told


# ------------------------------------------------------------------------------- all the way


def test_lc_15_a_machine_that_never_reached_the_office(stick: Path, tmp_path: Path) -> None:
    """The real office, and a terminal that after its enrolment never speaks to it again."""
    real = RealOffice(tmp_path / "office")
    real.start()
    far = Machine(tmp_path / "far")
    far.enrol(real.codes("US01")[0])
    real.stop()
    ids = [far.hand_in(number) for number in range(4)]
    large = CaseStore(far.engine, 0).submit(
        make_draft(photos=(os.urandom(40_000),), number="999901195101010017"),
        EnvelopeSealer(far.engine, simulated=True, part_bytes=16_384), NOW,
    )
    assert isinstance(large, CaseReceipt)
    ids.append(large.case_id)
    written = out(far, stick)
    assert (written.cases, written.noted) == (5, True) and written.pieces > 3
    assert [one.name for one in stick.iterdir()] == [written.path.name]

    told = at_office(real, written.path)
    assert {name: told[name] for name in ("new", "known", "held", "refused", "damaged", "whole", "trouble")} == {
        "new": 5, "known": 0, "held": 0, "refused": {}, "damaged": 0, "whole": True, "trouble": "",
    }
    assert told["pieces"] == written.pieces
    again = at_office(real, written.path)
    assert (again["new"], again["known"], again["whole"]) == (0, 5, True)

    publish = tmp_path / "content"
    publish.mkdir()
    (publish / "settings.toml").write_text('[site]\nhelp_phone = "023-7"\n')
    real.ask(
        f"{_OFFICE}from kiosk.office import intake\nfrom kiosk.office.decision import decide\n"
        "from django.contrib.auth.models import User\nfrom django.conf import settings\n"
        "intake.open_due()\n"
        f"service.publish_content(Path({str(publish)!r}), lambda _: ())\n"
        "from django.db import transaction\nfrom kiosk.office.models import Person\n"
        f"person = Person(number={NUMBER!r}, name={NAME!r}, category='居保')\n"
        "with transaction.atomic(): person.save_changed()\nfound = 1"
    )
    bundle = stick / "back.kiosk"
    real.ask(f"{_OFFICE}found = service.export_bundle('US01', Path({str(bundle)!r}))")
    assert NUMBER.encode() not in bundle.read_bytes() and NAME.encode() not in bundle.read_bytes()
    result = import_bundle(far.engine, far.config, bundle, NOW)
    assert isinstance(result, Imported) and (result.receipts, result.roster, result.content) == (5, True, True)
    assert (count(far.engine).unsent, count(far.engine).delivered) == (0, 5)
    stored = real.ask(
        "from kiosk.office.models import Envelope\n"
        f"found = {{one.pk: [bytes(one.receipt).decode(), one.digest] for one in Envelope.objects.filter(pk__in={ids!r})}}"
    )
    with far.engine.connect() as connection:
        mine = connection.exec_driver_sql("SELECT case_id, answer FROM outbox").all()
    assert {case: answer.decode() for case, answer in mine} == {case: receipt for case, (receipt, _) in stored.items()}
    assert Roster(far.engine).size() == 1 and in_use(far.engine).version > 0
    assert with_office_settings(far.engine, far.config).site.help_phone == "023-7"

    before = rows(far.engine)
    twice = import_bundle(far.engine, far.config, bundle, NOW)
    assert twice == Imported(0, 0, False, False, False, None, False)
    assert rows(far.engine) == before
    assert out(far, stick).cases == 0
    assert out(far, stick, everything=True).cases == 5  # not in a verified backup yet
    far.close()


# ------------------------------------------------------------------------------- going out


def test_exactly_what_is_stored(far: Machine, stick: Path) -> None:
    ids = [far.hand_in(number) for number in range(3)]
    reader, found = records(out(far, stick).path)
    with far.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT id, sealed, signature FROM cases ORDER BY id").all()
    assert [(one.head.name, one.body, one.head.signature) for one in found] == [tuple(row) for row in stored]
    assert [one.head.name for one in found] == ids
    assert reader.head is not None and reader.head.origin is Origin.TERMINAL
    assert verify(Context.BUNDLE, reader.digest, reader.signature, far.identity.signing_key.public_key())
    assert all(parse_header(one.body).kiosk == far.identity.terminal_id for one in found)


def test_nothing_readable_and_no_name_in_the_file_name(far: Machine, stick: Path) -> None:
    far.hand_in(7)
    path = out(far, stick).path
    data = path.read_bytes()
    assert not [one for one in (b"999901195", NAME.encode()) if one in data]
    assert path.name.startswith(f"{far.identity.terminal_id}-") and not path.stat().st_mode & 0o7000


def test_what_has_been_settled_stays_here(far: Machine, stick: Path) -> None:
    ids = [far.hand_in(number) for number in range(4)]
    outbox = Outbox(far.engine, 1, 60)
    outbox.acked(ids[0], "committed", b"", "", NOW)
    outbox.acked(ids[1], "held", b"", "", NOW)
    outbox.dead(ids[2], "conflict", b"", "", NOW)

    def wanted(everything: bool) -> list[str]:
        return [one.head.name for one in records(out(far, stick, everything).path)[1]]

    assert wanted(False) == [ids[1], ids[3]]
    assert wanted(True) == ids
    with far.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET ack_level = 'safe' WHERE case_id = ?", (ids[0],))
    assert wanted(True) == ids[1:]


def test_of_an_earlier_enrolment_the_present_one_stands_up(office: OfficeStub, far: Machine, stick: Path) -> None:
    case_id = far.hand_in(1)
    far.enrol(office.code)
    (record,) = records(out(far, stick).path)[1]
    case = Outbox(far.engine, 1, 60).unsettled(case_id, b"")
    assert case is not None and case.epoch != far.identity.epoch
    assert record.head.vouch == vouch(case, far.identity)


def test_no_enrolment_no_stick(engine: Engine, stick: Path, far: Machine) -> None:
    assert export(engine, stick, NOW) == ExportFailed("not_enrolled")
    assert export(far.engine, stick / "none", NOW) == ExportFailed("no_folder")


def test_a_full_stick_is_left_as_it_was(far: Machine) -> None:
    for number in range(30):
        far.hand_in(number)
    found = _in_tmpfs(far, "64k", "(export(engine, stick, NOW), sorted(stick.iterdir()))")
    assert found == "(ExportFailed(reason='stick_full'), [])"


def test_a_full_disk_of_this_machine_keeps_nothing_from_going_out(far: Machine, stick: Path) -> None:
    """The database lies on a file system without a single free block."""
    ids = [far.hand_in(number) for number in range(3)]
    far.engine.dispose()
    script = (
        f"import shutil; home = Path('/tmp') / 'x'; shutil.copytree({str(far.path.parent)!r}, stick / 'db')\n"
        "full = (stick / 'fill').open('wb', buffering=0)\n"
        "engine = open_database(stick / 'db' / 'terminal.db', KEY)\n"
        "engine.connect().exec_driver_sql('SELECT count(*) FROM cases').scalar()\n"
        "try:\n    while True: full.write(bytes(4096))\nexcept OSError: pass\n"
        "assert os.statvfs(stick).f_bavail == 0\n"
        f"found = export(engine, Path({str(stick)!r}), NOW)"
    )
    told = _in_tmpfs(far, "8m", "(found.cases, found.noted)", script)
    assert told == "(3, False)"
    (path,) = stick.iterdir()
    assert [one.head.name for one in records(path)[1]] == ids


def _in_tmpfs(machine: Machine, size: str, expression: str, script: str = "") -> str:
    """In a mount namespace of its own, with a small file system at `stick`."""
    place = machine.path.parent.parent / "small"
    place.mkdir(exist_ok=True)
    code = (
        "import os\nfrom pathlib import Path\nimport datetime as dt\nfrom kiosk.sync.usb import export\n"
        "from kiosk.store.database import open_database\nfrom kiosk.store.key import DatabaseKey\n"
        f"KEY = DatabaseKey('0f' * 32); stick = Path({str(place)!r}); NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)\n"
        + (script or f"engine = open_database(Path({str(machine.path)!r}), KEY)") + f"\nprint({expression})"
    )
    mount = f"mount -t tmpfs -o size={size} none {place} && exec {sys.executable} -c \"$CODE\""
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount], env={**os.environ, "CODE": code}, capture_output=True, text=True, check=False,
        timeout=60,
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_stick_that_gives_back_other_bytes(far: Machine, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far.hand_in(1)

    def worn(descriptor: int) -> None:
        os.pwrite(os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY), b"\0", 200)

    monkeypatch.setattr(usb.os, "fsync", worn)
    assert export(far.engine, stick, NOW) == ExportFailed("not_read_back")
    assert list(stick.iterdir()) == []


# ------------------------------------------------------------------------------- coming in

KEYS_LATER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def roster(version: int, *numbers: str, after: int = 0, more: bool = False, removed: tuple[str, ...] = ()) -> RosterPull:
    entries = tuple(RosterEntryBody(number=number, name="x", category="居保", next_due=None) for number in numbers)
    return RosterPull(after=after, version=version, replace=after == 0, more=more, entries=entries, removed=removed)


def outcomes(version: int, *case_ids: str) -> OutcomesPull:
    told = tuple(
        OutcomeBody(case_id=one, case_number="US-1", state="accepted", reason="", decided_on=NOW.date()) for one in case_ids
    )
    return OutcomesPull(after=0, version=version, replace=True, more=False, outcomes=told)


def test_everything_once_and_twice(
    office: OfficeStub, far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents],
) -> None:
    ids = [far.hand_in(number) for number in range(3)]
    later = OfficeKeys(
        sealing=public_hex(office.sealing.public_key()),
        signing=(public_hex(office.signing.public_key()), public_hex(KEYS_LATER.public_key())),
    )
    path = word([
        *receipts(), (Kind.SAFE, "", SafeBody(ids=tuple(ids[:2]))),
        (Kind.ROSTER, "", roster(5, "1", "2", more=True)), (Kind.ROSTER, "", roster(9, "3", after=5, removed=("2",))),
        (Kind.OUTCOMES, "", outcomes(4, ids[0])), (Kind.KEYS, "", later),
    ])
    assert take(far, path) == Imported(3, 2, True, True, False, None, True)
    counts = count(far.engine)
    assert (counts.unsent, counts.delivered) == (0, 3)
    assert (Roster(far.engine).version(), Roster(far.engine).size(), Outcomes(far.engine).version()) == (9, 2, 4)
    assert len(far.identity.office_signing) == 2
    before = rows(far.engine)
    assert take(far, path) == Imported(0, 0, False, False, False, None, False)
    assert rows(far.engine) == before


def test_an_older_bundle_takes_nothing_back(far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents]) -> None:
    case_id = far.hand_in(1)
    older, newer = word(receipts()), word([*receipts(), (Kind.ROSTER, "", roster(9, "1"))], NOW + dt.timedelta(seconds=1))
    assert isinstance(take(far, newer), Imported)
    send_again(far.engine, [case_id], NOW)  # the office has said that it lost it
    assert take(far, older) == ImportFailed("older")
    assert count(far.engine).unsent == 1


def test_an_older_roster_in_a_newer_bundle(far: Machine, word: Callable[..., Path]) -> None:
    """The line was there in between."""
    Roster(far.engine).catch_up([], 12)
    Outcomes(far.engine).catch_up([], 12)
    path = word([(Kind.ROSTER, "", roster(9, "1")), (Kind.OUTCOMES, "", outcomes(9))])
    assert take(far, path) == Imported(0, 0, False, False, False, None, False)
    assert (Roster(far.engine).version(), Outcomes(far.engine).version()) == (12, 12)


def test_receipts_are_judged_as_on_the_line(
    office: OfficeStub, far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents],
) -> None:
    ids = [far.hand_in(number) for number in range(2)]
    elsewhere = "01890a5d-ac96-774b-bcce-b302099a8057"
    wrong = [
        office.receipt(ids[0], b"other bytes", AckLevel.COMMITTED), (b"no receipt", "00"),
        office.receipt(elsewhere, b"", AckLevel.SAFE),
    ]
    foreign = receipts(key=Ed25519PrivateKey.generate())
    body = ReceiptsBody(receipts=tuple(SignedReceipt(receipt=one, signature=sig) for one, sig in wrong))
    result = take(far, word([(Kind.RECEIPTS, "", body), *foreign]))
    assert isinstance(result, Imported) and result.receipts == 0
    assert count(far.engine).unsent == 2


def test_a_held_case_is_acknowledged_once_and_then_for_good(
    far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents],
) -> None:
    far.hand_in(1)
    for level, taken in ((AckLevel.HELD, 1), (AckLevel.HELD, 0), (AckLevel.COMMITTED, 1), (AckLevel.HELD, 0)):
        result = take(far, word(receipts(level)))
        assert isinstance(result, Imported) and result.receipts == taken
    assert (count(far.engine).held, count(far.engine).delivered) == (0, 1)


def test_safe_without_a_receipt_is_not_believed(far: Machine, word: Callable[..., Path]) -> None:
    case_id = far.hand_in(1)
    result = take(far, word([(Kind.SAFE, "", SafeBody(ids=(case_id,)))]))
    assert isinstance(result, Imported) and result.safe == 0 and count(far.engine).unsent == 1


def test_content_of_a_stick(office: OfficeStub, far: Machine, word: Callable[..., Path]) -> None:
    import hashlib

    data = b'[site]\nhelp_phone = "023-7"\n'
    file = ContentFile(path="settings.toml", size=len(data), sha256=hashlib.sha256(data).hexdigest())
    later = NOW + dt.timedelta(hours=1)  # this machine's clock is behind
    manifest = Manifest(version=3, dated=NOW.date(), not_before=later, files=(file,)).to_json()
    body = ManifestBody(data=manifest, signature=sign(Context.CONTENT, manifest, office.signing))
    without = take(far, word([(Kind.MANIFEST, "", body)], later))
    assert isinstance(without, Imported) and without.content_trouble == "not_in_the_bundle"
    result = take(far, word([(Kind.MANIFEST, "", body), (Kind.FILE, file.sha256, data)], later))
    assert isinstance(result, Imported) and (result.content, result.content_trouble) == (True, None)
    assert in_use(far.engine).version == 3
    assert with_office_settings(far.engine, far.config).site.help_phone == "023-7"


@pytest.mark.parametrize(("changes", "reason"), [
    ({"kiosk": "HG99"}, "not_for_this_terminal"), ({"epoch": 7}, "earlier_enrolment"),
    ({"origin": Origin.TERMINAL}, "not_a_bundle"), ({"key": KEYS_LATER}, "not_the_office"),
])
def test_not_for_us_or_not_from_the_office(
    changes: dict[str, Any], reason: str, far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents],
) -> None:
    far.hand_in(1)
    assert take(far, word(receipts(), **changes)) == ImportFailed(reason)
    assert count(far.engine).unsent == 1


def test_before_its_signature_holds_nothing_is_used(
    far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents], stick: Path,
) -> None:
    far.hand_in(1)
    good = word([*receipts(), (Kind.ROSTER, "", roster(9, "1"))]).read_bytes()
    bad, before = stick / "bad", rows(far.engine)
    for at in (*range(0, len(good), 97), len(good) - 1):
        damaged = bytearray(good)
        damaged[at] ^= 1
        for data in (bytes(damaged), good[:at]):
            bad.write_bytes(data)
            assert isinstance(take(far, bad), ImportFailed), at
    assert rows(far.engine) == before and Roster(far.engine).version() == 0
    bad.write_bytes(good)
    assert isinstance(take(far, bad), Imported)


def test_records_moved_from_their_place_do_not_open(
    far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents], office: OfficeStub, stick: Path,
) -> None:
    """Even by somebody who could sign: each is sealed for its bundle, its place and its kind."""
    path = word([*receipts(), (Kind.OUTCOMES, "", outcomes(9))])
    reader, (first, second) = records(path)
    assert reader.head is not None
    with (stick / "moved").open("wb") as file:
        bundle = BundleWriter(file, reader.head)
        bundle.write(Kind.OUTCOMES, second.body)
        bundle.write(Kind.RECEIPTS, first.body)
        bundle.end(office.signing)
    assert take(far, stick / "moved") == ImportFailed("unknown_form")


def test_no_enrolment_and_no_file(engine: Engine, far: Machine, word: Callable[..., Path], stick: Path) -> None:
    assert import_bundle(engine, far.config, word([]), NOW) == ImportFailed("not_enrolled")
    assert take(far, stick / "none") == ImportFailed("os_2")
    (stick / "empty").write_bytes(b"")
    assert take(far, stick / "empty") == ImportFailed("not_a_bundle")
    far.hand_in(1)
    assert take(far, out(far, stick).path) == ImportFailed("not_a_bundle")


def test_a_stick_that_changes_between_two_readings(
    far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents], monkeypatch: pytest.MonkeyPatch,
) -> None:
    far.hand_in(1)
    path = word(receipts())
    honest = usb_import.record_at

    def changed(file: Any, offset: int) -> Record | None:
        record = honest(file, offset)
        return None if record is None else Record(record.head, b"other", record.offset, b"other")

    monkeypatch.setattr(usb_import, "record_at", changed)
    assert take(far, path) == ImportFailed("changed_on_the_way")
    assert count(far.engine).unsent == 1
    monkeypatch.setattr(usb_import, "record_at", honest)
    result = take(far, path)
    assert isinstance(result, Imported) and result.receipts == 1


def test_power_lost_while_it_is_taken(
    far: Machine, word: Callable[..., Path], receipts: Callable[..., Contents], monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        far.hand_in(number)
    path = word([*receipts(), (Kind.ROSTER, "", roster(9, "1"))])
    real, calls = Outbox.acked, []

    def cut(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "acked", cut)
        with pytest.raises(MemoryError):
            take(far, path)
    assert count(far.engine).delivered == 1
    result = take(far, path)
    assert isinstance(result, Imported) and (result.receipts, result.roster) == (2, True)
