import threading

from pytestqt.qtbot import QtBot

from kiosk.flow.events import CardSeen, Event
from kiosk.terminal.bridge import EventBridge


def test_events_of_another_thread_are_handled_in_the_ui_thread_in_order(qtbot: QtBot) -> None:
    handled: list[tuple[Event, int]] = []
    bridge = EventBridge(lambda event: handled.append((event, threading.get_ident())))
    thread = threading.Thread(target=lambda: [bridge.post(CardSeen()) for _ in range(50)])
    thread.start()
    thread.join()
    assert not handled, "nothing is handled where it was posted"
    qtbot.waitUntil(lambda: len(handled) == 50, timeout=2000)
    assert {ident for _, ident in handled} == {threading.get_ident()}
