"""Handing in one case with three photographs and a clip, beside a bare SQLCipher commit of the same bytes in the same folder.

In turns, with the same key and settings. Ours also opens the session, seals, signs and writes outbox and audit.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

from figures import Figure, hand_over, percentiles, tell
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2

from kiosk.config import Mode, load_config
from kiosk.demo.estate import Estate, RealDevices
from kiosk.devices.emulated.cards import sample_card
from kiosk.domain.case import CaseDraft, CaseReceipt, Item
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import ClipFrame, FaceEvidence, Outcome
from kiosk.domain.liveness import Action, Check, CheckOutcome, CheckResult, LivenessReport, Profile
from kiosk.domain.period import LOCAL_ZONE
from kiosk.store.cases import CaseStore
from kiosk.store.database import prepare
from kiosk.store.key import load_key
from kiosk.store.models import CaseRow
from kiosk.store.opening import open_store
from kiosk.sync.sealer import EnvelopeSealer

_CASES = 200
_PHOTOS = 3
_PHOTO_BYTES = 60_000
_CLIP = 27
_CLIP_BYTES = 7_000
"""Nine seconds at three pictures a second, 240 pixels wide."""
_REPORT = LivenessReport(
    Profile.PAPER, "0" * 32, (Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT),
    tuple(CheckResult(check, CheckOutcome.PASSED, 0.5, 0.3) for check in Check), 9.0,
)
_NO_DEVICES = RealDevices(camera="none", idcard="none", printer="none")


def measure(folder: Path) -> list[Figure]:
    with Estate(folder / "town", _NO_DEVICES, say=tell) as estate:
        config = load_config(estate.config)  # enrolled now; the office is not needed any more
    engine = open_store(config)
    bare = dbapi2.connect(str(config.store.path.with_name("bare.db")))
    try:
        prepare(bare, load_key(config))
        bare.execute("CREATE TABLE bare (n INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        store, sealer = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=config.mode is Mode.DEMO)
        ours, theirs = [], []
        for number in range(_CASES):
            took, case_id = _submit(store, sealer, draft(number))
            ours.append(took)
            theirs.append(_commit(bare, _sealed(engine, case_id)))
    finally:
        bare.close()
        engine.dispose()
    measured, beside = percentiles(ours), percentiles(theirs)
    return [Figure(
        f"handing in {_CASES} cases of {_PHOTOS} x {_PHOTO_BYTES // 1000} and {_CLIP} x {_CLIP_BYTES // 1000} kB", "ms", measured,
        {f"bare {name}": value for name, value in beside.items()}, measured["p50"] / beside["p50"],
    )]


def _submit(store: CaseStore, sealer: EnvelopeSealer, draft: CaseDraft) -> tuple[float, str]:
    """Time in ms and the case's id."""
    began = time.monotonic()
    receipt = store.submit(draft, sealer, draft.captured_at)
    took = 1000 * (time.monotonic() - began)
    if not isinstance(receipt, CaseReceipt):
        raise RuntimeError(f"not committed: {receipt.reason}")
    return took, receipt.case_id


def _sealed(engine: Engine, case_id: str) -> bytes:
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return session.scalars(select(CaseRow.sealed).where(CaseRow.id == case_id)).one()


def _commit(bare: dbapi2.Connection, data: bytes) -> float:
    """In ms."""
    began = time.monotonic()
    bare.execute("BEGIN IMMEDIATE")
    bare.execute("INSERT INTO bare (data) VALUES (?)", (data,))
    bare.execute("COMMIT")
    return 1000 * (time.monotonic() - began)


def draft(number: int) -> CaseDraft:
    """Of one invented person, each a wanted repetition."""
    now = dt.datetime.now(LOCAL_ZONE)
    photos = tuple(os.urandom(_PHOTO_BYTES) for _ in range(_PHOTOS))  # as little to be compressed as a JPEG
    clip = tuple(ClipFrame(333 * index, os.urandom(_CLIP_BYTES)) for index in range(_CLIP))
    return CaseDraft(
        item=Item.CERTIFICATION, card=sample_card(), outcome=Outcome.PASSED,
        consent=Consent(frozenset(ConsentScope), "benchmark", now),
        attempts=(FaceEvidence(0.3, 5, 3, _REPORT, "benchmark", photos, clip),),
        captured_at=now, in_roster=True, category="unknown", due=None, repeat=number,
    )


if __name__ == "__main__":
    hand_over(measure)
