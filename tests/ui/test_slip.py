"""The slip as a picture: its words for what is known, its sizes, its rare characters, and what comes out of the printer."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6.QtGui import QFont, QFontDatabase, QImage
from PySide6.QtWidgets import QApplication

from kiosk.config import REPOSITORY, KioskConfig, PrinterConfig, UiConfig
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.printer_engine import PrinterEngine
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.printer import escpos
from kiosk.domain.case import Standing
from kiosk.domain.lookup_code import TokenLookup, parse_lookup
from kiosk.domain.names import mask_name
from kiosk.domain.period import DueDate
from kiosk.domain.slip import Raster, Slip
from kiosk.texts import Texts, load_texts
from kiosk.ui import paper
from kiosk.ui.fonts import load_fonts
from kiosk.ui.paper import Paper, _FontStack
from kiosk.ui.raster import save_png, to_image, to_raster
from kiosk.ui.sample import sample_slip
from kiosk.ui.slip import MissingGlyphs, SlipPainter

WIDTHS = (576, 384)
NOT_YET = ("认证成功", "通过", "完成认证", "已认证")
NEVER = ("失败", "冒名", "不是本人", "异常", "不合格", "受理通知书")


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(REPOSITORY / "assets" / "texts" / "zh_CN.toml")


@pytest.fixture(scope="module")
def make(qapp: QApplication, texts: Texts) -> Callable[..., SlipPainter]:
    assert load_fonts(UiConfig().font_dir), "the screen font is missing: run the set-up"

    def painter(width: int = 576, **settings: object) -> SlipPainter:
        config = KioskConfig.model_validate({"printer": PrinterConfig(width_dots=width), **settings})
        return SlipPainter(texts, config)

    return painter


@dataclass(frozen=True)
class Line:
    text: str
    px: int


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    """Every text that is put on paper, with its size, in order."""
    put: list[Line] = []
    place = Paper._place

    def note(paper: Paper, text: str, font: QFont, *rest: float, **named: float) -> float:
        put.append(Line(text, font.pixelSize()))
        return place(paper, text, font, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Paper, "_place", note)
    return put


def paint(painter: SlipPainter, slip: Slip) -> Raster:
    painted = painter.paint(slip)
    assert isinstance(painted, Raster)
    return painted


def printed(raster: Raster) -> Raster:
    """What the emulated printer's mechanics make of the picture."""
    engine = PrinterEngine(raster.width, PrinterEmulator(PtyPort(Path("unused"))))
    engine.buffer += b"".join(escpos.packets(raster))
    while engine.step():
        pass
    assert (engine.junk, engine.text()) == (b"", "")
    return engine.paper()


def words(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


# ------------------------------------------------------------------------------------------------ from picture to paper


@pytest.mark.parametrize("width", WIDTHS)
def test_the_paper_shows_the_picture_dot_for_dot(make: Callable[..., SlipPainter], width: int) -> None:
    raster = paint(make(width), sample_slip())
    assert raster.width == width
    assert printed(raster) == raster


@pytest.mark.parametrize("width", WIDTHS)
def test_the_qr_code_is_read_back_from_the_paper(make: Callable[..., SlipPainter], width: int, tmp_path: Path) -> None:
    slip = sample_slip()
    save_png(printed(paint(make(width), slip)), tmp_path / "slip.png")
    with Image.open(tmp_path / "slip.png") as picture:
        (code,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert parse_lookup(code.text) == TokenLookup(slip.query_token)
    assert code.ec_level == "M"


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_touches_the_edge(make: Callable[..., SlipPainter], width: int) -> None:
    raster = paint(make(width), replace(sample_slip(), site="很长的地点名称" * 5, masked_name=mask_name("甲" * 70)))
    rows = [raster.data[at : at + raster.row_bytes] for at in range(0, len(raster.data), raster.row_bytes)]
    assert not any(row[0] or row[-1] for row in rows)


def test_the_same_slip_is_the_same_picture(make: Callable[..., SlipPainter]) -> None:
    assert paint(make(), sample_slip()) == paint(make(), sample_slip())


# ------------------------------------------------------------------------------------------------ wording


def test_received_claims_nothing_more(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), replace(sample_slip(), standing=Standing.RECEIVED))
    assert "已受理，待审核" in words(lines)
    assert "不代表办理完成" in words(lines)
    assert not [word for word in (*NOT_YET, *NEVER) if word in words(lines)]


def test_submitted_leaves_the_last_word_to_the_office(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), replace(sample_slip(), standing=Standing.SUBMITTED))
    assert "比对通过" in words(lines) and "已提交镇社保所确认" in words(lines)
    assert "不代表办理完成" in words(lines)
    assert not [word for word in ("认证成功", "完成认证", "已认证", *NEVER) if word in words(lines)]


def test_only_confirmed_says_success(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    due = DueDate(dt.date(2027, 10, 31), confirmed_by_office=True)
    paint(make(), replace(sample_slip(), standing=Standing.CONFIRMED, due=due))
    assert "认证成功" in words(lines)
    assert "不代表" not in words(lines)
    assert "预计" not in words(lines)


def test_a_date_the_terminal_worked_out_is_called_expected(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), sample_slip())
    assert "下次认证（预计）" in words(lines)
    assert "以社保机构为准" in words(lines)


def test_the_next_date_is_the_largest_thing(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), sample_slip())
    largest = max(lines, key=lambda line: line.px)
    assert largest.text == "2027年10月底前"
    assert [line for line in lines if line.px == largest.px] == [largest]


def test_a_date_inside_a_month_names_the_day(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), replace(sample_slip(), due=DueDate(dt.date(2027, 10, 12), confirmed_by_office=False)))
    assert "2027年10月12日前" in words(lines)


def test_without_a_date_none_is_invented(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), replace(sample_slip(), due=None))
    assert "下次认证" not in words(lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_a_slip_must_hold_is_there_and_readable(
    make: Callable[..., SlipPainter], lines: list[Line], width: int
) -> None:
    slip = sample_slip()
    paint(make(width), slip)
    facts = ("业务回执", "养老待遇资格认证", slip.masked_name, slip.masked_number, "2026年11月22日 9:05", slip.site, "HG00",
             "023-65731387", "023-12333", "拍照")
    assert not [fact for fact in facts if fact not in words(lines)]
    assert min(line.px for line in lines) >= 24


def test_only_copies_and_demonstrations_are_marked(make: Callable[..., SlipPainter], lines: list[Line]) -> None:
    paint(make(), sample_slip())
    assert "补打 第" not in words(lines) and "演示" not in words(lines)
    lines.clear()
    paint(make(mode="demo"), sample_slip(copy=2))
    assert "补打 第2次" in words(lines) and "演示" in words(lines)


# ------------------------------------------------------------------------------------------------ numbers and names


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("number", ["HG00-20261122-000137", "HANGU012-20261122-000137"])
def test_the_case_number_breaks_only_between_its_groups(
    make: Callable[..., SlipPainter], lines: list[Line], width: int, number: str
) -> None:
    paint(make(width), replace(sample_slip(), case_number=number))
    put = [line.text for line in lines]
    parts = lines[put.index("受理号") + 1 : put.index("办理事项")]
    assert "".join(part.text for part in parts) == number
    assert all(part.text.endswith("-") for part in parts[:-1])
    assert min(part.px for part in parts) >= 40


def test_rare_characters_are_drawn_as_themselves(make: Callable[..., SlipPainter]) -> None:
    rare = ["𬭎", "㛃", "䶮", "\u9fb4", "𠅤", "·"]  # two empty boxes would be the same picture
    drawn = {paint(make(), replace(sample_slip(), masked_name=f"{character}*")).data for character in rare}
    assert len(drawn) == len(rare)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("character", ["𬭎", "㛃", "䶮", "\u9fb4", "\U00020001", "\U0002a6d6", "\U0002b820"])
def test_a_rare_character_is_a_character_and_not_a_box(
    make: Callable[..., SlipPainter], monkeypatch: pytest.MonkeyPatch, width: int, character: str
) -> None:
    """The same slip with a character nobody has, drawn in spite of that, shows what a box looks like."""
    slip = replace(sample_slip(), masked_name=f"{character}*")
    rare = printed(paint(make(width), slip))
    monkeypatch.setattr(_FontStack, "has", lambda fonts, character: True)
    box = paint(make(width), replace(slip, masked_name="\U0002ebf0*"))
    assert (rare.width, rare.height) == (box.width, box.height)
    assert rare.data != box.data
    assert paint(make(width), slip) == rare


def test_fonts_for_rare_characters_change_no_other_slip(
    make: Callable[..., SlipPainter], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "HanaMinB" in QFontDatabase.families(), "fonts-hanazono is missing: run the set-up"
    with_them = paint(make(), sample_slip())
    monkeypatch.setattr(paper, "_WIDE_FONTS", ())
    assert paint(make(), sample_slip()) == with_them
    assert make().paint(replace(sample_slip(), masked_name="\U0002a6d6*")) == MissingGlyphs(1)


def test_the_first_slip_of_a_process_is_as_the_next() -> None:
    program = """
from PySide6.QtWidgets import QApplication
from kiosk.config import KioskConfig
from kiosk.texts import load_texts
from kiosk.ui.fonts import load_fonts
from kiosk.ui.sample import sample_slip
from kiosk.ui.slip import SlipPainter
app, config = QApplication([]), KioskConfig()
load_fonts(config.ui.font_dir)
painter = SlipPainter(load_texts(config.ui.texts), config)
assert painter.paint(sample_slip()) == painter.paint(sample_slip())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("character", ["\U0002ebf0", "\U00031361", "\ue000"])
def test_a_character_without_a_glyph_is_refused_and_not_told(make: Callable[..., SlipPainter], character: str) -> None:
    refused = make().paint(replace(sample_slip(), masked_name=f"{character}*"))
    assert refused == MissingGlyphs(1)
    assert character not in repr(refused)


def test_a_long_name_wraps(make: Callable[..., SlipPainter]) -> None:
    short = paint(make(), replace(sample_slip(), masked_name="欧*"))
    long = paint(make(), replace(sample_slip(), masked_name="A" + "*" * 40 + "Z"))
    assert long.height > short.height
    assert long.width == short.width


# ------------------------------------------------------------------------------------------------ pictures and rasters


@given(st.integers(1, 40), st.integers(1, 5), st.data())
def test_raster_and_image_are_the_same_thing(width: int, height: int, data: st.DataObject) -> None:
    rows = [data.draw(st.integers(0, 2**width - 1)) << -width % 8 for _ in range(height)]
    raster = Raster(width, height, b"".join(row.to_bytes((width + 7) // 8, "big") for row in rows))
    assert to_raster(to_image(raster)) == raster


def test_darker_than_the_threshold_is_black_and_nothing_is_dithered() -> None:
    grey = QImage(8, 1, QImage.Format.Format_Grayscale8)
    for x, level in enumerate((0, 100, 139, 140, 141, 200, 254, 255)):
        grey.setPixel(x, 0, 0xFF000000 | level * 0x010101)
    assert to_raster(grey).data == bytes((0b11100000,))


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written"):
        save_png(Raster(8, 1, b"\xff"), tmp_path / "no such folder" / "slip.png")
