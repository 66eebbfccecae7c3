"""The ESC/POS encoder by its bytes: vectors, and every stream read back by a small parser of its own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.printer import escpos
from kiosk.domain.slip import Raster

REAL_TIME = re.compile(rb"\x10[\x04\x05\x14]")


def raster(width: int, rows: list[bytes]) -> Raster:
    return Raster(width, len(rows), b"".join(rows))


def read_back(stream: bytes, width: int) -> Raster:
    """GS v 0 commands only, anything else fails: an inverse written from the command's description."""
    row_bytes = (width + 7) // 8
    rows: list[bytes] = []
    while stream:
        assert stream[:4] == bytes.fromhex("1D 76 30 00")
        across = int.from_bytes(stream[4:6], "little")
        down = int.from_bytes(stream[6:8], "little")
        data, stream = stream[8 : 8 + across * down], stream[8 + across * down :]
        assert len(data) == across * down
        rows += [data[at : at + across].ljust(row_bytes, b"\x00") for at in range(0, len(data), across)]
    return raster(width, rows)


@st.composite
def rasters(draw: st.DrawFn) -> Raster:
    """Pictures as slips are: inked and blank stretches, every width of head, some rows of pure real-time bytes."""
    row_bytes = draw(st.sampled_from([1, 2, 48, 72, 104]))
    row = st.one_of(
        st.just(bytes(row_bytes)),
        st.binary(min_size=row_bytes, max_size=row_bytes),
        st.lists(st.sampled_from([0x00, 0x10, 0x04, 0x05, 0x14]), min_size=row_bytes, max_size=row_bytes).map(bytes),
    )
    runs = draw(st.lists(st.tuples(row, st.integers(1, 150)), max_size=6))
    return raster(row_bytes * 8, [one for one, count in runs for _ in range(count)])


def test_the_commands_of_the_reference() -> None:
    assert escpos.START.hex(" ") == "1b 40 1d 61 00"
    assert escpos.FENCE.hex(" ") == "1d 72 01"
    assert escpos.CUT.hex(" ") == "1d 56 42 00"
    assert escpos.CLEAR.hex(" ") == "10 05 02"
    assert [escpos.status_query(n).hex(" ") for n in (1, 2, 3, 4)] == ["10 04 01", "10 04 02", "10 04 03", "10 04 04"]
    assert escpos.full_status_query().hex(" ") == "10 04 14"
    assert escpos.process_id_request("0001") == bytes.fromhex("1D 28 48 06 00 30 30 30 30 30 31")


def test_the_band_of_the_reference() -> None:
    assert escpos.packets(raster(16, [b"\xaa\x55", b"\x55\xaa"])) == [bytes.fromhex("1D 76 30 00 02 00 02 00 AA 55 55 AA")]


def test_white_on_the_right_is_not_sent() -> None:
    assert escpos.packets(raster(576, [b"\x80" + bytes(71)])) == [bytes.fromhex("1D 76 30 00 01 00 01 00 80")]


def test_blank_rows_cost_one_byte_each() -> None:
    assert escpos.packets(raster(576, [bytes(72)] * 50)) == [bytes.fromhex("1D 76 30 00 01 00 32 00") + bytes(50)]


def test_an_empty_picture_is_no_packet() -> None:
    assert escpos.packets(Raster(576, 0, b"")) == []


@pytest.mark.parametrize(("width", "rows_per_band"), [(384, 85), (576, 56)])
def test_a_full_band_is_as_tall_as_the_buffer_allows(width: int, rows_per_band: int) -> None:
    black = escpos.packets(raster(width, [b"\xff" * (width // 8)] * 200))
    assert [packet[6] for packet in black] == [rows_per_band] * (200 // rows_per_band) + [200 % rows_per_band]


@given(rasters())
def test_packets_read_back_to_the_picture_less_dots_that_would_command(picture: Raster) -> None:
    sent = read_back(b"".join(escpos.packets(picture)), picture.width)
    assert (sent.width, sent.height) == (picture.width, picture.height)
    for before, after in zip(_rows(picture), _rows(sent), strict=True):
        changed = [at for at in range(len(before)) if before[at] != after[at]]
        assert all((before[at], after[at]) == (0x10, 0x00) for at in changed)
        if not re.search(rb"\x10[\x04\x05\x14]|\x10$", before):
            assert not changed


@given(rasters())
def test_every_packet_and_its_fence_fit_the_smallest_buffer(picture: Raster) -> None:
    assert all(len(packet + escpos.FENCE) <= 4096 for packet in escpos.packets(picture))


@given(rasters())
def test_no_real_time_command_anywhere_in_the_stream_seams_included(picture: Raster) -> None:
    stream = escpos.START + b"".join(packet + escpos.FENCE for packet in escpos.packets(picture)) + escpos.CUT
    assert not REAL_TIME.search(stream)


def test_a_row_that_would_clear_the_buffer_loses_one_dot() -> None:
    (packet,) = escpos.packets(raster(24, [b"\x10\x05\x02"]))
    assert packet[8:] == b"\x00\x05\x02"


def test_a_command_across_the_seam_of_two_rows_is_found() -> None:
    (packet,) = escpos.packets(raster(16, [b"\x01\x10", b"\x04\x01"]))
    assert packet[8:] == b"\x01\x00\x04\x01"


def _rows(picture: Raster) -> list[bytes]:
    return [picture.data[at : at + picture.row_bytes] for at in range(0, len(picture.data), picture.row_bytes)]
