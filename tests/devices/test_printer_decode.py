"""The listing of a capture: what our own encoders write is understood to the last byte, and anything else is survived."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from printer_bench import slip, text_slip

from kiosk.devices.printer import escpos, text_mode
from kiosk.devices.printer.decode import Command, capture_bytes, commands, joined_bands

VECTORS = {
    "1B 40": ("ESC @", ""),
    "1C 26": ("FS &", ""),
    "1B 61 01": ("ESC a", "01"),
    "1D 21 11": ("GS !", "11"),
    "1C 21 0C": ("FS !", "0C"),
    "10 04 02": ("DLE EOT", "02"),
    "10 05 02": ("DLE ENQ", "02"),
    "1D 72 01": ("GS r", "01"),
    "1D 61 00": ("GS a", "00"),
    "1D 56 00": ("GS V", "00"),
    "1D 56 42 00": ("GS V", "42 00"),
    "1D 65 02": ("GS e", "02"),
    "1D 65 03 0C": ("GS e", "03 0C"),
    "1D 28 48 06 00 30 30 30 30 30 31": ("GS ( H", "process id 0001"),
    "1D 76 30 00 02 00 02 00 AA 55 55 AA": ("GS v 0", "16 x 2 dots"),
    "1D 28 6B 05 00 31 50 30 41 42": ("GS ( k", "QR code of 2 characters"),
    "B2 CE B1 A3": ("text", "参保"),
    "CD F5 99 33 A9 32 0A": ("text", "王𬭎\\n"),
}


def test_each_command_of_the_reference_and_all_of_them_in_a_row() -> None:
    for text, (name, detail) in VECTORS.items():
        data = bytes.fromhex(text)
        assert list(commands(data)) == [Command(0, data, name, detail)]
    in_a_row = [(one.name, one.detail) for one in commands(b"".join(map(bytes.fromhex, VECTORS)))]
    assert in_a_row == [*list(VECTORS.values())[:-2], ("text", "参保王𬭎\\n")]


def test_a_whole_slip_is_understood_and_its_picture_comes_back() -> None:
    stream = escpos.START + b"".join(packet + escpos.FENCE for packet in escpos.packets(slip()))
    stream += escpos.CUT + escpos.process_id_request("0001")
    listing = list(commands(stream))
    assert all(one.understood for one in listing)
    assert joined_bands(listing) == slip()


def test_a_text_slip_is_understood() -> None:
    listing = list(commands(b"".join(text_mode.packets(text_slip()))))
    assert all(one.understood for one in listing)
    assert [one.detail for one in listing if one.name == "text"][:2] == ["业务回执\\n", "HG00-20261122-000137\\n"]


def test_what_is_cut_short_or_unknown_says_so() -> None:
    cut_short = {
        "1D 76 30 00 02 00 02 00 AA": "GS v 0", "1D 76 30 00": "GS v 0", "1D 28 48 06": "GS ( H", "10 04": "DLE EOT",
    }
    for text, name in cut_short.items():
        (command,) = commands(bytes.fromhex(text))
        assert (command.name, command.complete, command.understood) == (name, False, False)
    listing = list(commands(bytes.fromhex("1D 7F 41 1B")))
    assert [(one.name, one.data.hex(), one.understood) for one in listing] == [
        ("unknown", "1d7f", False), ("text", "41", True), ("unknown", "1b", False),
    ]
    assert joined_bands(listing) is None


def test_a_picture_is_no_wider_than_any_head() -> None:
    """One absurd band must not make a picture of gigabytes out of many small ones."""
    listing = list(commands(b"\x1dv0\x00" + bytes.fromhex("00 20 01 00") + bytes(0x2000) + escpos.packets(slip())[0]))
    picture = joined_bands(listing)
    assert picture is not None and picture.width == 1024


def test_hexadecimal_text_is_a_capture_too() -> None:
    assert capture_bytes(b"1B 40 0x1d,61:00\n") == escpos.START
    assert capture_bytes(b"1B 4") == b"1B 4"
    assert capture_bytes(escpos.START) == escpos.START


LEADS = st.sampled_from([bytes.fromhex(text)[:size] for text in VECTORS for size in (1, 2, 3, 8)])


@given(st.lists(st.one_of(LEADS, st.binary(max_size=12)), max_size=40).map(b"".join))
def test_any_bytes_are_listed_without_a_gap(data: bytes) -> None:
    listing = list(commands(data))
    assert b"".join(one.data for one in listing) == data
    assert [one.offset for one in listing] == [sum(len(one.data) for one in listing[:at]) for at in range(len(listing))]
    assert all(one.detail.isprintable() for one in listing)
    joined_bands(listing)
