"""What is left of the pictures, and the count of what is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kiosk.config.face import Engine
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.site.cache import Embedded
from kiosk.face.site.folder import Subject, Volunteers
from kiosk.face.site.samples import NEAR_DUPLICATE, gather
from kiosk.face.still import StillTrouble

LOST = {"x": StillTrouble.NO_FACE, "y": StillTrouble.SEVERAL_FACES, "z": StillTrouble.NOT_A_PICTURE}


def at(place: float) -> np.ndarray:
    vector = np.zeros(128)
    vector[0] = place
    return vector


def gathered(engine: DlibEngine, subjects: Sequence[Subject], frames: int = 2):  # type: ignore[no-untyped-def]
    """A picture is named by its place on a line, or by what is wrong with it."""
    volunteers = Volunteers(tuple(subjects), False)
    embedded = {
        path: Embedded(None, LOST[path.suffix[1:]]) if path.suffix[1:] in LOST else Embedded(at(int(path.stem) / 100))
        for path in volunteers.pictures
    }
    return gather(volunteers, embedded, engine, frames, NEAR_DUPLICATE[Engine.DLIB])


def paths(*names: str) -> tuple[Path, ...]:
    return tuple(map(Path, names))


def places(vectors: np.ndarray) -> list[int]:
    return np.round(100 * vectors[:, 0]).astype(int).tolist() if len(vectors) else []


def test_copies_of_a_picture_are_left_out(engine: DlibEngine) -> None:
    """14 hundredths are a copy, 15 are none; each is held against those that are kept."""
    found = gathered(engine, [Subject("A", False, paths("0", "14", "15", "29", "0.x")), Subject("B", False, paths("100", "300"))])
    assert places(found.samples[0].gallery) == [0, 15] and found.samples[0].visits == (2,) and found.samples[0].shared
    assert places(found.samples[0].probes) == [0, 15] and found.losses.near_duplicates == 2
    assert places(found.samples[1].gallery) == [100, 300] and found.twins == ()


def test_frames_of_a_visit_may_be_alike_but_no_copies_of_the_enrolment(engine: DlibEngine) -> None:
    visits = (paths("50", "51", "52"), paths("10", "120", "121.x"))
    other = Subject("B", True, paths("300"), (paths("400"),))
    found = gathered(engine, [Subject("A", True, paths("0", "3", "20"), visits), other])
    first = found.samples[0]
    assert places(first.gallery) == [0, 20] and places(first.probes) == [50, 51, 52, 120] and first.visits == (3, 1)
    assert found.losses.near_duplicates == 2 and not first.shared


def test_losses_are_counted(engine: DlibEngine) -> None:
    found = gathered(engine, [
        Subject("A", True, paths("0.x", "1.y"), (paths("500", "540", "3.z"), paths("4.x"))),
        Subject("B", True, paths("100", "200"), (paths("800", "830"),), chip=paths("900", "5.z")),
        Subject("C", True, paths("1000", "1100", "1200"), (paths("1300"),)),
    ])
    losses = found.losses
    assert losses.unusable == {StillTrouble.NO_FACE: 2, StillTrouble.SEVERAL_FACES: 1, StillTrouble.NOT_A_PICTURE: 2}
    assert (losses.pictures, losses.not_enrolled, losses.enrolled_short, losses.visits, losses.not_acquired) == (16, 1, 1, 4, 2)
    assert places(found.samples[1].chip) == [900] and places(found.samples[1].from_chip.gallery) == [900]


def test_pictures_of_two_people_that_are_copies_are_told(engine: DlibEngine) -> None:
    subjects = [("A", paths("0", "50")), ("B", paths("200", "57")), ("C", ())]
    found = gathered(engine, [Subject(name, False, pictures) for name, pictures in subjects])
    assert found.twins == (("A", "B"),)
    assert len(found.samples[1].gallery) == 2, "told, not mended: the figures stay honest"


def test_vectors_are_overwritten(engine: DlibEngine) -> None:
    (sample, _) = gathered(engine, [Subject("A", False, paths("10", "50")), Subject("B", False, paths("200"))]).samples
    sample.wipe()
    assert not sample.gallery.any() and not sample.probes.any()
