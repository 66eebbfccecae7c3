"""The office for the command line: plain functions for a process that has not set Django up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.office import DATA_VARIABLE, bootstrap, keys

if TYPE_CHECKING:
    from kiosk.office.roster_import import ImportReport, MakeTemplates

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


def enrol_terminal(terminal_id: str, site: str) -> str:
    """The one-time enrolment code as text. Raises ValueError for a bad id or site."""
    _need_office()
    from django.core.exceptions import ValidationError

    from kiosk.office.enrolment import issue_code

    try:
        return issue_code(terminal_id, site, _CLI).encode()
    except ValidationError as error:
        raise ValueError("; ".join(error.messages)) from None


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


def first_broken_audit_link() -> int | None:
    """None when the chain of operations is whole."""
    _need_office()
    from kiosk.office.audit import first_broken_link

    return first_broken_link()


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
