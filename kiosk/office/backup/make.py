"""Making a backup beside the running office: written, onto disk, then opened again and checked.

Only a copy that was checked makes anything `safe`. Where a second folder is set, it is the copy there that is checked:
a backup on the same disk is lost with it.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from kiosk.durable import sync_path
from kiosk.office import audit
from kiosk.office.backup import archive
from kiosk.office.backup.check import Checked, check
from kiosk.office.models import AuditEntry, Backup, SafeEnvelope

ACTOR = "备份"
OVERDUE = dt.timedelta(hours=12)
"""Without a verified backup for longer than this terminals keep faces longer than promised."""
_RETRY = dt.timedelta(minutes=30)
_LOOK_S = 60.0
_BATCH = 500
_log = logging.getLogger(__name__)


def make_backup() -> Backup:
    """The row of what was made, verified or with its trouble. Never raises for a disk; waits for one being made already."""
    with _one_at_a_time():
        now = timezone.now()
        backup = Backup(id=f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%S}Z-{os.urandom(4).hex()}", taken=now)
        backup.file = f"office-{backup.pk}.{'db' if connection.vendor == 'sqlite' else 'dump'}"
        _sweep_parts()
        try:
            checked = _made(backup)
        except DatabaseError as error:
            checked = Checked("disk_full" if "full" in str(error) else "not_written")
        except OSError as error:
            checked = Checked("disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "folder_unusable")
        _sweep_parts()
        if checked.trouble:
            backup.file = ""
        else:
            backup.verified = timezone.now()
        backup.trouble, backup.envelopes = checked.trouble, checked.envelopes
        _keep(backup, checked)
        if not checked.trouble:
            _forget_old()
        return backup


def newest_verified() -> Backup | None:
    """The newest verified backup whose file lies where it was put; without one nothing is safe."""
    verified = Backup.objects.exclude(verified=None).exclude(file="").order_by("-taken")
    return next((one for one in verified if is_there(one)), None)


def held_by(backup: Backup) -> QuerySet[SafeEnvelope]:
    """What stands in this backup. A row names the first verified backup an envelope was in; later ones were checked for it."""
    return SafeEnvelope.objects.filter(backup__taken__lte=backup.taken)


def is_there(backup: Backup) -> bool:
    try:
        return bool(backup.file) and (folders()[-1] / backup.file).stat().st_size == backup.size
    except OSError:
        return False


def is_overdue(now: dt.datetime) -> bool:
    last = newest_verified()
    return last is None or now - last.taken > OVERDUE


def due(now: dt.datetime) -> bool:
    """A failed one is tried again soon; times in the future are those of a clock that was wrong."""
    last = Backup.objects.filter(taken__lte=now).order_by("-taken").first()
    if last is None:
        return True
    wait = dt.timedelta(hours=settings.OFFICE.backup_interval_h) if last.verified and is_there(last) else _RETRY
    return bool(now - last.taken >= wait)


def run(stop: threading.Event) -> None:
    """Makes backups when they are due, until `stop`. The first look is a minute after the start."""
    while not stop.wait(_LOOK_S):
        close_old_connections()
        try:
            if due(timezone.now()):
                made = make_backup()
                if made.trouble:
                    _log.error("the backup failed: %s", made.trouble)
        except DatabaseError as error:
            _log.error("no backup now: %s", type(error).__name__)


def folders() -> tuple[Path, ...]:
    """Where a backup goes; the copy in the last one is checked and counts."""
    office = settings.OFFICE
    first = office.backup_dir or office.data / "backups"
    return (first,) if office.backup_second_dir is None else (first, office.backup_second_dir)


def _made(backup: Backup) -> Checked:
    """Under its name only when every check held. Raises OSError and DatabaseError."""
    if settings.OFFICE.backup_dir is None:
        folders()[0].mkdir(parents=True, exist_ok=True, mode=0o700)
    if not all(place.is_dir() for place in folders()):
        return Checked("no_folder")  # never made here: a medium that is not mounted must not become a folder of this disk
    parts = [place / f".{backup.file}.part" for place in folders()]
    if trouble := _write(parts[0]):
        return Checked(trouble)
    for part in parts[1:]:
        shutil.copyfile(parts[0], part)
        part.chmod(0o600)
    for part in parts:
        _onto_disk(part)
    known = frozenset(SafeEnvelope.objects.values_list("pk", flat=True))
    checked = _checked(parts[-1], known)
    if checked.trouble:
        return checked
    for place in folders():
        archive.write_new(place / "archive")
    backup.size = parts[-1].stat().st_size
    for part in parts:
        part.rename(part.with_name(backup.file))
        sync_path(part.parent)
    return checked


def _write(part: Path) -> str:
    """The live database into a new file; what hindered it, empty when nothing did."""
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))  # names and numbers stand in it in clear
    if connection.vendor != "sqlite":
        from kiosk.office.backup import postgres

        return postgres.write(part)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT * FROM pragma_page_count()) * (SELECT * FROM pragma_page_size())")
        size = cursor.fetchone()[0]
        floor = settings.OFFICE.free_floor_mb * 1_000_000
        if shutil.disk_usage(part.parent).free < size + floor:
            return "disk_full"  # before it is: intake needs the room more
        cursor.execute("VACUUM INTO %s", [str(part)])
    return ""


def _checked(part: Path, known: frozenset[str]) -> Checked:
    if connection.vendor == "sqlite":
        return check(part, known)
    from kiosk.office.backup import postgres

    return postgres.check_dump(part, known)


def _keep(backup: Backup, checked: Checked) -> None:
    """What this backup is, and what it makes safe, in one transaction."""
    with transaction.atomic(durable=True):
        backup.save(force_insert=True)
        if checked.trouble:
            audit.append(ACTOR, AuditEntry.Action.BACKUP_FAILED, backup.pk, trouble=checked.trouble)
            return
        known = set(SafeEnvelope.objects.values_list("pk", flat=True))
        fresh = [SafeEnvelope(envelope_id=pk, backup=backup) for pk in checked.whole if pk not in known]
        SafeEnvelope.objects.bulk_create(fresh, batch_size=_BATCH)
        audit.append(ACTOR, AuditEntry.Action.BACKED_UP, backup.pk, envelopes=checked.envelopes, fresh=len(fresh))


def _forget_old() -> None:
    """Older copies go; their rows stay, for they say since when a case is safe.

    Only copies this database knows: after a restore the newer ones of before lie there too, and are what is left of it.
    """
    verified = Backup.objects.exclude(verified=None).exclude(file="").order_by("-taken")
    for backup in list(verified[settings.OFFICE.backup_keep :]):
        for place in folders():
            (place / backup.file).unlink(missing_ok=True)
        Backup.objects.filter(pk=backup.pk).update(file="")


def _sweep_parts() -> None:
    """What a cut or failed backup left; nobody else makes one now."""
    for place in folders():
        for part in place.glob(".office-*.part*"):
            part.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (settings.OFFICE.data / "backup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _onto_disk(path: Path) -> None:
    sync_path(path)
    sync_path(path.parent)
