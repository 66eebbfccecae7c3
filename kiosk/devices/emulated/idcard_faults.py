"""Faults of the emulated reader by name, for the command line and the bench."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.idcard.codec import Command, Sw3


def _in_manner(manner: Manner) -> Callable[[IdCardEmulator], None]:
    return lambda reader: reader.behave(manner)


def _always(command: Command, sw3: Sw3) -> Callable[[IdCardEmulator], None]:
    return lambda reader: reader.inject(command, sw3)


def _bad_line(reader: IdCardEmulator) -> None:
    reader.behave(Manner.WRONG_CHECKSUM, every=3)


def _flap(reader: IdCardEmulator) -> None:
    reader.flapping = True


def _fragments(reader: IdCardEmulator) -> None:
    reader.chunk_size = 16


def _slow_line(reader: IdCardEmulator) -> None:
    reader.baud = 9600


def _slow_module(reader: IdCardEmulator) -> None:
    reader.delays = {Command.READ: 2.5, Command.SELECT: 0.8, Command.FIND: 0.8}


def _unplug_while_reading(reader: IdCardEmulator) -> None:
    reader.unplug_after = Command.SELECT


def _card_pulled_away(reader: IdCardEmulator) -> None:
    reader.vanish_after = Command.SELECT


FAULTS: dict[str, Callable[[IdCardEmulator], None]] = {
    **{manner.value: _in_manner(manner) for manner in Manner if manner is not Manner.WELL},
    "bad_line": _bad_line,
    "card_pulled_away": _card_pulled_away,
    "flapping": _flap,
    "fragments": _fragments,
    "no_authorisation": _always(Command.STATUS, Sw3.SAM_NOT_AUTHORISED),
    "other_chip": _always(Command.SELECT, Sw3.UNKNOWN_CARD_TYPE),
    "read_failed": _always(Command.READ, Sw3.READ_FAILED),
    "self_test_failed": _always(Command.STATUS, Sw3.SELF_TEST_FAILED),
    "slow_line": _slow_line,
    "slow_module": _slow_module,
    "stalled": IdCardEmulator.stall,
    "unplug_while_reading": _unplug_while_reading,
}
"""What `IdCardEmulator.cure` takes back, by name."""
