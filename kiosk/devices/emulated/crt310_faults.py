"""Faults of the emulated CRT-310 by name, for the command line."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.devices.emulated.crt310 import Crt310Emulator, Manner


def _in_manner(manner: Manner) -> Callable[[Crt310Emulator], None]:
    return lambda reader: reader.behave(manner)


def _entry_stays_open(reader: Crt310Emulator) -> None:
    reader.entry_stays_open = True


def _fragments(reader: Crt310Emulator) -> None:
    reader.chunk_size = 3


def _slow_motor(reader: Crt310Emulator) -> None:
    reader.motor_s = 3.0


def _stuck(reader: Crt310Emulator) -> None:
    reader.stuck = True


FAULTS: dict[str, Callable[[Crt310Emulator], None]] = {
    **{manner.value: _in_manner(manner) for manner in Manner if manner is not Manner.WELL},
    "entry_stays_open": _entry_stays_open,
    "fragments": _fragments,
    "slow_motor": _slow_motor,
    "stuck": _stuck,
}
