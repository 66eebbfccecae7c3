"""A scripted day without a display: four visits, pictures of every step, the slips, a plain summary."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from kiosk.config import load_config
from kiosk.demo.estate import DESK_PASSWORD, DESK_USER, Estate, RealDevices
from kiosk.demo.finger import Finger, Stuck
from kiosk.domain.case import Standing
from kiosk.domain.slip import PrintOutcome
from kiosk.flow.view import Button, Step, View
from kiosk.terminal.app import Terminal, make_application
from kiosk.texts import load_texts

_TRY_S = 60.0
"""One try of the face room, slow machines included."""
_WINDOW = (1080, 1920)
_IDLE_S = 8.0


def play_day(folder: Path, devices: RealDevices) -> int:
    """Returns 0 when everything went as told; 1 with the reason otherwise."""
    signal.signal(signal.SIGTERM, _leave)
    with Estate(folder, devices, window=_WINDOW, idle_s=_IDLE_S) as estate:
        config = load_config(estate.config)
        app = make_application(config)
        terminal = Terminal(config, load_texts(config.ui.texts))
        day = Day(estate, Finger(terminal, estate.folder / "pictures", estate.act))
        terminal.start()
        failed = ""
        try:
            day.play()
        except Stuck as error:
            failed = str(error)
            day.finger.picture("stuck")
        finally:
            terminal.stop()
        app.processEvents()
        day.note("cases", estate.office_cases())
        summary = _write_summary(estate, day, failed)
    print(summary)
    return 1 if failed else 0


def _leave(number: int, frame: object) -> NoReturn:
    """SIGTERM: takes everything down that was started."""
    raise SystemExit(128 + number)


class Day:
    def __init__(self, estate: Estate, finger: Finger) -> None:
        self._estate = estate
        self.finger = finger
        self.facts: dict[str, Any] = {}
        self.visits: list[str] = []

    def note(self, name: str, value: object) -> None:
        self.facts[name] = value

    def play(self) -> None:
        self.finger.wait_for(Step.ATTRACT, 60)
        self.finger.picture("attract")
        for name, visit in {
            "a cardholder certifies": self._cardholder, "a stranger with the cardholder's card": self._stranger,
            "someone walks away half-way": self._walks_away, "the office is unreachable and comes back": self._office_away,
        }.items():
            began = time.monotonic()
            print(f"… {name}", flush=True)
            told = visit()
            self.visits.append(f"{name}: {told} ({time.monotonic() - began:.0f} s)")

    # ------------------------------------------------------------------------------------- four visits

    def _cardholder(self) -> str:
        finger = self.finger
        finger.press(Button.EXPLAIN)
        finger.picture("explain")
        finger.press(Button.START)
        finger.wait_for(Step.CARD)
        finger.picture("card")
        self._to_camera("cardholder", pictures=True)
        finger.wait(lambda view: view.coach is not None, 20, "coaching")
        finger.picture("camera")
        view = finger.wait_for(Step.RESULT, _TRY_S)
        slip = self._slip_out()
        finger.picture("result")
        finger.press(Button.DONE)
        finger.wait_for(Step.TAKE_CARD)
        finger.picture("take-card")
        self._take_card()
        if view.standing is not Standing.SUBMITTED:
            raise Stuck(f"the office is there, yet the screen says {view.standing}")
        return f"compared well, the office signed for {view.case_number}, slip {slip.value}"

    def _stranger(self) -> str:
        finger = self.finger
        self._to_camera("stranger")
        for attempt in (1, 2):
            finger.wait_for(Step.TRY_AGAIN, _TRY_S)
            finger.picture(f"stranger-try-{attempt}")
            finger.press(Button.RETRY)
        finger.wait_for(Step.ASK_REVIEW, _TRY_S)
        finger.picture("stranger-ask-review")
        finger.press(Button.ASK_REVIEW)
        view = finger.wait_for(Step.RESULT)
        slip = self._slip_out()
        finger.picture("stranger-result")
        self._go()
        return f"not matched three times, {view.case_number} waits for an officer, slip {slip.value}"

    def _walks_away(self) -> str:
        finger = self.finger
        self._estate.lay_card()
        finger.wait_for(Step.GREETING)
        finger.press(Button.CONTINUE)
        finger.wait_for(Step.CONSENT)
        finger.wait(lambda view: view.idle_seconds_left is not None, _IDLE_S + 5, "the idle warning")
        finger.picture("idle-warning")
        finger.wait_for(Step.ENDED, 30)
        finger.picture("ended")
        view = finger.wait_for(Step.TAKE_CARD, 30)
        if view.masked_name or view.case_number:
            raise Stuck("something of the person is still on the screen")
        self._take_card()
        return "warned, then everything cleared, nothing handed in"

    def _office_away(self) -> str:
        finger = self.finger
        self._estate.network.cut()
        self._to_camera("cardholder")
        view = finger.wait_for(Step.RESULT, _TRY_S)
        slip = self._slip_out()
        finger.picture("offline-result")
        if view.standing is not Standing.RECEIVED:
            raise Stuck(f"nothing was delivered, yet the screen says {view.standing}")
        unsent = self._estate.sync_status()["unsent"]
        self._go()
        self._estate.network.mend()
        self._eventually(lambda: self._estate.sync_status()["unsent"] == 0, 60, "the delivery after the network came back")
        return f"{unsent} case kept while offline, slip {slip.value}, delivered when the network came back"

    # ------------------------------------------------------------------------------------------ moves

    def _to_camera(self, person: str, pictures: bool = False) -> None:
        finger = self.finger
        self._estate.stand(person)
        self._estate.lay_card()
        finger.wait_for(Step.GREETING)
        if pictures:
            finger.picture("greeting")
        finger.press(Button.CONTINUE)
        finger.wait_for(Step.CONSENT)
        if pictures:
            finger.picture("consent")
        finger.press(Button.TICK_MATCH)
        finger.press(Button.TICK_SEND_PHOTO)
        if pictures:
            finger.picture("consent-given")
        finger.press(Button.AGREE)
        finger.wait_for(Step.CAMERA)

    def _slip_out(self) -> PrintOutcome:
        view: View = self.finger.wait(lambda view: view.slip is not None, 60, "the slip")
        assert view.slip is not None
        return view.slip

    def _go(self) -> None:
        self.finger.press(Button.DONE)
        self.finger.wait_for(Step.TAKE_CARD)
        self._take_card()

    def _take_card(self) -> None:
        self._estate.lift_card()
        self.finger.wait_for(Step.ATTRACT)

    def _eventually(self, fulfilled: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not fulfilled():
            if time.monotonic() > deadline:
                raise Stuck(f"waited {seconds:g} s for {what}")
            self.finger.pause(0.5)


def _write_summary(estate: Estate, day: Day, failed: str) -> str:
    cases = day.facts.get("cases", [])
    lines = ["", "The day", *(f"  {number}. {visit}" for number, visit in enumerate(day.visits, start=1))]
    if failed:
        lines.append(f"  It did not end well: {failed}")
    lines += ["", f"At the office: {len(cases)} cases"]
    lines += [f"  {one['case_number']}  {one['state']}  {one['cause']}" for one in cases]
    kiosk, data = Path(sys.executable).with_name("kiosk"), estate.folder / "office"
    lines += [
        "", f"Pictures of every step: {estate.folder / 'pictures'}", f"Slips as they were printed: {estate.slips}",
        f"Staff desk: KIOSK_OFFICE_DEMO=true {kiosk} office serve --data {data} --port 8000",
        f"            then http://127.0.0.1:8000/  user {DESK_USER}, password {DESK_PASSWORD}", "",
    ]
    text = "\n".join(lines)
    (estate.folder / "summary.txt").write_text(text, encoding="utf-8")
    (estate.folder / "summary.json").write_text(
        json.dumps({"visits": day.visits, "failed": failed, "cases": cases}, ensure_ascii=False, indent=2), encoding="utf-8")
    return text
