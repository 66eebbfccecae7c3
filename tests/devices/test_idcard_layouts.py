"""The four card layouts against known blocks, against any bytes, and there and back."""

from __future__ import annotations

import contextlib
import datetime as dt
import string
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.emulated.cards import PHOTO, EmulatedCard, encode_text_block, sample_card
from kiosk.devices.idcard.codec import encode_frame
from kiosk.devices.idcard.layouts import (
    CardDataError,
    DamagedCard,
    UnknownCardKind,
    damaged_fields,
    decode_new_address,
    decode_read_answer,
    decode_text_block,
)
from kiosk.domain.citizen_id import CitizenId, check_character
from kiosk.domain.document import CardKind, IdCard

VECTORS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("idcard_vectors.toml").read_text(encoding="utf-8"))
BORN = dt.date(1990, 3, 7)
FROM = dt.date(2020, 1, 1)

CARDS = {
    "resident": IdCard(
        CardKind.RESIDENT, "999901199003070017", "测试员", sex="1", nation_code="01", birth=BORN,
        address="北京市东城区测试路1号", issuer="测试公安局", valid_from=FROM, valid_to=None,
    ),
    "J": IdCard(
        CardKind.HMT, "810000199003070023", "测试港", sex="2", birth=BORN, address="广东省深圳市测试路2号", issuer="测试公安局",
        valid_from=FROM, valid_to=dt.date(2025, 1, 1), pass_number="H00000000", issue_count="01",
    ),
    "I": IdCard(
        CardKind.FOREIGN_2017, "XXX110190030701", "测试", "TEST, PERSON", sex="1", nationality="XXX", birth=BORN,
        valid_from=dt.date(2017, 6, 16), valid_to=dt.date(2027, 6, 15), version="01", authority_code="1500",
    ),
    "Y": IdCard(
        CardKind.FOREIGN_2023, "911840199003070014", "测试外", "TEST, PERSON", sex="1", renewal_count="01", birth=BORN,
        nationality="840", valid_from=dt.date(2023, 12, 1), valid_to=dt.date(2033, 11, 30),
    ),
}


def block(kind: str) -> bytes:
    return bytes.fromhex(VECTORS["cards"][kind]["block"])


def with_text(raw: bytes, offset: int, text: str) -> bytes:
    new = text.encode("utf-16-le", errors="surrogatepass")
    return raw[:offset] + new + raw[offset + len(new) :]


def read_frame(text: bytes) -> bytes:
    return encode_frame(b"\0\0\x90" + EmulatedCard(text).read_answer())


@pytest.mark.parametrize("kind", CARDS)
def test_known_blocks_both_ways(kind: str) -> None:
    assert decode_text_block(block(kind)) == CARDS[kind]
    assert encode_text_block(CARDS[kind]) == block(kind)


@pytest.mark.parametrize("kind", CARDS)
def test_whole_answers(kind: str) -> None:
    frame = read_frame(block(kind))
    assert len(frame) == 1295
    assert frame[:14] == bytes.fromhex(VECTORS["read_prefix"])
    assert frame[270:281] == bytes.fromhex(VECTORS["photo_prefix"])
    assert frame[-1] == VECTORS["cards"][kind]["read_checksum"]
    assert decode_read_answer(frame[10:-1]) == replace(CARDS[kind], photo_wlt=PHOTO)


def test_a_rare_character_in_the_name_shifts_nothing() -> None:
    name = bytes.fromhex(VECTORS["rare_name"])
    frame = read_frame(name + block("resident")[len(name) :])
    assert frame[-1] == VECTORS["rare_name_checksum"]
    assert decode_read_answer(frame[10:-1]) == replace(CARDS["resident"], name_cn="王𬭎", photo_wlt=PHOTO)


def test_half_a_rare_character_is_kept_as_damage_in_its_own_field() -> None:
    card = decode_text_block(with_text(block("resident"), 28, "\ud873"))
    assert card.name_cn is not None and card.name_cn.endswith("\ufffd")
    assert damaged_fields(card) == ("name_cn",)
    assert replace(card, name_cn="测试员") == CARDS["resident"]
    assert damaged_fields(CARDS["resident"]) == ()


@pytest.mark.parametrize(("fingerprint", "prefix"), [(1024, "090A"), (512, "070A"), (0, "050A")])
def test_with_a_fingerprint_the_lengths_tell(fingerprint: int, prefix: str) -> None:
    lengths = b"".join(size.to_bytes(2, "big") for size in (256, 1024, fingerprint))
    data = lengths + block("resident") + PHOTO + bytes(fingerprint)
    assert encode_frame(b"\0\0\x90" + data)[5:7].hex().upper() == prefix
    assert decode_read_answer(data) == replace(CARDS["resident"], photo_wlt=PHOTO)


def test_nul_padding_is_padding() -> None:
    card = decode_text_block(with_text(block("resident"), 204, "长期" + "\0" * 6))
    assert card.valid_to is None


def test_new_address() -> None:
    address = VECTORS["new_address"]
    data = EmulatedCard.of(replace(CARDS["resident"], new_address=address)).new_address_answer()
    assert data is not None
    frame = encode_frame(b"\0\0\x90" + data)
    assert (len(frame), frame[-1]) == (81, VECTORS["new_address_checksum"])
    assert frame[:14] == bytes.fromhex(VECTORS["new_address_prefix"])
    assert decode_new_address(data) == address
    with pytest.raises(DamagedCard):
        decode_new_address(data[:-2])


def test_an_unknown_flag_shows_nothing() -> None:
    with pytest.raises(UnknownCardKind):
        decode_text_block(with_text(block("resident"), 248, "Z"))


@pytest.mark.parametrize(
    ("offset", "text", "message"),
    [
        (122, "999901199003070018", "no valid citizen number"),
        (122, "99990119900307001x", "no valid citizen number"),
        (122, " " * 18, "no valid citizen number"),
        (122, "999901900307001   ", "18 characters"),
        (36, "19900308", "disagree"),
        (36, "        ", "disagree"),
        (36, "19901307", "birth is not a date"),
        (188, "2020010 ", "valid_from is not a date"),
        (204, "        ", "valid_to is not a date"),
        (204, "２０２５０１０１", "valid_to is not a date"),
        (204, "短期", "valid_to is not a date"),
        (30, "3", "sex"),
        (0, " " * 15, "name is empty"),
    ],
)
def test_a_damaged_field_is_named_and_its_value_is_not(offset: int, text: str, message: str) -> None:
    with pytest.raises(DamagedCard, match=message) as caught:
        decode_text_block(with_text(block("resident"), offset, text))
    assert not any(char.isdigit() for char in str(caught.value).replace("18 characters", "").replace("2261.1", ""))


def test_the_2017_number_has_fifteen_characters() -> None:
    with pytest.raises(DamagedCard, match="15 characters"):
        decode_text_block(with_text(block("I"), 122, "XXX11019003070 "))


@pytest.mark.parametrize("size", [0, 255, 257])
def test_a_block_of_another_size_is_damaged(size: int) -> None:
    with pytest.raises(DamagedCard):
        decode_text_block(bytes(size))


def test_lengths_that_do_not_add_up_are_damage() -> None:
    answer = EmulatedCard.of(CARDS["resident"]).read_answer()
    for data in (b"", answer[:3], answer[:-1], answer + b"\0", b"\1\0\2\0" + answer[4:]):
        with pytest.raises(DamagedCard):
            decode_read_answer(data)


def test_samples_are_valid_people_of_no_place() -> None:
    cards = [sample_card(index) for index in range(60)]
    assert len({card.number for card in cards}) == 60
    for card in cards:
        citizen = CitizenId.parse(card.number)
        assert card.number.startswith("9999")
        assert citizen.birth == card.birth
        assert citizen.sex == {"1": "男", "2": "女"}[card.sex or ""]
        assert decode_text_block(encode_text_block(card)) == card


# --- any card, any bytes ---

LETTERS = st.sampled_from(string.ascii_uppercase + "测试员王甲" + "𬭎")
DATES = st.dates(dt.date(1000, 1, 1))


def texts(units: int) -> st.SearchStrategy[str]:
    """Not empty, not ending in padding, at most so many UTF-16 units."""
    return st.text(LETTERS, min_size=1, max_size=units).filter(lambda text: len(text.encode("utf-16-le")) <= 2 * units)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def citizens(draw: st.DrawFn, kind: CardKind) -> IdCard:
    birth = draw(DATES)
    stem = f"9999{draw(st.integers(0, 99)):02d}{birth.year:04d}{birth:%m%d}{draw(st.integers(0, 999)):03d}"
    common: dict[str, Any] = {
        "kind": kind,
        "number": stem + check_character(stem),
        "name_cn": draw(texts(15)),
        "sex": draw(st.sampled_from([None, "0", "1", "2", "9"])),
        "birth": birth,
        "valid_from": draw(maybe(DATES)),
        "valid_to": draw(maybe(DATES)),
    }
    if kind is CardKind.FOREIGN_2023:
        extra = {"name_en": texts(46), "renewal_count": texts(2), "nationality": texts(3), "previous_link": texts(3)}
    else:
        extra = {"address": texts(35), "issuer": texts(15)}
        extra |= {"nation_code": texts(2)} if kind is CardKind.RESIDENT else {"pass_number": texts(9), "issue_count": texts(2)}
    return IdCard(**common, **{name: draw(maybe(strategy)) for name, strategy in extra.items()})


@st.composite
def foreigners_2017(draw: st.DrawFn) -> IdCard:
    return IdCard(
        CardKind.FOREIGN_2017, draw(st.text(string.ascii_uppercase + string.digits, min_size=15, max_size=15)),
        draw(maybe(texts(15))), draw(texts(60)), sex=draw(st.sampled_from([None, "1", "2"])), birth=draw(maybe(DATES)),
        valid_from=draw(maybe(DATES)), valid_to=draw(maybe(DATES)), nationality=draw(maybe(texts(3))),
        version=draw(maybe(texts(2))), authority_code=draw(maybe(texts(4))),
    )


@given(
    st.one_of(
        citizens(CardKind.RESIDENT), citizens(CardKind.HMT), citizens(CardKind.FOREIGN_2023), foreigners_2017(),
    )
)
def test_any_card_survives_there_and_back(card: IdCard) -> None:
    assert decode_text_block(encode_text_block(card)) == card


def test_a_field_too_long_for_the_chip_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than its place"):
        encode_text_block(replace(CARDS["resident"], name_cn="测" * 16))


@given(st.binary(max_size=1400))
def test_any_bytes_give_a_card_or_a_typed_error(data: bytes) -> None:
    for decode in (decode_read_answer, decode_text_block):
        with contextlib.suppress(CardDataError):
            assert isinstance(decode(data), IdCard)


@given(st.sampled_from(sorted(CARDS)), st.integers(0, 255), st.binary(min_size=1, max_size=40))
def test_any_scratch_gives_a_card_or_a_typed_error(kind: str, at: int, scratch: bytes) -> None:
    text = (block(kind)[:at] + scratch + block(kind)[at + len(scratch) :])[:256]
    try:
        card = decode_text_block(text)
    except CardDataError:
        return
    assert card.name and card.number
    assert card.kind is CardKind.FOREIGN_2017 or CitizenId.parse(card.number).birth == card.birth
