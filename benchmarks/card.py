"""From laying the card on the reader to the greeting with the person's name.

The emulated reader answers at once, but its bytes are paced as a serial line of 115200 baud paces them.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from figures import Figure, hand_over, median_and_range, tell

from kiosk.config import load_config
from kiosk.demo.estate import Estate, RealDevices
from kiosk.demo.finger import Finger
from kiosk.flow.view import Button, Step
from kiosk.terminal.app import Terminal, make_application
from kiosk.texts import load_texts

_LAYINGS = 10
_SAME_CARD_S = 5.0
"""The reader room takes a card laid again sooner for the same laying."""
_POLL_S = 0.3
"""It looks for a card this often; people come at any moment between."""
_READ_BYTES = 1295
"""The whole answer to *read*: frame, text block, photograph."""
_BITS_PER_BYTE = 10
_PIECE = 64
"""Bytes that leave the emulator together; 5.6 ms of line."""


def measure(folder: Path) -> list[Figure]:
    with Estate(folder / "town", RealDevices(), say=tell) as estate:
        config = load_config(estate.config)
        per_byte_s = _BITS_PER_BYTE / config.idcard.baud
        assert estate.reader is not None
        estate.reader.chunk_size, estate.reader.chunk_delay_s = _PIECE, _PIECE * per_byte_s
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
    line = {"line alone": 1000 * _READ_BYTES * per_byte_s}
    return [Figure(f"card laid to name shown, {_LAYINGS} times", "ms", median_and_range(took), line)]


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
