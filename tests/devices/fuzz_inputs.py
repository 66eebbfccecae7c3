"""Inputs for parsers: random bytes, and valid ones with bits turned, pieces cut, doubled, moved, and lengths that lie."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator, Sequence

_LONGEST = 9000
"""Longer inputs are cut, unless a seed is longer; above every frame length in the room."""
_NUMBERS = (
    0, 1, 2, 3, 4, 5, 0x7F, 0x80, 0xFF, 0x100, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF
)
"""At which lengths and signs go wrong."""
_LIES = tuple(
    struct.pack(kind, number) for kind in (">B", ">H", "<H", ">I", "<I") for number in _NUMBERS
    if number < 256 ** struct.calcsize(kind)
)


def inputs(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Without end, the same for the same seed. seeds: valid inputs; each is given once as it is, first."""
    yield from seeds
    longest = max(_LONGEST, *map(len, seeds))
    dice = random.Random(seed)
    changes: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (
        _turn_bits, _turn_bits, _lie, _lie, _cut, _cut_middle, _double, _insert, _splice, _noise_around, _move,
    )
    while True:
        if dice.random() < 0.1:
            yield dice.randbytes(dice.randrange(1, 1 << dice.randrange(1, 11)))
            continue
        data = dice.choice(seeds)
        for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5))):
            data = dice.choice(changes)(dice, data, seeds)
        yield data[:longest]


def _place(dice: random.Random, data: bytes) -> int:
    """Mostly near the beginning, where headers and lengths stand."""
    size = len(data) + 1
    return dice.randrange(min(size, 32)) if dice.random() < 0.5 else dice.randrange(size)


def _turn_bits(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return b"\0"
    turned = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        turned[_place(dice, data) % len(data)] ^= 1 << dice.randrange(8)
    return bytes(turned)


def _lie(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at, new = _place(dice, data), dice.choice(_LIES)
    return data[:at] + new + data[at + len(new) :]


def _cut(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, data)
    return data[:at] if dice.random() < 0.7 else data[at:]


def _cut_middle(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, data)
    return data[:at] + data[at + dice.randrange(1, 20) :]


def _double(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, data)
    piece = data[at : at + dice.randrange(1, 64)]
    return data[:at] + piece * dice.choice((2, 2, 3, 20)) + data[at + len(piece) :]


def _insert(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, data)
    return data[:at] + dice.randbytes(dice.randrange(1, 16)) + data[at:]


def _splice(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = dice.choice(seeds)
    return data[: _place(dice, data)] + other[_place(dice, other) :]


def _noise_around(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return dice.randbytes(dice.randrange(4)) + data + dice.randbytes(dice.randrange(4)) + dice.choice(seeds)


def _move(dice: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at, size = _place(dice, data), dice.randrange(1, 32)
    rest = data[:at] + data[at + size :]
    to = _place(dice, rest)
    return rest[:to] + data[at : at + size] + rest[to:]
