"""A terminal's own store and sealer before the office: what a conversation hands in goes all the way onto the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from townhall import Line

from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore, Draft
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.sync import identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.keys import private_hex, public_hex
from kiosk.sync.wire.models import EnrolAnswer, OfficeKeys


class Machine:
    def __init__(self, line: Line, database: Path) -> None:
        self.line = line
        self.engine = open_database(database, DatabaseKey("0f" * 32))
        migrate(self.engine)
        terminal = line.terminal
        office = OfficeKeys(sealing=terminal.office_sealing, signing=(terminal.office_signing,))
        answer = EnrolAnswer(
            terminal_id=terminal.id, site="含谷镇便民服务中心", epoch=terminal.epoch,
            signing_key=public_hex(terminal.signing.public_key()), office=office,
        )
        keys = {"signing_key": private_hex(terminal.signing), "sealing_key": private_hex(terminal.sealing)}
        stored = identity.Stored(office_url="http://127.0.0.1", answer=answer, **keys)
        identity.take_identity(self.engine, stored, "enrolled", "enrolment_asked")

    def send(self, draft: Draft, simulated: bool = False) -> tuple[str, Any]:
        """Id of the case and the office's answer to its PUT."""
        receipt = CaseStore(self.engine, 0).submit(draft, EnvelopeSealer(self.engine, simulated), draft.captured_at)
        assert isinstance(receipt, CaseReceipt), receipt
        with self.engine.connect() as connection:
            row = connection.exec_driver_sql("SELECT sealed, signature FROM cases WHERE id = ?", (receipt.case_id,)).one()
        return receipt.case_id, self.line.put(row[0], receipt.case_id, row[1])

    def hand_in(self, draft: Draft, simulated: bool = False) -> str:
        """One case or enrolment all the way onto the desk; returns its id."""
        from kiosk.office import intake

        case_id, answer = self.send(draft, simulated)
        assert answer.status_code == 201, answer.content
        assert intake.open_due() == 1
        return case_id
