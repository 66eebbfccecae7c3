"""The reader class over a scripted card without a reader between: every kind of card, every refusal, every moment."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace

import pytest
from socialcard_desk import BareTransport

from kiosk.devices.emulated.socialcard import (
    CardContent,
    ScriptedCard,
    Silence,
    never_personalised,
    other_chip,
    second_generation,
    third_generation,
    upside_down,
    with_long_name,
    with_protected_ef05,
    with_year_only,
    without_card_number,
)
from kiosk.devices.socialcard.apdu import PIN_QUERY, SSSE
from kiosk.devices.socialcard.reader import PinQuery, SocialCardReader
from kiosk.devices.socialcard.records import EF06
from kiosk.devices.socialcard.transport import CardGone
from kiosk.domain.social_card import CardItem, ItemStatus, SocialCard, SocialCardLevel, SocialCardTrouble

APDUS = 18
"""Of a whole read with 61xx at the surface."""
SECOND = second_generation()
HOLDER = [CardItem(item) for item in EF06.places]


def read(content: CardContent, *injected: tuple[int, int]) -> tuple[SocialCard, ScriptedCard]:
    card = ScriptedCard(content)
    for at, sw in injected:
        card.inject(sw, at)
    transport = BareTransport(card)
    found = SocialCardReader(transport).read()
    assert not transport.powered
    asks_for_nothing_secret(card)
    return found, card


def asks_for_nothing_secret(card: ScriptedCard) -> None:
    """Only SELECT, READ RECORD and GET RESPONSE, and of directories only the social security one."""
    assert {apdu[1] for apdu in card.log} <= {0xA4, 0xB2, 0xC0}
    assert {apdu[5:] for apdu in card.log if apdu[1:3] == b"\xa4\x04"} <= {SSSE}
    assert card.tries == card.content.pin_tries


# --- cards ---


@pytest.mark.parametrize("t0_answers", [True, False])
@pytest.mark.parametrize("ways", [{0x00}, {0x02}, {0x00, 0x02}])
def test_a_second_generation_card_gives_everything(t0_answers: bool, ways: set[int]) -> None:
    found, card = read(replace(SECOND, t0_answers=t0_answers, select_ways=frozenset(ways)))
    assert found == SocialCard(
        level=SocialCardLevel.FULL,
        region="990100",
        number="999901199003070017",
        card_number="X00000019",
        card_id="990100D1560000059900000012345678",
        name="测试员甲",
        historical=bytes.fromhex("00815445535401990100000001"),
        version="2.00",
        issued=dt.date(2020, 1, 1),
        valid_until=dt.date(2030, 1, 1),
        atr_region="9901",
        card_class="3",
        issuer="915600000299010099010000",
        sex="1",
        nation_code="01",
        birth_place="999901",
        birth=dt.date(1990, 3, 7),
        items=dict.fromkeys(CardItem, ItemStatus.OK),
    )
    assert found.generation == 2
    if t0_answers and 0x02 in ways:
        assert len(card.log) == APDUS


@pytest.mark.parametrize("t0_answers", [True, False])
def test_a_third_generation_card_keeps_its_holder(t0_answers: bool) -> None:
    found, card = read(replace(third_generation(), t0_answers=t0_answers))
    assert (found.level, found.generation, found.name, found.number) == (SocialCardLevel.CARD_ONLY, 3, None, None)
    assert (found.region, found.card_number, found.issued) == ("990100", "X00000019", dt.date(2020, 1, 1))
    assert [found.items[item] for item in HOLDER] == [ItemStatus.PROTECTED] * 7
    selected = card.log.index(bytes.fromhex("00A4020002EF06"))
    assert [apdu.hex() for apdu in card.log[selected + 1 :]] == ["00b2080014"]  # asked once, then left alone


def test_a_card_whose_holder_file_cannot_even_be_selected() -> None:
    found, _ = read(replace(third_generation(), protected=frozenset({EF06.number})))
    assert found.level is SocialCardLevel.CARD_ONLY
    assert {found.items[item] for item in HOLDER} == {ItemStatus.PROTECTED}


def test_a_card_without_a_card_number() -> None:
    found, _ = read(without_card_number(third_generation()))
    assert (found.level, found.card_number, found.region) == (SocialCardLevel.CARD_ONLY, None, "990100")
    assert found.items[CardItem.CARD_NUMBER] is ItemStatus.ABSENT


def test_single_protected_items_do_not_stop_the_card_file() -> None:
    found, _ = read(replace(SECOND, protected=frozenset({0x03, 0x07})))
    assert found.level is SocialCardLevel.FULL and found.version is None and found.valid_until is not None
    assert found.items[CardItem.VERSION] is found.items[CardItem.CARD_NUMBER] is ItemStatus.PROTECTED


def test_a_card_that_gives_only_its_answer_to_reset() -> None:
    found, _ = read(with_protected_ef05(third_generation()))
    assert (found.level, found.atr_region, found.region) == (SocialCardLevel.ATR_ONLY, "9901", None)
    assert set(found.items.values()) == {ItemStatus.PROTECTED}
    absent, _ = read(replace(SECOND, ef05={}, ef06={}))
    assert absent.level is SocialCardLevel.ATR_ONLY and set(absent.items.values()) == {ItemStatus.ABSENT}


def test_the_holder_counts_even_if_the_card_file_is_protected() -> None:
    assert read(with_protected_ef05(SECOND))[0].level is SocialCardLevel.FULL


def test_another_chip() -> None:
    found, card = read(other_chip())
    assert (found.level, found.items, found.historical != b"") == (SocialCardLevel.NOT_SSC, {}, True)
    assert len(card.log) == 1


def test_a_chip_without_an_answer() -> None:
    found, card = read(upside_down(SECOND))
    assert (found.level, found.fault, card.log) == (SocialCardLevel.FAULT, SocialCardTrouble.NO_CONTACT, [])


def test_an_answer_to_reset_of_another_shape_is_no_obstacle() -> None:
    found, _ = read(replace(SECOND, atr=bytes.fromhex("3B00")))
    assert (found.level, found.atr_region) == (SocialCardLevel.FULL, None)


def test_never_personalised_records_are_nothing() -> None:
    found, _ = read(never_personalised(SECOND))
    assert found.level is SocialCardLevel.FULL
    assert (found.nation_code, found.birth_place, found.birth) == (None, None, None)
    assert found.items[CardItem.BIRTH] is ItemStatus.OK
    blank = {tag: b"\xff" * len(value) for tag, value in SECOND.ef06.items()}
    assert read(replace(SECOND, ef06=blank))[0].level is SocialCardLevel.CARD_ONLY


def test_a_card_of_2012() -> None:
    found, _ = read(with_year_only(SECOND))
    assert (found.issued, found.valid_until) == (2012, 2022)


def test_a_long_name() -> None:
    assert read(with_long_name(SECOND))[0].name == "测试A" + "阿" * 16


def test_a_number_that_is_wrong_in_itself_stands_for_nobody() -> None:
    wrong = {**SECOND.ef06, 0x08: b"999901199003070016"}
    found, _ = read(replace(SECOND, ef06=wrong))
    assert (found.level, found.number) == (SocialCardLevel.CARD_ONLY, None)


def test_a_card_that_knows_no_tags_is_read_as_a_whole() -> None:
    found, card = read(replace(SECOND, by_tag=False))
    assert found == read(SECOND)[0]
    assert bytes.fromhex("00B2010540") in card.log and bytes.fromhex("00B201055B") in card.log
    gone = read(without_card_number(replace(SECOND, by_tag=False)))[0]
    assert gone.level is SocialCardLevel.FULL and gone.items[CardItem.CARD_NUMBER] is ItemStatus.ABSENT
    hidden = read(replace(third_generation(), by_tag=False))[0]
    assert hidden.level is SocialCardLevel.CARD_ONLY and hidden.items[CardItem.NAME] is ItemStatus.PROTECTED


# --- status words ---

SELECT_SSSE, SELECT_EF05, READ_FIRST, SELECT_EF06, READ_NUMBER = 0, 2, 3, 10, 11
EVERYWHERE = [SELECT_SSSE, SELECT_EF05, READ_FIRST, SELECT_EF06, READ_NUMBER]


@pytest.mark.parametrize("at", EVERYWHERE)
@pytest.mark.parametrize("sw", [0x6581, 0x6700, 0x6984, 0x6988, 0x9302, 0x6D00, 0x6E00, 0x6F00, 0x6300, 0x6282, 0x0000])
def test_words_that_mean_a_faulty_card(at: int, sw: int) -> None:
    found, _ = read(SECOND, (at, sw))
    assert found == SocialCard(SocialCardLevel.FAULT, SocialCardTrouble.UNREADABLE)


@pytest.mark.parametrize("at", EVERYWHERE)
@pytest.mark.parametrize("sw", [0x6A81, 0x9303, 0x6983])
def test_words_that_mean_a_locked_card(at: int, sw: int) -> None:
    found, card = read(SECOND, (at, sw))
    assert found == SocialCard(SocialCardLevel.FAULT, SocialCardTrouble.LOCKED)
    assert len(card.log) == at + 1
    assert read(replace(SECOND, locked=True))[0] == found


@pytest.mark.parametrize("at", [SELECT_EF05, READ_FIRST, SELECT_EF06, READ_NUMBER])
@pytest.mark.parametrize("sw", [0x6901, 0x6981, 0x6985, 0x6986])
def test_a_card_that_lost_its_place_is_selected_anew_once(at: int, sw: int) -> None:
    found, card = read(SECOND, (at, sw))
    assert found == read(SECOND)[0]
    assert sum(apdu[1:3] == b"\xa4\x04" for apdu in card.log) == 2
    always = [(index, sw) for index in range(at, APDUS + 10) if index not in (at + 1, at + 2)]
    assert read(SECOND, *always)[0].level is SocialCardLevel.FAULT


@pytest.mark.parametrize("sw", [0x6A80, 0x6A86, 0x6B00])
def test_another_way_is_tried_where_there_is_one(sw: int) -> None:
    for at in (SELECT_EF05, READ_FIRST, SELECT_EF06, READ_NUMBER):
        assert read(SECOND, (at, sw))[0] == read(SECOND)[0]
    for at in (SELECT_EF05, READ_FIRST):
        assert read(SECOND, (at, sw), (at + 1, sw))[0].level is SocialCardLevel.FAULT
    assert read(SECOND, (SELECT_SSSE, sw))[0].level is SocialCardLevel.FAULT


# --- answers that are not what was asked for ---


class Spoiled(BareTransport):
    """Some answers are replaced, counted from 0."""

    def __init__(self, card: ScriptedCard, answers: dict[int, bytes]) -> None:
        super().__init__(card)
        self._answers = answers

    def _send(self, apdu: bytes) -> bytes:
        index = len(self.card.log)
        answer = super()._send(apdu)
        return self._answers.get(index, answer)


@pytest.mark.parametrize("answer", ["0201339000", "9000", "0305322E3030009000", "0305322E30309000", "000000009000"])
def test_a_foreign_or_broken_record_is_asked_for_again_and_then_given_up(answer: str) -> None:
    spoiled = bytes.fromhex(answer)
    index = READ_FIRST + 1  # the version
    once = SocialCardReader(Spoiled(ScriptedCard(SECOND), {index: spoiled})).read()
    assert once == read(SECOND)[0]
    always = SocialCardReader(Spoiled(ScriptedCard(SECOND), dict.fromkeys(range(index, 40), spoiled))).read()
    assert always.level is SocialCardLevel.FAULT


def test_a_short_record_is_read_as_it_is() -> None:
    short = {**SECOND.ef05, 0x03: b"2.0", 0x07: b"X1"}
    found, _ = read(replace(SECOND, ef05=short))
    assert (found.level, found.version, found.card_number) == (SocialCardLevel.FULL, "2.0", "X1")


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_a_status_word_is_a_fault(answer: str) -> None:
    found = SocialCardReader(Spoiled(ScriptedCard(SECOND), {4: bytes.fromhex(answer)})).read()
    assert found.level is SocialCardLevel.FAULT


# --- every moment ---


@pytest.mark.parametrize("index", range(APDUS))
def test_pulled_at_every_command(index: int) -> None:
    card = ScriptedCard(SECOND)
    card.silent_at = (index, Silence.GONE)
    transport = BareTransport(card)
    with pytest.raises(CardGone):
        SocialCardReader(transport).read()
    assert not transport.powered and len(card.log) == index + 1
    asks_for_nothing_secret(card)


@pytest.mark.parametrize("index", range(APDUS))
def test_mute_at_every_command(index: int) -> None:
    card = ScriptedCard(SECOND)
    card.silent_at = (index, Silence.MUTE)
    assert SocialCardReader(BareTransport(card)).read().fault is SocialCardTrouble.UNREADABLE


# --- the password counter ---


@pytest.mark.parametrize(("content", "expected"), [
    (SECOND, 3),
    (replace(SECOND, pin_tries=1), 1),
    (replace(SECOND, pin_tries=0), PinQuery.LOCKED),
    (replace(SECOND, pin=None), PinQuery.NOT_NEEDED),
    (other_chip(), PinQuery.UNKNOWN),
    (upside_down(SECOND), PinQuery.UNKNOWN),
    (replace(SECOND, locked=True), PinQuery.UNKNOWN),
])
def test_tries_are_counted_and_never_spent(content: CardContent, expected: int | PinQuery) -> None:
    card = ScriptedCard(content)
    reader = SocialCardReader(BareTransport(card))
    assert [reader.pin_tries(), reader.pin_tries()] == [expected, expected]
    assert card.tries == content.pin_tries
    assert {apdu for apdu in card.log if apdu[1] == 0x20} <= {PIN_QUERY}


@pytest.mark.parametrize(("sw", "expected"), [(0x63C0, PinQuery.LOCKED), (0x6D00, PinQuery.UNKNOWN), (0x6982, PinQuery.UNKNOWN)])
def test_other_answers_to_the_question(sw: int, expected: PinQuery) -> None:
    card = ScriptedCard(SECOND)
    card.inject(sw, at=2)
    assert SocialCardReader(BareTransport(card)).pin_tries() is expected


# --- what is logged ---


def test_nobody_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read(SECOND)
        read(SECOND, (4, 0x6F00))
        SocialCardReader(Spoiled(ScriptedCard(SECOND), {12: ScriptedCard(SECOND).content.ef06[0x08] + b"\x90\x00"})).read()
    assert "6F00" in caplog.text and "full" in caplog.text
    assert_no_person(caplog.text)


def assert_no_person(text: str) -> None:
    """None of what the sample card holds, as text or as bytes in hexadecimal digits."""
    lowered = text.lower()
    for value in ("999901199003070017", "测试员甲", "X00000019", "990100D156", "19900307"):
        assert value.lower() not in lowered
    for raw in (*SECOND.ef06.values(), *SECOND.ef05.values()):
        if len(raw) > 3:
            assert raw.hex() not in lowered
            assert repr(raw)[2:-1].lower() not in lowered
