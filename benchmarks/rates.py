"""How fast cases get from a terminal into the office of the same machine, how fast the office takes them in, and what the
sync process costs while there is nothing to send. The office is the one that ships: gunicorn, SQLite, a commit for each.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
from commits import draft
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from figures import Figure, hand_over, percentiles, tell
from sqlalchemy import Engine

from kiosk.config import KioskConfig, load_config
from kiosk.demo.estate import Estate, RealDevices
from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.opening import open_store
from kiosk.store.outbox import count
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest, seal
from kiosk.sync.wire.keys import key_id
from kiosk.sync.wire.models import AuditHead, EnvelopeHeader
from kiosk.sync.wire.signing import Context, sign

_NO_DEVICES = RealDevices(camera="none", idcard="none", printer="none")
_CASES = 100
_BODY = 51_000
"""Bytes: a case with one photograph."""
_PUTS = 600
_FIRST_SEQ = 1_000_000
_IDLE_S = 60.0
_GOAL_PER_S = 400.0
"""Of the office as it ships, at 12 connections."""


def measure(folder: Path) -> list[Figure]:
    with Estate(folder / "town", _NO_DEVICES, say=tell) as estate:
        config = load_config(estate.config)
        engine = open_store(config)
        identity = load_identity(engine)
        assert identity is not None
        try:
            host, port = estate.office_address
            office = f"http://{host}:{port}"
            return [
                _idle(), _delivery(engine, config),
                _ingest(office, identity, 1, _FIRST_SEQ), _ingest(office, identity, 12, 2 * _FIRST_SEQ),
            ]
        finally:
            engine.dispose()


def _idle() -> Figure:
    """Polling, heartbeats and pulls, at the settings that ship, once everything is quiet."""
    (sync,) = (one for one in psutil.Process().children() if "sync" in one.cmdline())
    time.sleep(5)
    tell(f"the sync process at rest for {_IDLE_S:g} s …")
    before = sync.cpu_times()
    time.sleep(_IDLE_S)
    after = sync.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return Figure("CPU of sync with nothing to send", "s per minute", {"mean": spent * 60 / _IDLE_S})


def _delivery(engine: Engine, config: KioskConfig) -> Figure:
    """The running sync process, from the first commit to the last receipt; cases are handed in first, in one go."""
    store, sealer = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=True, part_bytes=config.sync.part_kb * 1024)
    began, waiting = time.monotonic(), count(engine).delivered + _CASES
    for number in range(_CASES):
        one = draft(number)
        receipt = store.submit(one, sealer, one.captured_at)
        assert isinstance(receipt, CaseReceipt), receipt
    handed_in = time.monotonic() - began
    while count(engine).delivered < waiting:
        time.sleep(0.05)
        if time.monotonic() - began > 600:
            raise RuntimeError("the cases do not arrive")
    return Figure(
        f"delivering {_CASES} cases of about 370 kB to an office on the same machine", "cases/s",
        {"mean": _CASES / (time.monotonic() - began)}, {"handing in alone": _CASES / handed_in},
    )


def _ingest(office: str, identity: Identity, connections: int, first_seq: int) -> Figure:
    """Envelopes made beforehand; each connection sends the next one as soon as it has its receipt."""
    waiting = [_envelope(identity, first_seq + number) for number in range(_PUTS)]
    took: list[float] = []
    lock = threading.Lock()

    def send() -> None:
        with httpx.Client(base_url=office, timeout=60) as client:
            while True:
                with lock:
                    if not waiting:
                        return
                    case_id, data, signature = waiting.pop()
                began = time.monotonic()
                headers = {http.SIGNATURE: signature, "Content-Type": http.ENVELOPE_TYPE}
                answer = client.put(http.case_path(case_id), content=data, headers=headers)
                if answer.status_code != 201:
                    raise RuntimeError(f"the office answered {answer.status_code}")
                took.append(1000 * (time.monotonic() - began))

    began = time.monotonic()
    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(send) for _ in range(connections)]:
            done.result()
    rate = _PUTS / (time.monotonic() - began)
    latency = {f"{name} ms": value for name, value in percentiles(took).items()}
    return Figure(
        f"office ingest, {_BODY // 1000} kB, {connections} connection{'s' * (connections > 1)}, sender on the same cores",
        "cases/s", {"mean": rate}, latency | {"goal": _GOAL_PER_S}, rate / _GOAL_PER_S,
    )


def _envelope(identity: Identity, seq: int) -> tuple[str, bytes, str]:
    """Id, bytes, signature. The body is no case: opening it is not part of taking it in."""
    now = dt.datetime.now(dt.UTC)
    header = EnvelopeHeader(
        kid=key_id(identity.office_sealing), id=str(uuid.uuid4()), kiosk=identity.terminal_id, epoch=identity.epoch, seq=seq,
        day=now.date(), created=now, boot="0" * 8, mono_ms=0, audit=AuditHead(n=0, link="0" * 64), consent="benchmark",
    )
    data = seal(header, bytes(_BODY), identity.office_sealing)
    key: Ed25519PrivateKey = identity.signing_key
    return header.id, data, sign(Context.TXN, digest(data), key)


if __name__ == "__main__":
    hand_over(measure)
