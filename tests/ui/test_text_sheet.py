"""The slip as lines of text: the same words as the picture, in letters the printer has, and pictures where it has none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6.QtWidgets import QApplication

from kiosk.config import KioskConfig, UiConfig
from kiosk.domain.lookup_code import make_lookup_code
from kiosk.domain.slip import QrCode, Raster, Slip, TextLine, TextSlip, in_printer_font
from kiosk.texts import load_texts
from kiosk.ui.fonts import load_fonts
from kiosk.ui.sample import sample_slip
from kiosk.ui.slip import MissingGlyphs, SlipPainter
from kiosk.ui.text_sheet import TextSheet

WIDTHS = (576, 384)


@pytest.fixture(scope="module")
def make(qapp: QApplication) -> Callable[..., TextSlip | MissingGlyphs]:
    assert load_fonts(UiConfig().font_dir), "the screen font is missing: run the set-up"

    def painted(slip: Slip, width: int = 576) -> TextSlip | MissingGlyphs:
        config = KioskConfig.model_validate({"printer": {"width_dots": width, "text_mode": True}})
        made = SlipPainter(load_texts(config.ui.texts), config).paint(slip)
        assert not isinstance(made, Raster)
        return made

    return painted


def lines(slip: TextSlip) -> list[TextLine]:
    return [part for part in slip.parts if isinstance(part, TextLine)]


def columns(line: TextLine) -> int:
    """Half-widths a line takes, by the lengths of its GB 18030 bytes."""
    return len(line.text.encode("gb18030")) * (2 if line.double else 1)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_line_fits_and_has_letters(make: Callable[..., TextSlip], width: int) -> None:
    slip = make(replace(sample_slip(), site="很长的地点名称" * 5, masked_name="欧" + "*" * 60 + "芳"), width)
    assert max(columns(line) for line in lines(slip)) <= width // 12
    assert all(in_printer_font(line.text) for line in lines(slip))
    assert "很长的地点名称" * 5 in "".join(line.text for line in lines(slip))


@pytest.mark.parametrize("width", WIDTHS)
def test_what_must_stay_in_one_piece_does(make: Callable[..., TextSlip], width: int) -> None:
    slip = sample_slip()
    texts = [line.text for line in lines(make(slip, width))]
    assert {"业务回执", "2027年10月底前", slip.masked_number, "2026年11月22日 9:05", "023-65731387"} <= set(texts)
    number = texts[texts.index("受理号") + 1 : texts.index("办理事项")]
    assert "".join(number) == slip.case_number
    assert all(part.endswith("-") for part in number[:-1])


def test_what_matters_is_large(make: Callable[..., TextSlip]) -> None:
    large = {line.text for line in lines(make(sample_slip())) if line.double}
    assert {"业务回执", "2027年10月底前", "已受理，待审核", sample_slip().masked_name} <= large


def test_the_code_is_the_pictures_code(make: Callable[..., TextSlip]) -> None:
    codes = [part for part in make(sample_slip()).parts if isinstance(part, QrCode)]
    assert codes == [QrCode(make_lookup_code(sample_slip().query_token))]


@pytest.mark.parametrize("name", ["𬭎*", "㛃*", "䶮*", "\u9fb4*", "\U00020001*", "㐂*", "一─*"])
def test_a_name_without_letters_is_a_picture(make: Callable[..., TextSlip], name: str) -> None:
    slip = make(replace(sample_slip(), masked_name=name))
    (picture,) = [part for part in slip.parts if isinstance(part, Raster)]
    assert slip.parts[slip.parts.index(picture) - 1] == TextLine("姓名")
    assert picture.width == 576 and any(picture.data) and picture.height < 80
    assert not [line for line in lines(slip) if name in line.text]


@pytest.mark.parametrize("name", ["王*", "买****·****力", "娜—娜"])
def test_a_common_name_is_text(make: Callable[..., TextSlip], name: str) -> None:
    slip = make(replace(sample_slip(), masked_name=name))
    assert name in [line.text for line in lines(slip)]
    assert not [part for part in slip.parts if isinstance(part, Raster)]


@pytest.mark.parametrize("name", ["\U0002ebf0*", "\ue000*", "王\x1b*"])
def test_a_character_nobody_has_is_refused(make: Callable[..., TextSlip | MissingGlyphs], name: str) -> None:
    assert make(replace(sample_slip(), masked_name=name)) == MissingGlyphs(1)


@pytest.mark.parametrize("text", ["\x1b@", "a\nb", "┌─┐", "𬭎", "€", "ñ", "x" * 101])
def test_a_line_the_printer_cannot_set_is_no_text_line(text: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        TextLine(text)


@pytest.mark.parametrize("data", ["中", "a\n", "x" * 301])
def test_a_code_is_short_ascii(data: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        QrCode(data)


def test_neither_shows_what_it_holds() -> None:
    assert "王" not in repr(TextLine("王*")) and "AB" not in repr(QrCode("AB"))


LETTERS = st.text(st.characters(codec="gb2312"), max_size=120).filter(in_printer_font)


@given(LETTERS, st.sampled_from([24, 40]), st.sampled_from(WIDTHS))
def test_no_letter_is_lost_in_the_wrapping(text: str, px: int, width: int) -> None:
    sheet = TextSheet(width)
    sheet.text(text, px)
    assert "".join(line.text for line in lines(sheet.slip())) == text
    assert all(columns(line) <= width // 12 for line in lines(sheet.slip()))
