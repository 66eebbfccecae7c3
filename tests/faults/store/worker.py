"""A terminal's part that takes cases, as product code does it: real configuration, store, sealer, case after case.

Run as a program with one JSON argument (`Orders`), mostly under the shim; or as a function in a forked process. Each
receipt is one line `VISIT ID SHA256` in `acks`, written after `submit` returned and never before.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":  # as a program it has no conftest
    HERE = Path(__file__).resolve().parent
    sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "sync")]

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from harness import people
from sqlalchemy import Engine, event

from kiosk.config import load_config
from kiosk.domain.case import CaseReceipt
from kiosk.store import ballast
from kiosk.store.cases import CaseStore
from kiosk.store.opening import open_store
from kiosk.store.unusable import StoreUnusable
from kiosk.sync.identity import Stored, load_identity, take_identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.models import EnrolAnswer, OfficeKeys

KEY = "5c" * 32
_CONFIG = """mode = "demo"
[store]
path = "{folder}/terminal.db"
key_file = "{key}"
free_floor_mb = {floor}
ballast_mb = {ballast}
"""


@dataclass(frozen=True)
class Orders:
    config: str
    acks: str
    first: int = 1
    last: int = 10
    checkpoint: int = 60
    """wal_autocheckpoint: small, so that many checkpoints fall into a short run."""
    synchronous: str = ""
    """A control: other than FULL."""
    fail_fsync: int = 0
    fail_on: str = "-wal"
    sticky: bool = False
    room: int = -1
    """Bytes that can be written after the opening."""
    ballast: bool = False

    def argument(self) -> str:
        return json.dumps(asdict(self))


def configure(folder: Path, beside: Path, floor: int = 0, ballast_mb: int = 0) -> Path:
    """folder: of the database; beside: for configuration and key."""
    key = beside / "key"
    key.write_text(KEY, encoding="ascii")
    file = beside / "terminal.toml"
    file.write_text(_CONFIG.format(folder=folder, key=key, floor=floor, ballast=ballast_mb), encoding="utf-8")
    return file


def work(orders: Orders) -> None:
    """Prints `refused VISIT REASON` for what is not taken, and ends at the first of these."""
    try:
        engine = open_store(load_config(Path(orders.config)))
    except StoreUnusable as error:
        print("unusable", error.reason, flush=True)
        return
    _tune(engine, orders)
    if load_identity(engine) is None:
        _enrol(engine)
    if orders.ballast:
        given = ballast.of(engine)
        assert given is not None
        given.keep()
    store, sealer = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=True)
    acks = os.open(orders.acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if orders.fail_fsync or orders.room >= 0:
        shim = ctypes.CDLL(None)
        if orders.fail_fsync:
            shim.shim_fail_fsync(ctypes.c_long(orders.fail_fsync), int(orders.sticky), orders.fail_on.encode())
        if orders.room >= 0:
            shim.shim_room(ctypes.c_long(orders.room))
    now = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
    for visit in range(orders.first, orders.last + 1):
        taken = store.submit(people.draft(visit, now), sealer, now)
        if not isinstance(taken, CaseReceipt):
            print("refused", visit, taken.reason, int(store.restart_needed), flush=True)
            return
        with engine.connect() as connection:
            sealed = connection.exec_driver_sql("SELECT sealed FROM cases WHERE id = ?", (taken.case_id,)).scalar_one()
        os.write(acks, f"{visit} {taken.case_id} {hashlib.sha256(sealed).hexdigest()}\n".encode())
    print("done", flush=True)


def _tune(engine: Engine, orders: Orders) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA wal_autocheckpoint = {orders.checkpoint}")  # type: ignore[attr-defined]
        if orders.synchronous:
            connection.execute(f"PRAGMA synchronous = {orders.synchronous}")  # type: ignore[attr-defined]

    engine.dispose()  # those made while opening have it not


def _enrol(engine: Engine) -> None:
    key = "ab" * 32
    office = OfficeKeys(sealing=X25519PrivateKey.generate().public_key().public_bytes_raw().hex(), signing=(key,))
    answer = EnrolAnswer(terminal_id="HG01", site="x", epoch=1, signing_key=key, office=office)
    stored = Stored(office_url="http://127.0.0.1", signing_key=key, sealing_key=key, answer=answer)
    take_identity(engine, stored, "enrolled", "asked")


if __name__ == "__main__":
    work(Orders(**json.loads(sys.argv[1])))
