"""A terminal as it stands in a village: its own encrypted database, and one pass of everything it does with the office."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from pathlib import Path

from office_stub import NOW, make_draft
from sqlalchemy import Engine

from kiosk.config import KioskConfig, Mode, StoreConfig, SyncConfig
from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.outbox import Outbox, OutboxCounts, count
from kiosk.sync.delivery import Delivery
from kiosk.sync.enrol import EnrolFailed, enrol, enrol_short
from kiosk.sync.gate import Gate
from kiosk.sync.heartbeat import heartbeat_once
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.renew import RenewFailed, renew_if_due
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.enrolment import EnrolmentCode

TIMES = SyncConfig(connect_timeout_s=5, total_timeout_s=10)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Machine:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "terminal.db"
        self.config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=self.path), sync=TIMES)
        self.engine: Engine = open_database(self.path, DatabaseKey("0f" * 32))
        migrate(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    def copy_to(self, folder: Path) -> Machine:
        """The disk, copied while the machine is off."""
        self.engine.dispose()
        folder.mkdir()
        shutil.copy(self.path, folder / "terminal.db")
        return Machine(folder)

    def enrol(self, code: EnrolmentCode) -> Identity:
        identity = enrol(self.engine, code, "bench", 5, 10)
        assert isinstance(identity, Identity), identity
        return identity

    def enrol_short(self, digits: str, url: str) -> Identity | EnrolFailed:
        return enrol_short(self.engine, digits, url, "bench", 5, 10)

    @property
    def identity(self) -> Identity:
        identity = load_identity(self.engine)
        assert identity is not None
        return identity

    def hand_in(self, number: int, at: dt.datetime = NOW) -> str:
        """number: whose case; another one each time. Returns its id."""
        draft = make_draft(number=f"9999011950{number:08d}")
        receipt = CaseStore(self.engine, 0).submit(draft, EnvelopeSealer(self.engine, simulated=True), at)
        assert isinstance(receipt, CaseReceipt), receipt
        return receipt.case_id

    def deliver(self) -> OutboxCounts:
        outbox = Outbox(self.engine, 0.001, 0.001)
        with OfficeLink(self.identity.office_url, 5, 10) as link:
            Delivery(outbox, link, self.identity, Gate(1, 1), now).run_pass(threading.Event())
        return count(self.engine)

    def beat(self) -> None:
        heartbeat_once(self.engine, self.config, now)

    def renew(self) -> Identity | RenewFailed | None:
        return renew_if_due(self.engine, TIMES, now)

    def age(self) -> None:
        """Enrolled long ago, and the clock was checked since."""
        self.beat()
        with self.engine.begin() as connection:
            text = connection.exec_driver_sql("SELECT value FROM setting WHERE name = 'identity'").scalar_one()
            old = text.replace(f'"enrolled_at":"{now().year}', '"enrolled_at":"2019')
            assert old != text
            connection.exec_driver_sql("UPDATE setting SET value = ? WHERE name = 'identity'", (old,))
