"""Backups at the office: only a copy that was opened again and found whole makes anything safe (LC-18)."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import threading
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, models
from django.urls import reverse
from django.utils import timezone
from test_office_parts import large, put_piece
from townhall import Line, body

from kiosk.office.backup import archive, make, postgres
from kiosk.office.backup.check import Checked, check
from kiosk.office.backup.make import due, folders, is_overdue, make_backup, newest_verified
from kiosk.office.desk import backups as desk
from kiosk.office.models import AuditEntry, Backup, Envelope, EnvelopePart, SafeEnvelope, Terminal, TerminalKey
from kiosk.sync.wire.envelope import digest

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the way of SQLite"),
]
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configured backup folder, on a disk with room."""
    folder = tmp_path / "medium"
    folder.mkdir()
    configure(monkeypatch, backup_dir=folder, free_floor_mb=0)
    return folder


def configure(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    monkeypatch.setattr(settings, "OFFICE", settings.OFFICE.model_copy(update=changes))


def hand_in(line: Line, count: int = 1) -> list[str]:
    ids = []
    for _ in range(count):
        case_id, data = line.terminal.envelope(body())
        assert line.put(data, case_id).status_code == 201
        ids.append(case_id)
    return ids


def safe() -> set[str]:
    last = newest_verified()
    return set() if last is None else set(make.held_by(last).values_list("pk", flat=True))


def entries(action: AuditEntry.Action) -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(action=action).order_by("n").values_list("detail", flat=True))


# ------------------------------------------------------------------------------- the good one


def test_a_verified_backup_makes_safe_what_it_holds(line: Line, place: Path) -> None:
    ids = hand_in(line, 3)
    backup = make_backup()
    assert (backup.trouble, backup.envelopes, backup.verified is not None) == ("", 3, True)
    assert newest_verified() == backup and safe() == set(ids)
    file = place / backup.file
    assert file.stat().st_size == backup.size and file.stat().st_mode & 0o777 == 0o600
    assert set(check(file).whole) == set(ids)
    assert entries(AuditEntry.Action.BACKED_UP) == [{"envelopes": 3, "fresh": 3}]
    later = hand_in(line)
    assert safe() == set(ids)
    make_backup()
    assert safe() == {*ids, *later}
    assert SafeEnvelope.objects.get(pk=ids[0]).backup_id == backup.pk, "since when it is safe stays known"
    assert not list(place.glob(".*"))


def test_a_restored_copy_is_the_office(line: Line, place: Path) -> None:
    (case_id,) = hand_in(line)
    copy = pysqlite3.connect(place / make_backup().file)
    row = copy.execute("SELECT raw, receipt FROM office_envelope WHERE id = ?", (case_id,)).fetchone()
    one = Envelope.objects.get()
    assert row == (bytes(one.raw), bytes(one.receipt))
    copy.close()


def test_a_case_is_safe_only_with_all_its_pieces(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    for piece in pieces[1:]:
        put_piece(line, piece, case_id)
    line.put(data, case_id)
    assert make_backup().trouble == "" and safe() == set()
    put_piece(line, pieces[0], case_id)
    make_backup()
    assert safe() == {case_id}


def test_a_tombstone_is_safe_too(line: Line) -> None:
    (case_id,) = hand_in(line)
    models.QuerySet(Envelope).update(raw=b"", erased=timezone.now())
    assert make_backup().trouble == "" and safe() == {case_id}


def test_so_many_are_kept_and_unknown_ones_never_touched(
    line: Line, place: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a restore the newer copies lie there unknown: they are what is left."""
    configure(monkeypatch, backup_keep=2)
    of_before = place / "office-20991231T000000Z-00000000.db"
    of_before.write_bytes(b"x")
    made = [make_backup() for _ in range(4)]
    assert {one.name for one in place.glob("office-*")} == {of_before.name, made[2].file, made[3].file}
    assert [bool(one.file) for one in Backup.objects.order_by("taken")] == [False, False, True, True]


def test_the_default_folder_is_made_a_configured_one_is_not(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    place.rmdir()
    assert make_backup().trouble == "no_folder" and not place.exists()
    configure(monkeypatch, backup_dir=None)
    backup = make_backup()
    assert backup.trouble == "" and (settings.OFFICE.data / "backups" / backup.file).exists()
    shutil.rmtree(settings.OFFICE.data / "backups")


def test_the_copy_on_the_second_medium_is_the_one_that_counts(
    line: Line, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = tmp_path / "second"
    configure(monkeypatch, backup_second_dir=second)
    hand_in(line)
    assert make_backup().trouble == "no_folder" and not second.exists()
    second.mkdir()
    backup = make_backup()
    assert backup.trouble == ""
    assert (second / backup.file).read_bytes() == (place / backup.file).read_bytes()
    assert all((one / "archive").is_dir() for one in folders())
    (second / backup.file).unlink()
    assert newest_verified() is None and safe() == set()


def test_a_medium_taken_away_makes_nothing_safe_and_another_backup_due(line: Line, place: Path) -> None:
    (case_id,) = hand_in(line)
    first = make_backup()
    later = hand_in(line)
    (place / make_backup().file).unlink()
    assert newest_verified() == first and safe() == {case_id}
    assert due(timezone.now() + HOUR)
    make_backup()
    assert safe() == {case_id, *later}


# ------------------------------------------------------------------------------- LC-18


def _damage(path: Path, at: float) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(int(size * at))
        file.write(os.urandom(4096))


@pytest.mark.parametrize("harm", [
    pytest.param(lambda path: _damage(path, 0.0), id="head"),
    pytest.param(lambda path: _damage(path, 0.5), id="middle"),
    pytest.param(lambda path: os.truncate(path, path.stat().st_size // 2), id="half"),
    pytest.param(lambda path: os.truncate(path, 0), id="empty"),
    pytest.param(lambda path: path.unlink(), id="gone"),
])
def test_lc_18_a_damaged_copy_makes_nothing_safe(
    line: Line, place: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None],
) -> None:
    hand_in(line, 2)
    onto_disk = make._onto_disk

    def bad_disk(path: Path) -> None:
        onto_disk(path)
        harm(path)

    monkeypatch.setattr(make, "_onto_disk", bad_disk)
    backup = make_backup()
    assert backup.trouble in ("damaged", "unreadable", "digest_differs", "foreign_keys") and backup.verified is None
    assert newest_verified() is None and safe() == set() and not SafeEnvelope.objects.exists()
    assert not list(place.glob("*office-*")) and not (place / "archive").exists()
    assert entries(AuditEntry.Action.BACKUP_FAILED) == [{"trouble": backup.trouble}]
    monkeypatch.undo()


def _in_copy(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    onto_disk = make._onto_disk

    def changed(path: Path) -> None:
        with pysqlite3.connect(path) as copy:
            for statement in statements:
                copy.execute(statement)
        copy.close()
        onto_disk(path)

    monkeypatch.setattr(make, "_onto_disk", changed)


def test_one_changed_byte_in_one_envelope_is_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(line, 3)
    _in_copy(monkeypatch, "UPDATE office_envelope SET raw = 'text' WHERE seq = 2")
    assert make_backup().trouble == "digest_differs"
    monkeypatch.setattr(make, "_onto_disk", lambda path: None)
    _in_copy(monkeypatch, "UPDATE office_envelope SET raw = CAST(substr(raw, 1, length(raw) - 1) || x'00' AS BLOB) WHERE seq = 2")
    assert make_backup().trouble == "digest_differs" and safe() == set()


def test_one_changed_byte_in_one_piece_is_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, data, pieces = large(line.terminal)
    for piece in pieces:
        put_piece(line, piece, case_id)
    line.put(data, case_id)
    _in_copy(monkeypatch, "UPDATE office_envelopepart SET raw = CAST(x'00' || substr(raw, 2) AS BLOB) WHERE rowid = 2")
    assert make_backup().trouble == "digest_differs" and safe() == set()


def test_old_ones_are_hashed_again_as_a_sample_and_must_all_be_there(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(line, 2)
    first = make_backup()
    hand_in(line)
    _in_copy(monkeypatch, "UPDATE office_envelope SET raw = x'00' WHERE seq = 1")
    assert make_backup().trouble == "digest_differs"
    monkeypatch.setattr(make, "_onto_disk", lambda path: None)
    _in_copy(
        monkeypatch, "DELETE FROM office_safeenvelope", "DELETE FROM office_envelope WHERE seq = 1",
    )
    assert make_backup().trouble == "envelopes_missing"
    assert newest_verified() == first and len(safe()) == 2


def test_a_disk_without_room(line: Line, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(line)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(make.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10))
    assert make_backup().trouble == "disk_full" and safe() == set() and not list(place.glob("*office-*"))


def test_a_disk_that_fills_up_while_the_archive_is_written(line: Line, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(line)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "replace", full)
    assert make_backup().trouble == "disk_full" and safe() == set() and not list(place.glob("*office-*"))
    monkeypatch.undo()


def test_a_folder_nobody_may_write_to(line: Line, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "x").write_bytes(b"")
    configure(monkeypatch, backup_dir=place / "x")
    assert make_backup().trouble == "no_folder"


# ------------------------------------------------------------------------------- any copy


def test_restore_check_of_whatever_lies_there(tmp_path: Path) -> None:
    assert check(tmp_path / "nothing").trouble == "unreadable"
    (tmp_path / "text").write_text("no database at all, but long enough to look at" * 50)
    assert check(tmp_path / "text").trouble == "damaged"
    with pysqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    assert check(tmp_path / "other").trouble == "damaged"
    (tmp_path / "empty").write_bytes(b"")
    assert check(tmp_path / "empty").trouble == "damaged"


def test_the_check_leaves_the_file_and_its_folder_as_they_are(line: Line, place: Path) -> None:
    hand_in(line)
    file = place / make_backup().file
    before, beside = file.read_bytes(), sorted(place.iterdir())
    assert check(file).trouble == ""
    assert (file.read_bytes(), sorted(place.iterdir())) == (before, beside)


# ------------------------------------------------------------------------------- archive


def archived(place: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (place / "archive").rglob("*") if one.is_file() and not one.suffix}


def test_every_envelope_and_piece_is_a_file_named_by_its_digest(line: Line, place: Path) -> None:
    hand_in(line, 2)
    case_id, data, pieces = large(line.terminal)
    for piece in pieces:
        put_piece(line, piece, case_id)
    line.put(data, case_id)
    make_backup()
    files = archived(place)
    assert len(files) == 3 + len(pieces) and all(digest(content).hex() == name for name, content in files.items())
    assert {path.stat().st_mode & 0o777 for path in (place / "archive").rglob("*") if path.is_file()} == {0o600}
    assert all(b"9999" not in path.read_bytes() for path in (place / "archive").rglob("*.json")), "nothing personal"
    times = {path: path.stat().st_mtime_ns for path in (place / "archive").rglob("*")}
    make_backup()
    assert {path: path.stat().st_mtime_ns for path in (place / "archive").rglob("*")} == times, "written once"


def test_what_the_office_erases_goes_from_the_archive(line: Line, place: Path) -> None:
    hand_in(line)
    make_backup()
    models.QuerySet(Envelope).update(raw=b"", erased=timezone.now())
    make_backup()
    assert archived(place) == {}
    assert archive.take_in(place / "archive") == {"erased": 1}


def _lose_all() -> None:
    """As a restore of a copy from before the terminal came."""
    SafeEnvelope.objects.all().delete()
    for model in (EnvelopePart, Envelope):
        models.QuerySet(model).delete()
    TerminalKey.objects.all().delete()
    Terminal.objects.all().delete()


def test_the_archive_brings_back_what_even_the_terminal_no_longer_has(line: Line, place: Path) -> None:
    ids = hand_in(line, 2)
    case_id, data, pieces = large(line.terminal)
    for piece in pieces:
        put_piece(line, piece, case_id)
    line.put(data, case_id)
    make_backup()
    before = {one.pk: (bytes(one.raw), one.signature, one.day) for one in Envelope.objects.all()}
    from kiosk.office import intake

    intake.wake.clear()
    _lose_all()
    assert archive.take_in(place / "archive") == {"new": 3 + len(pieces)}
    assert {one.pk: (bytes(one.raw), one.signature, one.day) for one in Envelope.objects.all()} == before
    assert archive.take_in(place / "archive") == {"known": 3 + len(pieces)}
    assert intake.open_due() == 3 and set(before) == {*ids, case_id}
    assert not TerminalKey.objects.exists(), "nobody is let in by an archive"
    assert len(entries(AuditEntry.Action.ARCHIVE_IMPORTED)) == 2


def test_without_our_own_receipt_it_needs_the_terminals_key(line: Line, place: Path) -> None:
    hand_in(line)
    make_backup()
    (path,) = (place / "archive").rglob("*.json")
    record = archive.Record.model_validate_json(path.read_bytes())
    path.write_bytes(record.model_copy(update={"receipt_signature": "00" * 64}).to_json())
    SafeEnvelope.objects.all().delete()
    models.QuerySet(Envelope).delete()
    assert archive.take_in(place / "archive") == {"new": 1}
    models.QuerySet(Envelope).delete()
    TerminalKey.objects.all().delete()
    assert archive.take_in(place / "archive") == {"refused": 1} and not Envelope.objects.exists()


def test_files_somebody_changed_are_said_and_left(line: Line, place: Path) -> None:
    hand_in(line, 3)
    make_backup()
    files = sorted((place / "archive").rglob("*.json"))
    files[0].write_bytes(b"{}")
    files[1].with_suffix("").write_bytes(b"other bytes")
    _lose_all()
    assert archive.take_in(place / "archive") == {"new": 1, "unreadable": 2}


# ------------------------------------------------------------------------------- when


def test_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    assert due(now)
    make_backup()
    assert not due(now + 5 * HOUR) and due(now + 6.1 * HOUR)
    configure(monkeypatch, backup_dir=Path("/nowhere"))
    assert make_backup().trouble == "no_folder"
    assert not due(timezone.now() + HOUR / 3) and due(timezone.now() + HOUR)


def test_a_backup_of_the_future_hinders_none(place: Path) -> None:
    Backup.objects.create(pk="f", taken=timezone.now() + 1000 * HOUR, verified=timezone.now(), file="f.db", size=1)
    assert due(timezone.now())


def test_the_loop_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, made = threading.Event(), []
    monkeypatch.setattr(make, "_LOOK_S", 0.01)
    monkeypatch.setattr(make, "close_old_connections", lambda: None)

    def one() -> Backup:
        made.append(1)
        stop.set()
        return Backup(trouble="no_folder")

    monkeypatch.setattr(make, "make_backup", one)
    make.run(stop)
    assert made == [1]


# ------------------------------------------------------------------------------- what staff read


@pytest.fixture
def chief(officer: Any) -> Any:
    officer.groups.add(Group.objects.get(name="主管"))
    return officer


def test_the_page_and_the_banner(line: Line, chief: Any, client: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [reverse("admin:office_backup_changelist"), reverse("admin:office_terminal_changelist")]
    assert all("还没有验证过的备份" in client.get(page).content.decode() for page in pages)
    backup = make_backup()
    texts = [client.get(page).content.decode() for page in pages]
    assert "已验证" in texts[0] and backup.file in texts[0] and "最近一次验证过的备份" in texts[0]
    assert not any("errornote" in text for text in texts)
    assert not is_overdue(timezone.now() + 11.9 * HOUR) and is_overdue(timezone.now() + 12.1 * HOUR)
    Backup.objects.update(taken=timezone.now() - 13 * HOUR)
    place.rename(place.with_name("gone"))
    make_backup()
    for page in pages:
        text = client.get(page).content.decode()
        assert "备份文件夹不在" in text and "备份盘是否插好" in text
    place.with_name("gone").rename(place)
    assert "已超过12小时" in client.get(pages[1]).content.decode()


def test_an_officer_without_the_right_sees_none(officer: Any, client: Any) -> None:
    assert client.get(reverse("admin:office_backup_changelist")).status_code == 403


def test_every_trouble_has_words() -> None:
    for trouble in (*desk._TROUBLES, "never_heard_of"):
        assert desk.words(trouble).wrong and desk.words(trouble).to_do


# ------------------------------------------------------------------------------- PostgreSQL without its tools


def test_postgres_without_its_tools_makes_nothing_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres.write(tmp_path / "x") == "no_tools"
    assert postgres.check_dump(tmp_path / "x") == Checked("no_scratch_database")
