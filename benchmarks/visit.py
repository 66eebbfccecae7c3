"""A terminal in a process of its own and one certification at it: `visit.py CONFIG`, for memory.py.

Says on stdout what it needs (`lay`, `lift`) and `done`; then it stays at the attract screen until stdin ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx

from kiosk.config import load_config
from kiosk.demo.finger import Finger
from kiosk.flow.view import Button, Step
from kiosk.terminal.app import Terminal, make_application
from kiosk.texts import load_texts

_TRY_S = 60.0


def main(config_file: Path) -> None:
    config = load_config(config_file)
    app = make_application(config)
    terminal = Terminal(config, load_texts(config.ui.texts))
    terminal.start()
    try:
        camera = config.camera.source.removesuffix("/stream")
        _certify(Finger(terminal, config_file.parent, lambda request: httpx.post(f"{camera}/act/{request}")))
        print("done", flush=True)
        sys.stdin.read()
    finally:
        terminal.stop()
        app.processEvents()


def _certify(finger: Finger) -> None:
    finger.wait_for(Step.ATTRACT, _TRY_S)
    print("lay", flush=True)
    finger.wait_for(Step.GREETING)
    finger.press(Button.CONTINUE)
    finger.wait_for(Step.CONSENT)
    for button in (Button.TICK_MATCH, Button.TICK_SEND_PHOTO, Button.AGREE):
        finger.press(button)
    finger.wait_for(Step.RESULT, 2 * _TRY_S)
    finger.wait(lambda view: view.slip is not None, _TRY_S, "the slip")
    finger.press(Button.DONE)
    finger.wait_for(Step.TAKE_CARD)
    print("lift", flush=True)
    finger.wait_for(Step.ATTRACT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
