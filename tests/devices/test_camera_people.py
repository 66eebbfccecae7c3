"""The people before the emulated camera: loops without a seam, and pictures for enrolment."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.devices.emulated import people
from kiosk.devices.emulated.people import LOOP_FRAMES, Person
from kiosk.devices.emulated.portrait import SIZE, Picture, Pose


def difference(one: Picture, other: Picture) -> float:
    return float(np.abs(cv2.GaussianBlur(one, (0, 0), 2).astype(float) - cv2.GaussianBlur(other, (0, 0), 2)).mean())


def test_a_loop_has_no_seam_and_is_the_same_every_time() -> None:
    frames = people.loop(Person.PHOTO)
    assert len(frames) == LOOP_FRAMES and all(frame.shape == (SIZE[1], SIZE[0], 3) for frame in frames)
    steps = [difference(frames[i], frames[i + 1]) for i in range(LOOP_FRAMES - 1)]
    assert difference(frames[-1], frames[0]) <= max(steps)
    assert np.array_equal(people.loop(Person.PHOTO)[7], frames[7])


def test_no_two_frames_are_equal_to_the_last_bit() -> None:
    """Equal frames mean a frozen camera."""
    frames = people.loop(Person.NOBODY)
    assert not any(np.array_equal(frames[i], frames[i - 1]) for i in range(LOOP_FRAMES))


@pytest.mark.parametrize("person", [Person.CARDHOLDER, Person.STRANGER])
def test_three_different_enrolment_portraits(person: Person) -> None:
    portraits = people.enrolment_portraits(person)
    assert len(set(portraits)) == 3
    for data in portraits:
        assert data.startswith(b"\x89PNG")
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (SIZE[1], SIZE[0], 3)


def test_a_blink_changes_the_eyes_and_nothing_else() -> None:
    living = people.living_portrait(Person.STRANGER)
    moved = np.abs(living.render(Pose()).astype(int) - living.render(Pose(), 1.0)).max(axis=2) > 30
    rows, columns = np.nonzero(moved)
    assert rows.min() > 150 and rows.max() < 240
    assert columns.min() > 250 and columns.max() < 390
