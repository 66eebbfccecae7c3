"""The text encoder by its bytes: vectors of the reference, and every stream read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from printer_bench import text_slip

from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.printer_engine import PrinterEngine
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.printer import escpos, text_mode
from kiosk.devices.printer.decode import commands
from kiosk.domain.slip import QrCode, Raster, TextLine, TextSlip, in_printer_font


def stream(*parts: TextLine | QrCode | Raster) -> bytes:
    return b"".join(text_mode.packets(TextSlip(576, parts)))


def test_the_head_of_the_reference() -> None:
    assert stream(TextLine("参保", double=True, centred=True)) == bytes.fromhex(
        "1C 26 1B 61 01 1D 21 11 1C 21 0C 1B 45 00 B2 CE B1 A3 0A"
    )


def test_settings_do_not_last_longer_than_a_line() -> None:
    assert stream(TextLine("a", double=True, bold=True, centred=True), TextLine("b")) == bytes.fromhex(
        "1C 26 1B 61 01 1D 21 11 1C 21 0C 1B 45 01 61 0A 1B 61 00 1D 21 00 1C 21 00 1B 45 00 62 0A"
    )


def test_a_code_is_stored_and_drawn() -> None:
    assert stream(QrCode("AB")) == bytes.fromhex(
        "1C 26 1B 61 01"
        " 1D 28 6B 04 00 31 41 32 00"  # model 2
        " 1D 28 6B 03 00 31 43 06"     # module of 6 dots
        " 1D 28 6B 03 00 31 45 31"     # level M
        " 1D 28 6B 05 00 31 50 30 41 42"
        " 1D 28 6B 03 00 31 51 30"
        " 1B 61 00"
    )


def test_a_slip_is_one_packet_of_some_hundred_bytes() -> None:
    (packet,) = text_mode.packets(text_slip())
    assert len(packet) < 600


LETTERS = st.text(st.characters(codec="gb2312"), max_size=48).filter(in_printer_font)
LINES = st.builds(TextLine, LETTERS, st.booleans(), st.booleans(), st.booleans())
CODES = st.builds(QrCode, st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300))
PICTURES = st.integers(1, 120).flatmap(
    lambda height: st.binary(min_size=1, max_size=72).map(lambda row: Raster(576, height, row.ljust(72, b"\x00") * height))
)


@given(st.lists(st.one_of(LINES, CODES, PICTURES), max_size=30))
def test_every_packet_is_small_understood_and_free_of_real_time_commands(parts: list[TextLine | QrCode | Raster]) -> None:
    packets = text_mode.packets(TextSlip(576, tuple(parts)))
    assert all(len(packet) + len(escpos.FENCE) <= escpos.PACKET_LIMIT for packet in packets)
    listing = list(commands(b"".join(packets)))
    assert all(one.understood for one in listing)
    assert not [one for one in listing if one.name.startswith("DLE")]


@given(st.lists(st.one_of(LINES, CODES), max_size=12))
def test_the_printer_sets_what_was_written(parts: list[TextLine | QrCode]) -> None:
    engine = PrinterEngine(576, PrinterEmulator(PtyPort("unused")))  # type: ignore[arg-type]
    engine.buffer += stream(*parts)
    while engine.step():
        pass
    assert engine.junk == b""
    assert engine.text() == "\n".join(part.text for part in parts if isinstance(part, TextLine))
    assert engine.codes == [part.data for part in parts if isinstance(part, QrCode)]
