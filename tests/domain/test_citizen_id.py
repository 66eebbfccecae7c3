import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.citizen_id import CitizenId, CitizenIdError, check_character

TODAY = dt.date(2026, 11, 23)

VALID = [
    ("11010519491231002X", "女"), ("440524188001010014", "男"), ("34052419800101001X", "男"), ("710000195001010017", "男"),
    ("710000195001010025", "女"), ("710000195602290026", "女"), ("810000185001010011", "男"), ("999901199003070017", "男"),
]


@pytest.mark.parametrize(("number", "sex"), VALID)
def test_published_and_computed_numbers_are_valid(number: str, sex: str) -> None:
    citizen = CitizenId.parse(number, TODAY)
    assert citizen.reveal() == number
    assert citizen.sex == sex
    assert citizen.birth.strftime("%Y%m%d") == number[6:14]


def test_small_x_and_full_width_digits_are_normalised() -> None:
    assert CitizenId.parse("11010519491231002x").reveal() == "11010519491231002X"
    assert CitizenId.parse("１１０１０５１９４９１２３１００２ｘ").reveal() == "11010519491231002X"


def test_fifteen_digits_of_an_old_card_gain_century_and_check_character() -> None:
    assert CitizenId.parse("110105491231002").reveal() == "11010519491231002X"


@pytest.mark.parametrize("number", [
    "110105194912310021",  # check character should be X
    "710000195502290010",  # 1955 had no 29 February
    "710000194913010023",  # month 13
    "710000209912310015",  # not born yet
    "11010519491231002", "1101051949123100XX", "", "abc", "1101051949123100２Y",
])
def test_anything_else_is_refused_without_repeating_it(number: str) -> None:
    with pytest.raises(CitizenIdError) as error:
        CitizenId.parse(number, TODAY)
    assert not number or number not in str(error.value)


def test_only_the_masked_form_shows() -> None:
    citizen = CitizenId.parse("11010519491231002X")
    assert str(citizen) == "110***********002X"
    assert "19491231" not in repr(citizen)
    assert "19491231" not in f"{citizen} {[citizen]}"


@given(st.integers(0, 10**17 - 1))
def test_one_changed_digit_is_always_noticed(value: int) -> None:
    first17 = f"{value:017d}"
    check = check_character(first17)
    for position in range(17):
        other = first17[:position] + str((int(first17[position]) + 1) % 10) + first17[position + 1:]
        assert check_character(other) != check


@given(st.text())
def test_any_text_is_a_number_or_the_one_error(text: str) -> None:
    with contextlib.suppress(CitizenIdError):
        assert len(CitizenId.parse(text).reveal()) == 18
