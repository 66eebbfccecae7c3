"""What passes between the terminal and its face process. Frames themselves lie in shared memory.

`attempt` numbers a try, so that a late answer to an ended one is not taken for the present one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.trouble import FaceTrouble


@dataclass(frozen=True, slots=True)
class Begin:
    attempt: int
    templates: tuple[FaceTemplate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cancel:
    pass


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class FrameReady:
    attempt: int
    serial: int
    slot: int
    height: int
    width: int
    t: float
    """Monotonic time of the frame; the clock is the same in both processes."""


Command = Begin | Cancel | Stop | FrameReady


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are loaded."""

    engine: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The engine cannot be used here; the process ends. `reason` as in EngineUnavailable."""

    reason: str


@dataclass(frozen=True, slots=True)
class Beat:
    """The loop still turns."""


@dataclass(frozen=True, slots=True)
class FrameTaken:
    """This frame and all before it are no longer needed."""

    serial: int


@dataclass(frozen=True, slots=True)
class Brought:
    """What a step of the try brought; anything but a Coach is its end."""

    attempt: int
    what: Coach | FaceEvidence | FaceTrouble


Report = Ready | Unavailable | Beat | FrameTaken | Brought
