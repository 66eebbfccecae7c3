"""The reckoning: what was promised to people against what the office has, and whether anything can be read on a stolen disk."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pysqlite3
from sqlalchemy import select
from sqlalchemy.orm import Session

from harness import people
from harness.town import Machine, Town
from kiosk.store import audit
from kiosk.store.models import CaseRow, OutboxRow, OutboxState
from kiosk.store.opening import open_store
from kiosk.store.outbox import count
from kiosk.sync.audit_heads import examine
from kiosk.sync.identity import load_identity
from kiosk.sync.wire.models import AckLevel, Receipt
from kiosk.sync.wire.signing import Context

_NEEDLES = (
    people.NAME.encode(), people.NAME.encode("utf-16-le"), people.NAME.encode("utf-16-be"), people.NAME.encode("gb18030"),
    people.NAME.encode("unicode_escape"), people.PHOTO[3:-3],
)
_NUMBER = re.compile(re.escape(people.REGION).encode() + rb"\d{11}[\dX]")
_INTAKE_S = 90.0


@dataclass
class Findings:
    """Nothing in any list: everything holds."""

    accepted: int = 0
    lost: list[str] = field(default_factory=list)
    """Promised to a person, not in the office."""
    doubled: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    pieces: int = 0

    @property
    def green(self) -> bool:
        return not (self.lost or self.doubled or self.other)

    def __str__(self) -> str:
        first = [*self.lost[:3], *self.doubled[:3], *self.other[:6]]
        return f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.other)} other of {self.accepted}: {first}"

    @property
    def figures(self) -> dict[str, int]:
        return {"accepted": self.accepted, "lost": len(self.lost), "doubled": len(self.doubled), "other": len(self.other)}

    def control(self) -> str:
        """For the table, of a trial that was broken on purpose."""
        told = {"lost": self.lost, "doubled": self.doubled, "other": self.other}
        return "NOT SEEN" if self.green else "red: " + ", ".join(f"{len(found)} {name}" for name, found in told.items() if found)


def drained(machine: Machine) -> bool:
    """Nothing is on its way any more; refused cases wait for people."""
    engine = open_store(machine.config)
    try:
        counts = count(engine)
        return counts.unsent == counts.held == 0
    finally:
        engine.dispose()


def reckon(town: Town, dead: frozenset[str] = frozenset()) -> Findings:
    """Stops everything first. dead: ids of cases the office refused, as it should have."""
    _until_opened(town)
    for machine in town.machines:
        for child in machine.processes.values():
            child.stop()
    town.stop_office()
    found = Findings()
    office = _office_rows(town)
    known: set[str] = set()
    sealed: dict[str, str] = {}
    for machine in town.machines:  # a copied disk holds what another journal tells of
        sealed |= machine.journal.sealed()
    for machine in town.machines:
        known |= _machine(machine, office, sealed, dead, found)
    found.doubled += [f"{case_id} is in the office and on no terminal" for case_id in sorted(set(office) - known)]
    _people(town, found)
    _pieces(town, found)
    broken = town.ask_office("from kiosk.office.audit import first_broken_link; print(first_broken_link())")
    if broken != "None":
        found.other.append(f"the office's audit chain is broken at {broken}")
    for folder in (*(machine.folder for machine in town.machines), *town.office_data.glob("*.log")):
        found.other += readable(folder)
    return found


def readable(place: Path) -> list[str]:
    """Files in which a name, a number or a photograph of the campaign can be found by searching their bytes."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    told = []
    for path in files:
        data = path.read_bytes()
        if _NUMBER.search(data) or any(needle in data for needle in _NEEDLES):
            told.append(f"readable: {path.name}")
    return told


def _machine(
    machine: Machine, office: dict[str, tuple[str, bytes, bytes]], sealed: dict[str, str], dead: frozenset[str], found: Findings,
) -> set[str]:
    """Ids of its cases. office: digest, raw and receipt by id."""
    accepted = machine.journal.accepted()
    found.accepted += len(accepted)
    found.doubled += [f"{case_id} was promised twice" for case_id, n in Counter(accepted.values()).items() if n > 1]
    engine = open_store(machine.config)
    try:
        with Session(engine.execution_options(read_only=True)) as session, session.begin():
            cases = {case.id: case for case in session.scalars(select(CaseRow))}
            outbox = {row.case_id: row for row in session.scalars(select(OutboxRow))}
            for case_id in accepted.values():
                if case_id not in cases:
                    found.lost.append(f"{case_id} is not in the terminal")
                if case_id not in office and case_id not in dead:
                    found.lost.append(f"{case_id} is not in the office")
            for case_id, case in cases.items():
                found.other += _case(case, outbox.get(case_id), office.get(case_id), sealed.get(case_id), case_id in dead)
            found.other += _answers(machine, outbox, office)
            broken = audit.verify(session)
            if broken is not None:
                found.other.append(f"the terminal's audit chain: {broken.reason} at {broken.n}")
        found.other += [f"the terminal's audit: {one.reason} at {one.n}" for one in examine(engine, ()).report.breaks]
        return set(cases)
    finally:
        engine.dispose()


def _case(
    case: CaseRow, row: OutboxRow | None, there: tuple[str, bytes, bytes] | None, sealed: str | None, dead: bool,
) -> list[str]:
    told = []
    if sealed is None or case.digest.hex() != sealed:
        told.append(f"{case.id} is not what was sealed")
    if row is None or row.state != (OutboxState.DEAD if dead else OutboxState.ACKED):
        told.append(f"{case.id} is {'without an outbox row' if row is None else row.state}")
    if there is None:
        return told
    digest, raw, _ = there
    if hashlib.sha256(raw).hexdigest() != sealed or digest != sealed or (case.purged is None and raw != case.sealed):
        told.append(f"{case.id} has other bytes in the office")
    return told


def _answers(machine: Machine, outbox: dict[str, OutboxRow], office: dict[str, tuple[str, bytes, bytes]]) -> list[str]:
    """Every acknowledgement must be the office's own word on exactly this case."""
    engine = open_store(machine.config)
    identity = load_identity(engine)
    engine.dispose()
    assert identity is not None
    told = []
    for case_id, row in outbox.items():
        if row.state != OutboxState.ACKED:
            continue
        answer = row.answer or b""
        if not identity.office_signed(Context.RECEIPT, answer, row.answer_signature or ""):
            told.append(f"{case_id} is acknowledged without the office's signature")
            continue
        receipt = Receipt.model_validate_json(answer)
        there = office.get(case_id)
        if receipt.id != case_id or receipt.level is AckLevel.HELD or (there and receipt.sha256 != there[0]):
            told.append(f"{case_id} is acknowledged by the receipt of something else")
    return told


def _office_rows(town: Town) -> dict[str, tuple[str, bytes, bytes]]:
    with closing(pysqlite3.connect(str(town.office_data / "office.db"))) as connection:
        rows = connection.execute("SELECT id, digest, raw, receipt FROM office_envelope").fetchall()
    return {row[0]: (row[1], bytes(row[2]), bytes(row[3])) for row in rows}


def _people(town: Town, found: Findings) -> None:
    """What officers see: one case for each visit, no more."""
    with closing(pysqlite3.connect(str(town.office_data / "office.db"))) as connection:
        opened = Counter(row[0] for row in connection.execute("SELECT number FROM office_case"))
        envelopes = connection.execute("SELECT count(*) FROM office_envelope").fetchone()[0]
    found.doubled += [f"{n} cases of one person on the desk" for n in opened.values() if n > 1]
    if sum(opened.values()) != envelopes:
        found.other.append(f"{envelopes} envelopes, {sum(opened.values())} cases on the desk")


def _pieces(town: Town, found: Findings) -> None:
    """Each is what its address says; that none is missing is known by its case having been opened."""
    with closing(pysqlite3.connect(str(town.office_data / "office.db"))) as connection:
        rows = connection.execute("SELECT sha256, raw FROM office_envelopepart").fetchall()
    found.pieces = len(rows)
    found.other += [f"piece {name} has other bytes" for name, raw in rows if raw and hashlib.sha256(raw).hexdigest() != name]


def _until_opened(town: Town) -> None:
    """The office's intake has its own pace."""
    deadline = time.monotonic() + _INTAKE_S
    while time.monotonic() < deadline:
        with closing(pysqlite3.connect(str(town.office_data / "office.db"))) as connection:
            waiting = connection.execute(
                "SELECT count(*) FROM office_envelope WHERE id NOT IN (SELECT envelope_id FROM office_case)").fetchone()[0]
        if not waiting or town.office is None or not town.office.alive:
            return
        time.sleep(0.2)
