"""The slip (业务回执) as a picture or as lines of text: what a person of 75 needs first stands first and largest."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.config import KioskConfig, Mode, PrinterConfig
from kiosk.domain.case import Standing
from kiosk.domain.lookup_code import make_lookup_code
from kiosk.domain.slip import Printable, Slip
from kiosk.texts import Texts
from kiosk.ui.dates import day_text, minute_text
from kiosk.ui.paper import Paper
from kiosk.ui.text_sheet import TextSheet

Sheet = Paper | TextSheet

_NARROW = 480  # dots: below this labels stand above their values
_TITLE, _DATE, _RESULT, _BODY, _LABEL, _SMALL = 56, 64, 52, 40, 32, 30
"""Dots; 8 are 1 mm at 203 dpi. Above 64 Qt draws letters as outlines, the first of a process not quite as the next."""
_QR_SIZE = 264


@dataclass(frozen=True, slots=True)
class MissingGlyphs:
    """The slip holds characters no font has. It is not printed: a silent box in a name would be wrong."""

    count: int


def new_sheet(printer: PrinterConfig) -> Sheet:
    return TextSheet(printer.width_dots) if printer.text_mode else Paper(printer.width_dots, margin=12)


def finished(sheet: Sheet) -> Printable | MissingGlyphs:
    if sheet.missing:
        return MissingGlyphs(sheet.missing)
    return sheet.slip() if isinstance(sheet, TextSheet) else sheet.raster()


class SlipPainter:
    """Makes slips for the configured printer. Needs a QGuiApplication and its fonts; for the UI thread."""

    def __init__(self, texts: Texts, config: KioskConfig) -> None:
        self._texts = texts
        self._config = config

    def paint(self, slip: Slip) -> Printable | MissingGlyphs:
        """A Raster, or a TextSlip where the configuration asks for text mode."""
        paper = new_sheet(self._config.printer)
        self._head(paper, slip)
        paper.rule()
        self._result(paper, slip)
        paper.rule()
        self._facts(paper, slip)
        paper.rule()
        self._ask(paper, slip)
        return finished(paper)

    def _head(self, paper: Sheet, slip: Slip) -> None:
        paper.whole(self._texts.slip("slip.agency"), _LABEL, centred=True)
        paper.whole(self._texts.slip("slip.title"), _TITLE, bold=True, centred=True)
        if slip.copy > 1:
            paper.whole(self._texts.slip("slip.copy", copy=slip.copy), _BODY, bold=True, centred=True)
        if self._config.mode is Mode.DEMO:
            paper.whole(self._texts.slip("slip.demo"), _BODY, bold=True, centred=True)

    def _result(self, paper: Sheet, slip: Slip) -> None:
        """What became of it, and until when the pension is safe."""
        paper.text(self._texts.slip("slip.result"), _LABEL)
        for line in self._texts.slip(f"result.{slip.standing.value}").split("\n"):
            paper.whole(line, _RESULT, bold=True)
        if slip.due is not None:
            office = slip.due.confirmed_by_office
            paper.space(10)
            paper.text(self._texts.slip("slip.due_confirmed" if office else "slip.due_estimated"), _LABEL)
            paper.whole(self._texts.slip("slip.due", date=day_text(self._texts, slip.due.date)), _DATE, bold=True)
            if not office:
                paper.text(self._texts.slip("slip.due_note"), _SMALL)
        if slip.standing is not Standing.CONFIRMED:
            paper.space(6)
            paper.text(self._texts.slip("slip.not_final"), _SMALL, bold=True)

    def _facts(self, paper: Sheet, slip: Slip) -> None:
        paper.text(self._texts.slip("slip.number"), _LABEL)
        paper.grouped(slip.case_number, 46, bold=True)
        paper.space(6)
        facts = (
            ("slip.item", self._texts.slip(f"slip.item_{slip.item.value}")),
            ("slip.name", slip.masked_name),
            ("slip.id_number", slip.masked_number),
            ("slip.time", minute_text(self._texts, slip.handed_in_at)),
            ("slip.site", slip.site),
            ("slip.terminal", slip.terminal_id),
        )
        labels = {text_id: self._texts.slip(text_id) for text_id, _ in facts}
        narrow = paper.width < _NARROW
        indent = 0.0 if narrow else max(paper.text_width(label, _LABEL) for label in labels.values()) + 16
        whole = {"slip.id_number", "slip.time"}
        for text_id, value in facts:
            put = paper.whole if text_id in whole else paper.text
            if narrow:
                paper.text(labels[text_id], _LABEL)
            else:
                paper.aside(labels[text_id], _LABEL, _BODY)
            put(value, _BODY, bold=True, indent=indent)

    def _ask(self, paper: Sheet, slip: Slip) -> None:
        paper.text(self._texts.slip("slip.phones"), _LABEL)
        for phone in (self._config.site.help_phone, *self._config.site.other_phones):
            paper.whole(phone, _BODY, bold=True)
        paper.qr(make_lookup_code(slip.query_token), _QR_SIZE)
        paper.text(self._texts.slip("slip.query"), _SMALL, centred=True)
        paper.space(10)
        paper.text(self._texts.slip("slip.footer"), _SMALL)
        paper.space(16)
