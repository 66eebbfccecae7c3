"""A slip that tries a printer: width, sizes, rare characters, code, and what the printer answered."""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.config import PrinterConfig
from kiosk.domain.slip import Printable
from kiosk.texts import Texts
from kiosk.ui.slip import MissingGlyphs, finished, new_sheet

_SIZES = (30, 40, 52, 64)
_SAMPLE = "养老123"
_RARE = "𬭎㛃䶮\u9fb4𠀁·"
_CODE = "KIOSK-PRINT-TEST"


def trial_slip(texts: Texts, printer: PrinterConfig, answers: Iterable[str]) -> Printable | MissingGlyphs:
    """answers: lines of ASCII below the rest."""
    sheet = new_sheet(printer)
    sheet.whole(texts.slip("slip.trial_title"), 56, bold=True, centred=True)
    sheet.rule()
    sheet.text(texts.slip("slip.trial_ruler"), 30)
    sheet.ruler()
    sheet.rule()
    for px in _SIZES:
        sheet.whole(f"{_SAMPLE} {px}", px, bold=px > 40)
    sheet.rule()
    sheet.text(texts.slip("slip.trial_rare"), 30)
    sheet.text(_RARE, 52)
    sheet.rule()
    sheet.qr(_CODE, 264)
    sheet.text(texts.slip("slip.trial_answers"), 30)
    for answer in answers:
        sheet.text(answer, 28)
    sheet.space(16)
    return finished(sheet)
