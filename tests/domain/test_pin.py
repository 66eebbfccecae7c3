"""PIN hashes: what fits, what is refused, and that nothing of them shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.pin import PinHash, _derive, is_guessed_first, is_pin

SALT = bytes(range(16))


def quick(pin: str) -> PinHash:
    return PinHash(4, 8, 1, SALT, _derive(pin, SALT, 4, 8, 1))


GOOD = str(quick("2580"))


def test_a_pin_fits_its_own_hash_alone() -> None:
    stored = PinHash.parse(str(PinHash.of("258013")))
    assert stored.fits("258013") and not stored.fits("258014")
    assert stored.log2_n >= 15, "cheaper than that is guessed in no time"


def test_the_same_pin_never_has_the_same_hash() -> None:
    assert str(PinHash.of("258013")) != str(PinHash.of("258013"))


@given(st.from_regex(r"[0-9]{4,8}", fullmatch=True), st.from_regex(r"[0-9]{4,8}", fullmatch=True))
def test_hashes_keep_their_text(one: str, other: str) -> None:
    stored = PinHash.parse(str(quick(one)))
    assert stored == quick(one) and stored.fits(other) == (one == other)
    assert repr(stored) == "PinHash(log2_n=4, r=8, p=1)"


@pytest.mark.parametrize("text", [
    "", "258013", "scrypt$15$8$1$AAAA$AAAA", GOOD.replace("scrypt", "argon2"), GOOD + "$", GOOD[:-4] + "!!!!", GOOD[:-8],
    *(GOOD.replace("$4$8$1$", poor) for poor in ("$0$8$1$", "$40$8$1$", "$04$8$1$", "$4$-8$1$", "$4$8$0$", "$x$8$1$")),
])
def test_what_is_no_hash_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="kiosk staff pin") as caught:
        PinHash.parse(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(("text", "is_one"), [
    ("2580", True), ("25801470", True), ("258", False), ("258014703", False), ("25a0", False), ("２５８０", False),
    ("²³²³", False),
])
def test_what_a_pin_is(text: str, is_one: bool) -> None:
    assert is_pin(text) == is_one


@pytest.mark.parametrize("pin", ["0000", "77777777", "1234", "4567890", "9876", "3210", "01234567"])
def test_the_first_guesses_are_known(pin: str) -> None:
    assert is_guessed_first(pin)
    assert not is_guessed_first(pin + "7" if set(pin) != {"7"} else "7177")
