"""The gate behind the keypad: right and wrong PINs, the growing lock, and silence about both."""

import datetime as dt
import logging
import queue
from collections.abc import Callable, Iterator

import pytest

from kiosk.config.staff import StaffConfig
from kiosk.domain.pin import PinHash, _derive
from kiosk.flow import events as ev
from kiosk.terminal.staff import Gate

SALT = bytes(range(16))
NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
PINS = {"HG01": "258013", "HG02": "147036"}


def quick(pin: str) -> str:
    return str(PinHash(4, 8, 1, SALT, _derive(pin, SALT, 4, 8, 1)))


class Door:
    def __init__(self) -> None:
        self.now = 1000.0
        self.answers: queue.Queue[ev.Event] = queue.Queue()
        self.recorded: list[tuple[str, dict[str, str | int]]] = []
        config = StaffConfig.model_validate({"members": {staff: quick(pin) for staff, pin in PINS.items()}})
        self.gate = Gate(config, self.answers.put, self.record, lambda: self.now)

    def record(self, act: str, **facts: str | int) -> None:
        self.recorded.append((act, facts))

    def asks(self, pin: str) -> ev.Event:
        self.gate.check(pin, NOW)
        return self.answers.get(timeout=10)


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.gate.stop()


def test_a_pin_tells_who_it_is(door: Door) -> None:
    for staff, pin in PINS.items():
        assert door.asks(pin) == ev.StaffKnown(NOW, staff)
    assert door.asks("258014") == ev.StaffUnknown(NOW)


def test_the_fifth_wrong_pin_locks_and_each_further_one_longer(door: Door) -> None:
    locks = []
    for _ in range(13):
        answer = door.asks("9999")
        assert isinstance(answer, ev.StaffUnknown)
        locks.append(answer.locked_for_s)
        door.now += answer.locked_for_s
    assert locks == [0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_while_locked_not_even_the_right_pin_is_looked_at(door: Door) -> None:
    for _ in range(5):
        door.asks("9999")
    door.now += 59.0
    assert door.asks(PINS["HG01"]) == ev.StaffUnknown(NOW, 1.0)
    door.now += 1.0
    assert door.asks(PINS["HG01"]) == ev.StaffKnown(NOW, "HG01")


def test_the_right_pin_forgives_the_wrong_ones(door: Door) -> None:
    for _ in range(4):
        door.asks("9999")
    door.asks(PINS["HG02"])
    assert door.asks("9999") == ev.StaffUnknown(NOW, 0.0)


def test_sign_ins_go_on_record_and_refusals_as_a_count(door: Door) -> None:
    for pin in ("9999", "8888", PINS["HG02"], "9999"):
        door.asks(pin)
    assert door.recorded == [
        ("staff_refused", {"in_a_row": 1}), ("staff_refused", {"in_a_row": 2}), ("staff_signed_in", {"staff": "HG02"}),
        ("staff_refused", {"in_a_row": 1}),
    ]


def test_a_vandal_at_the_keypad_fills_no_disk(door: Door) -> None:
    """While nothing is looked at, nothing is recorded."""
    for _ in range(50):
        door.asks("9999")
    assert len(door.recorded) == 5


def test_no_pin_stands_in_a_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for _ in range(6):
            door.asks("998877")
        door.now += 60_000
        door.gate.check("25801é", NOW)  # cannot happen; ends as a bug, not as an answer
        assert door.asks("998877"), "the next one is looked at"
    assert "5 wrong PINs in a row" in caplog.text and "998877" not in caplog.text
    assert "staff: UnicodeEncodeError" in caplog.text and "codec" not in caplog.text and door.answers.empty()


def test_nobody_waits_on_the_thread_that_asks(door: Door) -> None:
    """The answer comes from the gate's own thread."""
    import threading

    came_from: queue.Queue[str] = queue.Queue()
    post: Callable[[ev.Event], None] = lambda event: came_from.put(threading.current_thread().name)  # noqa: E731
    gate = Gate(StaffConfig.model_validate({"members": {"A": quick("2580")}}), post, lambda act, **facts: None)
    gate.check("2580", NOW)
    assert came_from.get(timeout=10).startswith("staff")
    gate.stop()
