"""The terminal as a process of its own, pressed by a finger that asks the test for what happens around the machine.

`python terminal_apart.py CONFIG ORDERS`: ORDERS is a descriptor of a socket; a line goes out, `ok` comes back.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

import psutil

from kiosk.config import load_config
from kiosk.demo.finger import Finger
from kiosk.flow.view import Button, Step
from kiosk.no_dumps import no_core_dumps
from kiosk.terminal.app import Terminal, make_application
from kiosk.terminal.process import log_uncaught
from kiosk.texts import load_texts

TRY_S = 60.0


class Orders:
    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._file = self._socket.makefile("rw", encoding="utf-8")

    def __call__(self, what: str) -> None:
        self._file.write(what + "\n")
        self._file.flush()
        if self._file.readline().strip() != "ok":
            raise SystemExit("the test does not answer")


def main(config_path: str, descriptor: str) -> None:
    no_core_dumps()
    logging.basicConfig(level=logging.DEBUG)
    order = Orders(int(descriptor))
    config = load_config(Path(config_path))
    make_application(config)
    log_uncaught()
    terminal = Terminal(config, load_texts(config.ui.texts))
    finger = Finger(terminal, Path.cwd() / "pictures", lambda request: order(f"act {request}"))
    terminal.start()
    finger.wait_for(Step.ATTRACT, 60)
    _printer_at_fault(finger, order)
    _face_process_killed(finger, order)
    order("lay")
    finger.wait_for(Step.GREETING, 20)  # name and number are in memory now, and on the screen behind a mask
    os.kill(os.getpid(), signal.SIGSEGV)


def _printer_at_fault(finger: Finger, order: Orders) -> None:
    _to_camera(finger, order)
    order("printer silent")
    finger.wait_for(Step.RESULT, TRY_S)
    finger.wait(lambda view: view.slip is not None, 60, "the word on the slip")
    order("printer well")
    _leave(finger, order)


def _face_process_killed(finger: Finger, order: Orders) -> None:
    """kill -9 in the middle of a try, without a line to the office."""
    order("cut")
    _to_camera(finger, order)
    finger.wait(lambda view: view.coach is not None, 30, "coaching")
    for child in psutil.Process().children():
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
    finger.wait_for(Step.SORRY, 30)
    finger.pause(4)
    finger.press(Button.RETRY)
    finger.wait_for(Step.RESULT, TRY_S)
    finger.wait(lambda view: view.slip is not None, 60, "the word on the slip")
    order("mend")
    _leave(finger, order)


def _to_camera(finger: Finger, order: Orders) -> None:
    order("lay")
    finger.wait_for(Step.GREETING, 30)
    finger.press(Button.CONTINUE)
    finger.wait_for(Step.CONSENT)
    for button in (Button.TICK_MATCH, Button.TICK_SEND_PHOTO, Button.AGREE):
        finger.press(button)
    finger.wait_for(Step.CAMERA)


def _leave(finger: Finger, order: Orders) -> None:
    finger.press(Button.DONE)
    finger.wait_for(Step.TAKE_CARD)
    order("lift")
    finger.wait_for(Step.ATTRACT, 30)


if __name__ == "__main__":
    main(*sys.argv[1:])
