"""Expected misfortune, as values: what a device tells the flow when something did not go the sunny way."""

from __future__ import annotations

from enum import StrEnum


class CardTrouble(StrEnum):
    LAY_AGAIN = "lay_again"
    """Not read: lift the card and lay it flat again."""
    LAY_AGAIN_CLEAN = "lay_again_clean"
    """Third time: wipe the card, or take another way."""
    NOT_AN_ID_CARD = "not_an_id_card"
    LAY_ID_CARD = "lay_id_card"
    """A social security card that does not tell its holder: the identity card is needed too."""
    NOT_A_SOCIAL_CARD = "not_a_social_card"
    NO_CONTACT = "no_contact"
    """The chip does not answer: turned the wrong way, or dirty."""
    CHIP_UNREADABLE = "chip_unreadable"
    CHIP_READER_LOST = "chip_reader_lost"
    CARD_LOCKED = "card_locked"
    TAKE_CARD_FIRST = "take_card_first"


class FaceTrouble(StrEnum):
    TIMEOUT = "timeout"
    """No usable picture in the time given."""
    NO_ACTION = "no_action"
    """The action asked for was not seen."""
    CAMERA_LOST = "camera_lost"
    UNAVAILABLE = "unavailable"
    """The face process died or could not load its models."""


class HandInTrouble(StrEnum):
    """Nothing is committed, or nobody knows: the person is told to ask staff, never that it is done."""

    DISK_FULL = "disk_full"
    STORE_FAILED = "store_failed"
