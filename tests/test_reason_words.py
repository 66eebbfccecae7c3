"""Every reason a device may give has words for people: on the terminal for who stands there, at the office for who is rung up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk.config import REPOSITORY
from kiosk.devices import serial_line
from kiosk.devices.a4.states import Condition as Paper
from kiosk.devices.idcard import service as idcard
from kiosk.devices.printer.status import Condition as Printer
from kiosk.domain.status import DeviceKind, DeviceState
from kiosk.office.desk.device_words import words
from kiosk.texts import load_texts

_RAISED = re.compile(r"(?:DeviceLost|LineLost|ReaderFault)\(\"([a-z0-9_]+)\"\)")
_REPORTED = re.compile(r"DeviceState\.\w+, \"([a-z0-9_]+)\"")
_DEVICES = REPOSITORY / "kiosk" / "devices"
_SERIAL = {DeviceKind.IDCARD, DeviceKind.PRINTER, DeviceKind.SCANNER, DeviceKind.SOCIALCARD}
_LINE = {"line_lost", "stalled", "no_port", *serial_line._OPEN_REASONS.values()}
_TOLD = {
    DeviceKind.IDCARD: set(idcard._FAULTS.values()),
    DeviceKind.PRINTER: {str(one) for one in Printer} - {"ok"} | {"interrupted"},
    DeviceKind.A4: {str(one) for one in Paper} - {"ok"} | {"interrupted", "not_taken_back"},
    DeviceKind.SOCIALCARD: {"no_pcscd", "no_reader", "busy_reader", "driver_died", "pcsc_error", "not_fitted", "reader_supply"},
}


def _reasons(kind: DeviceKind) -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (_DEVICES / kind.value).rglob("*.py")]
    found = {reason for source in sources for pattern in (_RAISED, _REPORTED) for reason in pattern.findall(source)}
    found |= _TOLD.get(kind, set()) | {"program_fault"}
    if kind in _SERIAL:
        found |= _LINE | {"mute", "wrong_device", "wrong_speed", "babbling"}
        found |= {f"found_{other.value}" for other in _SERIAL - {kind}}
    return found


@pytest.mark.parametrize("kind", sorted(set(DeviceKind) - {DeviceKind.FACE}))
def test_every_reason_has_words(kind: DeviceKind) -> None:
    texts = load_texts(Path(REPOSITORY / "assets" / "texts" / "zh_CN.toml"))
    reasons = _reasons(kind)
    assert len(reasons) > 5
    assert not {reason for reason in reasons if f"staff.{kind.value}.{reason}" not in texts}
    assert not {reason for reason in reasons if words(kind.value, DeviceState.OFFLINE.value, reason).wrong.startswith("代码")}
