"""Records, answer to reset and commands of the social security card, against published and computed bytes."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.emulated.socialcard import ATR, second_generation, with_long_name
from kiosk.devices.socialcard import records
from kiosk.devices.socialcard.apdu import (
    PIN_QUERY,
    SSSE,
    Meaning,
    get_response,
    meaning,
    read_all_records,
    read_record,
    select_file,
    select_name,
    tries_left,
    with_le,
)
from kiosk.devices.socialcard.atr import Atr, parse_atr
from kiosk.devices.socialcard.records import EF05, EF06, RecordError, single_record, split_records
from kiosk.devices.socialcard.transport import CardFault, resolve

WHOLE_EF05 = bytes.fromhex(
    "0110990100D15600000599000000123456780201330304322E3030040C915600000299010099010000"
    "0504202001010604203001010709583030303030303139"
)
WHOLE_EF06 = bytes.fromhex(
    "0812393939393031313939303033303730303137091EB2E2CAD4D4B1BCD700000000000000000000000000000000000000000000"
    "4E1400000000000000000000000000000000000000000A01310B01010C039999010D0419900307"
)
PUBLISHED_EF05 = bytes.fromhex(
    "0110511300D156000005A21472423DB8F2480201330304322E3000040C9156000002511300511300DB"
    "0504201406010604202406010709583030303030303139"
)


# --- commands ---


@pytest.mark.parametrize(("apdu", "expected"), [
    (select_name(SSSE), "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"),
    (select_file(0xEF05, 0x02), "00A4020002EF05"),
    (read_record(0x01, 0x12), "00B2010012"),
    (read_all_records(EF05.size), "00B2010540"),
    (read_all_records(EF06.size), "00B201055B"),
    (get_response(0x18), "00C0000018"),
    (PIN_QUERY, "0020000000"),
])
def test_commands(apdu: bytes, expected: str) -> None:
    assert apdu == bytes.fromhex(expected)


@pytest.mark.parametrize(("apdu", "expected"), [
    ("00B20100", "00B2010012"), ("00B2010000", "00B2010012"), ("00A4020002EF05", "00A4020002EF0512"),
    ("00A4020002EF0500", "00A4020002EF0512"),
])
def test_le_is_put_where_it_belongs(apdu: str, expected: str) -> None:
    assert with_le(bytes.fromhex(apdu), 0x12) == bytes.fromhex(expected)


def test_every_status_word_means_something() -> None:
    assert {meaning(sw) for sw in range(0x10000)} == set(Meaning)
    assert [sw for sw in range(0x10000) if meaning(sw) is Meaning.OK] == [0x9000]
    assert [tries_left(sw) for sw in (0x63C3, 0x63C0, 0x6300, 0x6983)] == [3, 0, None, None]


# --- answer to reset ---


def test_the_answer_to_reset() -> None:
    found = parse_atr(ATR)
    assert (found.region, found.historical) == ("9901", ATR[4:])


@pytest.mark.parametrize("raw", [
    "", "3B", "3F6D0000" + "00" * 13, "3B6D000000", "3B64000001020304", "3BF0", "3BFF9600", "3B80",
])
def test_another_shape_is_an_unknown_card(raw: str) -> None:
    assert parse_atr(bytes.fromhex(raw)).region is None


def test_interface_bytes_are_counted_not_guessed() -> None:
    assert parse_atr(bytes.fromhex("3BED00008131FE45") + ATR[4:] + b"\x00") == Atr(ATR[4:], "9901")
    assert parse_atr(bytes.fromhex("3B0D") + ATR[4:]).region == "9901"


@given(st.binary(max_size=40))
def test_no_answer_to_reset_breaks_it(raw: bytes) -> None:
    parse_atr(raw)
    parse_atr(b"\x3b" + raw)


# --- records ---


def test_the_emulated_card_holds_the_documented_bytes() -> None:
    card = second_generation()
    for file, content, whole in ((EF05, card.ef05, WHOLE_EF05), (EF06, card.ef06, WHOLE_EF06)):
        assert b"".join(bytes((tag, len(value))) + value for tag, value in content.items()) == whole
        assert len(whole) == file.size
        assert split_records(whole) == content


def test_published_record_examples() -> None:
    found = split_records(PUBLISHED_EF05)
    assert records.code(found[0x01]) == "511300D156000005A21472423DB8F248"
    assert records.text(found[0x02]) == "3"
    assert records.version(found[0x03]) == "2.0"
    assert records.code(found[0x04]) == "9156000002511300511300DB"
    assert (records.date(found[0x05]), records.date(found[0x06])) == (dt.date(2014, 6, 1), dt.date(2024, 6, 1))
    assert records.text(found[0x07]) == "X00000019"
    assert records.code(single_record(bytes.fromhex("0110330300D15600000599110145FFFFFFFF"), 0x01)) == (
        "330300D15600000599110145FFFFFFFF"
    )
    assert records.version(single_record(bytes.fromhex("0304332E3030"), 0x03)) == "3.00"
    assert [records.digits(bytes.fromhex(value)) for value in ("FF", "FFFFFF", "FFFFFFFF")] == [None] * 3
    assert records.date(bytes.fromhex("FFFFFFFF")) is None


@pytest.mark.parametrize("answer", ["", "01", "0102", "010233", "0202AAAA", "0101330101", "01013302", "0101330101AA"])
def test_a_record_must_be_the_one_asked_for_and_whole(answer: str) -> None:
    with pytest.raises(RecordError):
        single_record(bytes.fromhex(answer), 0x01)


@pytest.mark.parametrize(("value", "expected"), [
    ("20200101", dt.date(2020, 1, 1)), ("32303132", 2012), ("20201301", None), ("00000000", None), ("30303030", None),
    ("FFFFFFFF", None), ("2020", None), ("", None), ("20202020", None), ("00010101", None), ("2020010F", None),
])
def test_dates(value: str, expected: object) -> None:
    assert records.date(bytes.fromhex(value)) == expected


@given(st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)))
def test_no_date_is_taken_for_a_year(day: dt.date) -> None:
    assert records.date(bytes.fromhex(f"{day:%Y%m%d}")) == day


@given(st.integers(1900, 2199))
def test_no_year_is_taken_for_a_date(year: int) -> None:
    assert records.date(str(year).encode()) == year


@pytest.mark.parametrize(("value", "expected"), [
    (b"X00000019", "X00000019"), (b"2.0\0", "2.0"), (b"2.0 ", "2.0"), (b"\0\0", None), (b"  ", None), (b"\xff" * 9, None),
    (b"", None), (b"a\0b", None), (b"\x81", None), ("张三".encode("gbk") + b"\xa1\xa1", "张三"), (b"\x1b[31m", None),
])
def test_texts(value: bytes, expected: str | None) -> None:
    assert records.text(value) == expected


def test_a_name_that_goes_on_in_the_middle_of_a_character() -> None:
    card = with_long_name(second_generation()).ef06
    assert records.name(card[0x09], card[0x4E]) == "测试A" + "阿" * 16
    assert records.name(card[0x09]) is None  # half a character is no name
    assert records.text(card[0x4E]) != "阿" * 3


_NAMES = st.text(st.one_of(st.sampled_from("测试员甲乙丙·"), st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
                           st.sampled_from("𬭎㛃𠀀AZ")), min_size=1, max_size=12)


@given(_NAMES)
def test_every_name_that_fits_comes_back(name: str) -> None:
    card = with_long_name(second_generation(), name).ef06
    assert records.name(card[0x09], card[0x4E]) == name


@given(st.binary(max_size=60))
def test_no_bytes_break_the_values(data: bytes) -> None:
    for decode in (records.code, records.digits, records.text, records.date, records.version):
        decode(data)
    records.name(data[:30], data[30:])
    try:
        found = split_records(data)
    except RecordError:
        return
    assert sum(2 + len(value) for value in found.values()) <= len(data)


@given(st.dictionaries(st.integers(0, 255), st.binary(max_size=255), max_size=8))
def test_records_written_are_records_read(content: dict[int, bytes]) -> None:
    raw = b"".join(bytes((tag, len(value))) + value for tag, value in content.items())
    assert split_records(raw) == content
    assert list(split_records(raw)) == list(content)


# --- what T=0 makes of a command ---


def test_more_bytes_and_wrong_lengths_are_dealt_with() -> None:
    asked: list[bytes] = []
    answers = iter([b"\x6c\x12", b"\x61\x02", b"\x6c\x01", b"A\x61\x01", b"B\x90\x00"])

    def send(apdu: bytes) -> bytes:
        asked.append(apdu)
        return next(answers)

    assert resolve(send, read_record(0x01, 0x00)) == (b"AB", 0x9000)
    assert asked == [bytes.fromhex(apdu) for apdu in ("00B2010000", "00B2010012", "00C0000002", "00C0000001", "00C0000001")]


def test_a_card_that_never_ends_is_a_fault() -> None:
    with pytest.raises(CardFault):
        resolve(lambda apdu: b"A\x61\x10", PIN_QUERY)
    assert resolve(lambda apdu: b"\x6c\x10", PIN_QUERY) == (b"", 0x6C10)


@given(st.lists(st.binary(max_size=6), min_size=1))
def test_no_answers_of_a_card_break_it(answers: list[bytes]) -> None:
    turn = iter(answers * 40)
    with contextlib.suppress(CardFault):
        resolve(lambda apdu: next(turn), PIN_QUERY)
