"""One office in a directory of its own for the tests of this room; a terminal with real keys before it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # townhall.py, machine.py
sys.path.insert(0, str(Path(__file__).parent.parent / "sync"))  # drafts.py

_DATA = tempfile.TemporaryDirectory(prefix="kiosk-office-")
os.environ["KIOSK_OFFICE_DATA"] = _DATA.name  # read by bootstrap.configure below

from machine import Machine  # noqa: E402
from townhall import NAME, NUMBER, Line, Terminal  # noqa: E402

from kiosk.office import bootstrap, keys  # noqa: E402
from kiosk.sync.wire.keys import public_hex  # noqa: E402

keys.create_missing(Path(_DATA.name))
bootstrap.configure()
for _name in (bootstrap.DATA_VARIABLE, "DJANGO_SETTINGS_MODULE"):  # the settings are read; other rooms' tests start processes
    del os.environ[_name]

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

    from kiosk.office.models import Person


@pytest.fixture
def terminal(db: None) -> Terminal:
    """Enrolled."""
    from django.utils import timezone

    from kiosk.office import models

    office = keys.load(Path(_DATA.name))
    one = Terminal(office_signing=office.signing_public, office_sealing=office.sealing_public)
    row, _ = models.Terminal.objects.get_or_create(pk=one.id, defaults={"site": "含谷镇便民服务中心"})
    models.TerminalKey.objects.create(
        terminal=row, epoch=1, name="t", enrolled=timezone.now(),
        signing_key=public_hex(one.signing.public_key()), sealing_key=public_hex(one.sealing.public_key()),
    )
    return one


@pytest.fixture
def line(terminal: Terminal, client: Client) -> Line:
    return Line(terminal, client)


@pytest.fixture
def machine(line: Line, tmp_path: Path) -> Iterator[Machine]:
    """The terminal's own software on the line."""
    one = Machine(line, tmp_path / "terminal.db")
    yield one
    one.engine.dispose()


@pytest.fixture
def add_person(db: None) -> Callable[..., Person]:
    """Puts somebody into the roster."""
    from django.db import transaction

    from kiosk.office.models import Person

    def add(number: str = NUMBER, name: str = NAME, **more: object) -> Person:
        one = Person(number=number, name=name, **more)
        with transaction.atomic():
            one.save_changed()
        return one

    return add


@pytest.fixture
def officer(db: None, django_user_model: type[User], client: Client) -> User:
    """Logged in, with the rights of the group 操作员."""
    from django.contrib.auth.models import Group

    from kiosk.office.roles import make_groups

    make_groups()
    user = django_user_model.objects.create_user("wang", password="a long word 23", is_staff=True)
    user.groups.add(Group.objects.get(name="操作员"))
    client.force_login(user)
    return user


@pytest.fixture(scope="session", autouse=True)
def _remove_data() -> Iterator[None]:
    yield
    _DATA.cleanup()
