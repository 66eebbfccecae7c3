"""What passes between the terminal and its face process. Frames themselves lie in shared memory.

`attempt` numbers a try, so that a late answer to an ended one is not taken for the present one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.enrolment import EnrolmentEvidence
from kiosk.domain.face_task import FaceTask
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.base import FaceBase

Advice = Coach | Progress | FlashPlan
"""What a try brings on its way, as often as needed."""
Ending = FaceEvidence | EnrolmentEvidence | FaceTrouble
"""What a try ends in, once."""


@dataclass(frozen=True, slots=True)
class Begin:
    attempt: int
    task: FaceTask
    base: FaceBase | None = field(default=None, repr=False)
    """The people enrolled here; None where nothing is held against them."""
    own: int | None = None
    """The person's own index in it."""


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
    size: tuple[int, int]
    """Height and width."""
    t: float
    """Monotonic time of the frame; the clock is the same in both processes."""
    ir_size: tuple[int, int] | None = None
    """Of the infrared half, where there is one."""
    t_ir: float = 0.0


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
    """What a step of the try brought."""

    attempt: int
    what: Advice | Ending


Report = Ready | Unavailable | Beat | FrameTaken | Brought
