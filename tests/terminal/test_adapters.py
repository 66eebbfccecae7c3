"""The readers as one port: what their events mean to the conversation, and which of them looks when."""

from __future__ import annotations

import pytest

from kiosk.devices.idcard.events import CardLifted, CardSeen
from kiosk.devices.socialcard.events import SocialCardSeen, SocialCardTaken, TakeYourCard
from kiosk.domain.document import CardKind
from kiosk.domain.social_card import SocialCard, SocialCardLevel, SocialCardTrouble
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.domain.trouble import CardTrouble
from kiosk.flow import events as ev
from kiosk.terminal.adapters import CardReaders

NUMBER = "999901199003070017"


class Reader:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def seek(self) -> None:
        self.told.append("seek")

    def release(self) -> None:
        self.told.append("release")


class House:
    def __init__(self, social: bool = True) -> None:
        self.one, self.other = Reader(), Reader()
        self.posted: list[ev.Event] = []
        self.readers = CardReaders(self.one, self.other if social else None, self.posted.append)  # type: ignore[arg-type]


def test_a_card_that_tells_its_holder_is_an_identity_document() -> None:
    house = House()
    house.readers.on_social_card(SocialCard(SocialCardLevel.FULL, number=NUMBER, name="测试员甲", sex="1"))
    (happened,) = house.posted
    assert isinstance(happened, ev.CardRead)
    assert (happened.card.kind, happened.card.number, happened.card.name) == (CardKind.SOCIAL_SECURITY, NUMBER, "测试员甲")


@pytest.mark.parametrize(
    ("level", "trouble"),
    [
        (SocialCardLevel.CARD_ONLY, CardTrouble.LAY_ID_CARD),
        (SocialCardLevel.ATR_ONLY, CardTrouble.LAY_ID_CARD),
        (SocialCardLevel.NOT_SSC, CardTrouble.NOT_A_SOCIAL_CARD),
        (SocialCardLevel.FAULT, CardTrouble.CHIP_UNREADABLE),
    ],
)
def test_every_other_level_says_what_to_do(level: SocialCardLevel, trouble: CardTrouble) -> None:
    house = House()
    house.readers.on_social_card(SocialCard(level, number=NUMBER, name="测试员甲"))
    assert house.posted == [ev.CardFailed(trouble)]


def test_a_full_card_without_a_number_is_none() -> None:
    house = House()
    house.readers.on_social_card(SocialCard(SocialCardLevel.FULL, name="测试员甲"))
    assert house.posted == [ev.CardFailed(CardTrouble.LAY_ID_CARD)]


@pytest.mark.parametrize("trouble", SocialCardTrouble)
def test_every_trouble_with_a_card_has_an_event(trouble: SocialCardTrouble) -> None:
    house = House()
    house.readers.on_social_card(SocialCardSeen())
    house.readers.on_social_card(trouble)
    assert house.posted[0] == ev.CardSeen() and isinstance(house.posted[1], ev.CardFailed)


def test_an_empty_reader_that_is_lost_says_nothing_about_anybodys_card() -> None:
    house = House()
    house.readers.on_social_card(SocialCardTrouble.READER_LOST)
    assert house.posted == []


def test_a_forgotten_card_is_told() -> None:
    house = House()
    house.readers.on_social_card(TakeYourCard())
    assert house.posted == [ev.CardWaits()]


def test_a_card_lies_there_until_both_readers_have_none() -> None:
    house = House()
    house.readers.on_social_card(SocialCardSeen())
    house.readers.on_card(CardSeen())
    house.readers.on_social_card(SocialCardTaken())
    assert house.posted == [ev.CardSeen(), ev.CardSeen()], "the identity card still lies on the plate"
    house.readers.on_card(CardLifted())
    assert house.posted[-1] == ev.CardLifted()


def test_the_machine_is_open_while_the_identity_card_reader_works() -> None:
    house = House()
    house.readers.on_status(DeviceStatus(DeviceKind.IDCARD, DeviceState.OFFLINE, "line_lost"))
    house.readers.on_status(DeviceStatus(DeviceKind.IDCARD, DeviceState.READY))
    assert house.posted == [ev.ReaderChanged(False, "line_lost"), ev.ReaderChanged(True, "")]


def test_both_readers_look_and_stop_together() -> None:
    house = House()
    house.readers.seek()
    house.readers.release()
    assert house.one.told == house.other.told == ["seek", "release"]


def test_after_a_card_that_did_not_tell_another_one_may_come_but_only_while_wanted() -> None:
    house = House()
    house.readers.seek()
    house.readers.on_social_card(SocialCardTaken())
    assert house.other.told == ["seek", "seek"] and house.one.told == ["seek"]
    house.readers.release()
    house.readers.on_social_card(SocialCardTaken())
    assert house.other.told[-1] == "release"


def test_a_terminal_without_the_second_reader() -> None:
    house = House(social=False)
    house.readers.seek()
    house.readers.release()
    assert house.one.told == ["seek", "release"] and house.other.told == []
