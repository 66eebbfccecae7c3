"""What the terminal and its PC/SC process say to each other.

    order   (Op, argument)      answer   (Answer, value, or reason code of the two answers about the reader)
"""

from __future__ import annotations

from enum import StrEnum


class Op(StrEnum):
    OPEN = "open"
    """Argument: part of the reader's name, or "" for the first one. Value: its whole name."""
    STATE = "state"
    """Value: whether a card is in the reader."""
    POWER_ON = "power_on"
    """Value: the answer to reset."""
    TRANSMIT = "transmit"
    """Argument: C-APDU. Value: R-APDU."""
    POWER_OFF = "power_off"


class Answer(StrEnum):
    READY = "ready"
    """Told once, unasked: the process works."""
    OK = "ok"
    CARD_GONE = "card_gone"
    NO_CONTACT = "no_contact"
    CARD_FAULT = "card_fault"
    READER_GONE = "reader_gone"
    READER_FAULT = "reader_fault"
