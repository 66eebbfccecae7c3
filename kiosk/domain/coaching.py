"""What the terminal says to the person before the camera: one thing at a time, never a reproach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Coach(StrEnum):
    """Measured state of the picture; texts.toml has the sentence `coach.<value>` and its voice line."""

    NO_FACE = "no_face"
    MULTI = "multi"
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    OFF_LEFT = "off_left"
    """The person stands too far to the own left."""
    OFF_RIGHT = "off_right"
    DARK = "dark"
    BRIGHT = "bright"
    BLUR = "blur"
    GLARE = "glare"
    """Strong light on the face, as through a window."""
    SIDE_LIT = "side_lit"
    """Light from one side or from behind."""
    TURNED = "turned"
    TILTED = "tilted"
    RAISE_HEAD = "raise_head"
    LOWER_HEAD = "lower_head"
    MASK = "mask"
    SUNGLASSES = "sunglasses"
    EYES_CLOSED = "eyes_closed"
    HOLD_STILL = "hold_still"
    """Everything is right; pictures are being taken."""
    BLINK = "blink"
    """From here on: what is asked for in the liveness challenge. Left and right are the person's own."""
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    OPEN_MOUTH = "open_mouth"
    FURTHER = "further"
    """The turn has begun, a little more of it."""
    OTHER_SIDE = "other_side"
    LOOK_AHEAD = "look_ahead"
    """Back to the middle, before the next action."""
    FLASH = "flash"
    """The screen is going to change its colour."""
    A_LITTLE_LEFT = "a_little_left"
    """Enrolment only: a small turn, held."""
    A_LITTLE_RIGHT = "a_little_right"
    WORKING = "working"
    """Pictures are taken, comparing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the turn asked for is done, 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """Colours the screen is to show, one after the other, from now on."""

    colours: tuple[tuple[int, int, int], ...]
    """RGB, 0 or 255 each."""
    step_s: float
