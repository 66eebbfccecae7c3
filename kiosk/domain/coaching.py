"""What the terminal says to the person before the camera: one thing at a time, never a reproach."""

from __future__ import annotations

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
    TURNED = "turned"
    TILTED = "tilted"
    HOLD_STILL = "hold_still"
    """Everything is right; pictures are being taken."""
    BLINK = "blink"
    """The liveness challenge is running."""
    WORKING = "working"
    """Pictures are taken, comparing."""
