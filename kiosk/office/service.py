"""The office for the command line: plain functions for a process that has not set Django up."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.office import DATA_VARIABLE, bootstrap, keys

if TYPE_CHECKING:
    from kiosk.content.manifest import Manifest
    from kiosk.office.backup.check import Checked
    from kiosk.office.content import CheckSettings
    from kiosk.office.retention import Planned
    from kiosk.office.roster_import import ImportReport, MakeTemplates
    from kiosk.office.usb import BundleReport

_ADMIN = "admin"
_CLI = "命令行"
"""The actor of what is done on the office's machine itself."""


class NotInitialised(RuntimeError):
    """There is no office in the data directory yet."""


@dataclass(frozen=True)
class InitInfo:
    data: Path
    keys_made: bool
    """True: the keys are new. `sealing.key` must be copied to a safe place off this machine now; without it
    nothing terminals hand in can ever be read again. The other two can be replaced at the price of enrolling anew."""
    signing_id: str
    sealing_id: str
    admin: str
    admin_password: str | None = field(repr=False)
    """Only when it was made here: shown once, stored nowhere."""


def init(data: Path | None = None, admin_password: str | None = None) -> InitInfo:
    """Makes the office or brings it up to date; safe to repeat, replaces no key and no password."""
    bootstrap.configure(data)
    from django.conf import settings
    from django.core.management import call_command

    from kiosk.office.roles import make_groups

    made = keys.create_missing(settings.OFFICE.data)
    settings.SECRET_KEY = keys.django_secret(settings.OFFICE.data)
    call_command("migrate", verbosity=0, interactive=False)
    make_groups()
    office = keys.load(settings.OFFICE.data)
    return InitInfo(
        settings.OFFICE.data.resolve(), made, office.signing_id, office.sealing_id, _ADMIN, _make_admin(admin_password),
    )


def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serves until SIGTERM or SIGINT; prints one line when it answers. port 0: any free one."""
    _need_office()
    from kiosk.office.server import run

    run(host, port)


def enrol_terminal(terminal_id: str, site: str, short: bool = False) -> str:
    """The one-time enrolment code as text; short: the digits to be typed. Raises ValueError for a bad id or site."""
    _need_office()
    from django.core.exceptions import ValidationError

    from kiosk.domain.short_code import grouped
    from kiosk.office.enrolment import issue_codes

    try:
        made = issue_codes(terminal_id, site, _CLI)
    except ValidationError as error:
        raise ValueError("; ".join(error.messages)) from None
    return grouped(made.short) if short else made.long.encode()


def import_roster(path: Path, make_templates: MakeTemplates | None = None, dry_run: bool = False) -> ImportReport:
    """Portrait files are looked for beside the list. Raises OSError when the list cannot be read."""
    _need_office()
    from kiosk.office.roster_import import import_roster as run

    return run(path.read_bytes(), path.parent, make_templates, _CLI, dry_run)


def list_cases() -> list[dict[str, str]]:
    """The queue without personal data, oldest first: number, site, time, state and why an officer looks at it."""
    _need_office()
    from kiosk.office.models import Case

    return [
        {
            "case_number": case.case_number, "site": case.terminal.site, "captured": case.captured.isoformat(),
            "state": str(case.get_state_display()), "cause": str(case.get_cause_display()),
        }
        for case in Case.objects.select_related("terminal").order_by("captured")
    ]


def retention_plan() -> dict[str, Any]:
    """JSON-able; no names, no numbers."""
    _need_office()
    from django.utils import timezone

    from kiosk.office.retention import make_plan

    plan = make_plan(timezone.now())

    def told(some: Iterable[Planned]) -> list[dict[str, Any]]:
        return [
            {"what": one.what, "count": one.count, "first": one.first and timezone.localtime(one.first).date().isoformat()}
            for one in some if one.count
        ]

    return {
        "at": plan.at.isoformat(timespec="seconds"), "due": told(plan.due), "later": told(plan.later),
        "waiting_for_an_officer": plan.waiting,
    }


def run_retention() -> dict[str, int]:
    """Erases what is due; how many of each kind."""
    _need_office()
    from django.utils import timezone

    from kiosk.office.retention import run

    return run(timezone.now())


def import_bundle(path: Path) -> BundleReport:
    """What a terminal exported to a memory stick. Raises OSError when the file cannot be read."""
    _need_office()
    from kiosk.office.usb import import_bundle as run

    with path.open("rb") as file:
        return run(file, _CLI)


def export_bundle(terminal_id: str, path: Path) -> dict[str, int]:
    """The way back, whole or not at all; records of each kind. Raises LookupError or OSError."""
    _need_office()
    from kiosk.office.usb import write_bundle

    return write_bundle(terminal_id, path, _CLI)


def publish_content(
    folder: Path, check: CheckSettings, min_app: str = "0", not_before: dt.datetime | None = None,
) -> Manifest:
    """The folder as the next content package. Raises ContentError, SettingsRefused or OSError."""
    _need_office()
    from kiosk.office.content import publish

    return publish(folder, _CLI, check, min_app, not_before)


def first_broken_audit_link() -> int | None:
    """None when the chain of operations is whole."""
    _need_office()
    from kiosk.office.audit import first_broken_link

    return first_broken_link()


def make_backup() -> dict[str, Any]:
    """Makes one now; `trouble` is empty when it was opened again and found whole."""
    _need_office()
    from kiosk.office.backup.make import make_backup as make

    return _told_backup(make())


def list_backups() -> list[dict[str, Any]]:
    _need_office()
    from kiosk.office.models import Backup

    return [_told_backup(one) for one in Backup.objects.all()]


def check_dump(file: Path) -> Checked:
    """A PostgreSQL dump, restored into a scratch database on this office's server."""
    _need_office()
    from kiosk.office.backup import postgres

    return postgres.check_dump(file)


def take_archive(folder: Path | None = None) -> dict[str, int]:
    """What became of each envelope and piece; see `archive.take_in`. Raises NotADirectoryError."""
    _need_office()
    from kiosk.office.backup import archive, make

    place = folder or make.folders()[-1] / "archive"
    if not place.is_dir():
        raise NotADirectoryError(str(place))
    return dict(archive.take_in(place))


def _told_backup(backup: Any) -> dict[str, Any]:
    from kiosk.office.backup.make import is_there

    return {
        "id": backup.pk, "taken": backup.taken.isoformat(timespec="seconds"),
        "verified": backup.verified and backup.verified.isoformat(timespec="seconds"), "file": backup.file,
        "there": is_there(backup), "size": backup.size, "envelopes": backup.envelopes, "trouble": backup.trouble,
    }


def data_folder() -> Path:
    """Of the office that is there. Raises NotInitialised."""
    _need_office()
    from django.conf import settings

    data: Path = settings.OFFICE.data
    return data


def _need_office() -> None:
    bootstrap.configure()
    from django.conf import settings

    if not keys.django_secret(settings.OFFICE.data):
        raise NotInitialised(f"no office in {settings.OFFICE.data}: initialise it first, or set {DATA_VARIABLE}")


def _make_admin(password: str | None) -> str | None:
    from django.contrib.auth import get_user_model

    users = get_user_model()
    if users.objects.filter(username=_ADMIN).exists():
        return None
    made = None if password else secrets.token_urlsafe(12)
    users.objects.create_superuser(_ADMIN, password=password or made)
    return made
