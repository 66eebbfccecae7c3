"""The rooms as ports: what a social security card means to the conversation, and which reader looks when."""

from __future__ import annotations

import pytest

from kiosk.devices.socialcard.events import SocialCardSeen, SocialCardTaken, TakeYourCard
from kiosk.domain.document import CardKind
from kiosk.domain.social_card import SocialCard, SocialCardLevel, SocialCardTrouble
from kiosk.domain.trouble import CardTrouble
from kiosk.flow import events as ev
from kiosk.terminal.adapters import CardReaders, social_card_event

NUMBER = "999901199003070017"


class Reader:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def seek(self) -> None:
        self.told.append("seek")

    def release(self) -> None:
        self.told.append("release")


def test_a_card_that_tells_its_holder_is_an_identity_document() -> None:
    happened = social_card_event(SocialCard(SocialCardLevel.FULL, number=NUMBER, name="测试员甲", sex="1"))
    assert isinstance(happened, ev.CardRead)
    assert (happened.card.kind, happened.card.number, happened.card.name) == (CardKind.SOCIAL_SECURITY, NUMBER, "测试员甲")


@pytest.mark.parametrize(
    ("level", "trouble"),
    [
        (SocialCardLevel.CARD_ONLY, CardTrouble.LAY_ID_CARD),
        (SocialCardLevel.ATR_ONLY, CardTrouble.LAY_ID_CARD),
        (SocialCardLevel.NOT_SSC, CardTrouble.NOT_A_SOCIAL_CARD),
        (SocialCardLevel.FAULT, CardTrouble.NO_CONTACT),
    ],
)
def test_every_other_level_says_what_to_do(level: SocialCardLevel, trouble: CardTrouble) -> None:
    assert social_card_event(SocialCard(level, number=NUMBER, name="测试员甲")) == ev.CardFailed(trouble)


def test_a_full_card_without_a_number_is_none() -> None:
    assert social_card_event(SocialCard(SocialCardLevel.FULL, name="测试员甲")) == ev.CardFailed(CardTrouble.LAY_ID_CARD)


@pytest.mark.parametrize("trouble", SocialCardTrouble)
def test_every_trouble_has_an_event(trouble: SocialCardTrouble) -> None:
    assert isinstance(social_card_event(trouble), ev.CardFailed)


def test_seen_taken_and_forgotten() -> None:
    told = [social_card_event(one) for one in (SocialCardSeen(), SocialCardTaken(), TakeYourCard())]
    assert told == [ev.CardSeen(), ev.CardLifted(), ev.CardWaits()]


def test_both_readers_look_and_stop_together() -> None:
    one, other = Reader(), Reader()
    readers = CardReaders(one, other)  # type: ignore[arg-type]
    readers.seek()
    readers.release()
    assert one.told == other.told == ["seek", "release"]


def test_after_a_card_that_did_not_tell_another_one_may_come_but_only_while_wanted() -> None:
    one, other = Reader(), Reader()
    readers = CardReaders(one, other)  # type: ignore[arg-type]
    readers.seek()
    readers.on_social_card(SocialCardTaken())
    assert other.told == ["seek", "seek"] and one.told == ["seek"]
    readers.release()
    readers.on_social_card(SocialCardTaken())
    assert other.told[-1] == "release"


def test_a_terminal_without_the_second_reader() -> None:
    one = Reader()
    readers = CardReaders(one, None)  # type: ignore[arg-type]
    readers.seek()
    readers.release()
    assert one.told == ["seek", "release"]
