"""How long a card takes: read by the device room, and from laying it to the greeting with the person's name.

The emulated reader's bytes pass as a serial line passes them, and it thinks for as long as a module might. What the
line and the module need is the least that is possible; everything above it is ours.
"""

from __future__ import annotations

import queue
import random
import time
from pathlib import Path

from figures import Figure, hand_over, median_and_range, tell

from kiosk.config import load_config
from kiosk.demo.estate import Estate, RealDevices
from kiosk.demo.finger import Finger
from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.idcard.codec import Command, encode_frame
from kiosk.devices.idcard.service import IdCardService, Timing
from kiosk.devices.serial_line import Direction
from kiosk.domain.document import IdCard
from kiosk.flow.view import Button, Step
from kiosk.terminal.app import Terminal, make_application
from kiosk.texts import load_texts

_LAYINGS = 10
_READS = 20
_SAME_CARD_S = 5.0
"""The reader room takes a card laid again sooner for the same laying."""
_POLL_S = 0.3
"""It looks for a card this often; people come at any moment between."""
_READ_BYTES = 1295
"""The whole answer to *read*: frame, text block, photograph."""
_WAY_BYTES = 3 * 10 + 15 + 19 + _READ_BYTES
"""*find*, *select*, *read* and their answers."""
_BITS_PER_BYTE = 10
_MODULE_S: dict[bytes, float] = {Command.FIND: 0.03, Command.SELECT: 0.03, Command.READ: 0.25}
"""Assumed; no module has been measured."""


def measure(folder: Path) -> list[Figure]:
    return [_reads(folder, 115_200), _reads(folder, 9600), _greetings(folder)]


def _reads(folder: Path, baud: int) -> Figure:
    """From the *find* that finds the card to its delivery. How long a card waits for that *find* is not in it."""
    least = 1000 * (_WAY_BYTES * _BITS_PER_BYTE / baud + sum(_MODULE_S.values()))
    asked = [0.0]
    delivered: queue.Queue[float] = queue.Queue()

    def notice(direction: Direction, data: bytes) -> None:
        if data == encode_frame(Command.FIND):
            asked[0] = time.monotonic()

    def take(event: object) -> None:
        if isinstance(event, IdCard):
            delivered.put(time.monotonic() - asked[0])

    with IdCardEmulator(folder / f"reader-{baud}") as reader:
        reader.baud, reader.delays = baud, dict(_MODULE_S)
        service = IdCardService(str(reader.port.path), baud, lambda status: None, take, Timing(same_card=0.0))
        service.tap = notice
        service.start()
        took = []
        for index in range(_READS):
            service.seek()
            reader.lay(EmulatedCard.of(sample_card(index)))
            took.append(1000 * delivered.get(timeout=30))
        service.stop()
    measured = median_and_range(took)
    name = f"card read at {baud} baud, {_READS} times"
    return Figure(name, "ms", measured, {"line and module": least}, measured["median"] / least)


def _greetings(folder: Path) -> Figure:
    with Estate(folder / "town", RealDevices(), say=tell) as estate:
        config = load_config(estate.config)
        assert estate.reader is not None
        estate.reader.baud = config.idcard.baud
        app = make_application(config)
        terminal = Terminal(config, load_texts(config.ui.texts))
        terminal.start()
        try:
            finger = Finger(terminal, folder)
            finger.wait_for(Step.ATTRACT, 60)
            took = [_lay(estate, finger) for _ in range(_LAYINGS)]
        finally:
            terminal.stop()
            app.processEvents()
    line = {"line alone": 1000 * _WAY_BYTES * _BITS_PER_BYTE / config.idcard.baud, "mean wait to be found": 1000 * _POLL_S / 2}
    measured = median_and_range(took)
    return Figure(f"card laid to name shown, {_LAYINGS} times", "ms", measured, line, measured["median"] / sum(line.values()))


def _lay(estate: Estate, finger: Finger) -> float:
    """In ms. Leaves the terminal as it was."""
    finger.pause(_SAME_CARD_S + random.uniform(0, _POLL_S))
    laid = time.monotonic()
    estate.lay_card()
    view = finger.wait_for(Step.GREETING)
    took = time.monotonic() - laid
    if not view.masked_name:
        raise RuntimeError("a greeting without a name")
    finger.press(Button.END)
    finger.press(Button.DONE)
    finger.wait_for(Step.TAKE_CARD)
    estate.lift_card()
    finger.wait_for(Step.ATTRACT)
    return 1000 * took


if __name__ == "__main__":
    hand_over(measure)
