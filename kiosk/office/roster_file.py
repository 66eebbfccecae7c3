"""Reading a roster list: CSV or XLSX in, clean rows and named problems out. A problem never repeats what a cell says."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import openpyxl
from django.db.models import TextChoices
from openpyxl.utils.exceptions import InvalidFileException

from kiosk.domain.citizen_id import CitizenId, CitizenIdError

COLUMNS: Mapping[str, str] = {
    "身份证号": "number", "姓名": "name", "村（社区）": "district", "人员类别": "category", "下次认证": "next_due",
    "照片": "portraits",
}
_HEADING = {field_name: heading for heading, field_name in COLUMNS.items()}
_XLSX_MAGIC = b"PK\x03\x04"
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")


class Problem(TextChoices):
    UNREADABLE = "unreadable", "文件读不出来，请存成 XLSX 或 CSV（UTF-8、GB18030）"
    COLUMN_MISSING = "column_missing", "缺少这一列"
    NUMBER_WRONG = "number_wrong", "身份证号不正确"
    NUMBER_AS_FIGURE = "number_as_figure", "身份证号被存成了数字，末位已丢失，请把这一列设为文本格式"
    NUMBER_TWICE = "number_twice", "这个身份证号在文件中重复出现"
    NAME_WRONG = "name_wrong", "姓名为空或过长"
    CATEGORY_WRONG = "category_wrong", "人员类别过长"
    DISTRICT_WRONG = "district_wrong", "村（社区）名称过长"
    DATE_WRONG = "date_wrong", "日期不正确，应写成 2026-11-30 的样子"
    DATE_EARLIER = "date_earlier", "名册中的日期更晚，已保留较晚的日期"
    PHOTO_MISSING = "photo_missing", "找不到照片文件"
    PHOTO_UNREADABLE = "photo_unreadable", "照片打不开，应为 JPEG 或 PNG"
    PHOTO_UNUSABLE = "photo_unusable", "照片不能用于比对"


@dataclass(frozen=True)
class RowProblem:
    row: int
    """As a spreadsheet counts: the headings are row 1. 0: the whole file."""
    column: str
    problem: Problem
    detail: str = ""
    """A stable code of the face room for PHOTO_UNUSABLE."""


@dataclass(frozen=True)
class RosterRow:
    """None: the list says nothing about it."""

    row: int
    number: str = field(repr=False)
    name: str = field(repr=False)
    category: str | None
    next_due: dt.date | None
    portraits: tuple[str, ...] = field(repr=False)
    district: str | None = None


class _CellError(Exception):
    def __init__(self, column: str, problem: Problem) -> None:
        super().__init__(problem.value)
        self.column, self.problem = column, problem


Cell = object
"""Text, figure, date or nothing, as the spreadsheet library gives it."""


def read(data: bytes) -> tuple[list[RosterRow], list[RowProblem]]:
    """Good rows in the order of the file, and what was wrong with the others."""
    try:
        table = list(_xlsx(data) if data.startswith(_XLSX_MAGIC) else _csv(data))
    except (UnicodeError, csv.Error, zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        return [], [RowProblem(0, "", Problem.UNREADABLE)]
    names = [_field(cell) for cell in table[0]] if table else []
    missing = [column for column in ("number", "name") if column not in names]
    if missing:
        return [], [RowProblem(1, _HEADING[column], Problem.COLUMN_MISSING) for column in missing]
    rows: list[RosterRow] = []
    problems: list[RowProblem] = []
    seen: set[str] = set()
    for row_number, cells in enumerate(table[1:], start=2):
        if not any(_text(cell) for cell in cells):
            continue
        try:
            row = _row(row_number, dict(zip(names, cells, strict=False)))
            if row.number in seen:
                raise _CellError("number", Problem.NUMBER_TWICE)
        except _CellError as error:
            problems.append(RowProblem(row_number, _HEADING[error.column], error.problem))
            continue
        seen.add(row.number)
        rows.append(row)
    return rows, problems


def _row(row: int, cells: Mapping[str, Cell]) -> RosterRow:
    number_cell = cells.get("number")
    if isinstance(number_cell, int | float):
        raise _CellError("number", Problem.NUMBER_AS_FIGURE)
    try:
        number = CitizenId.parse(_text(number_cell)).reveal()
    except CitizenIdError:
        raise _CellError("number", Problem.NUMBER_WRONG) from None
    name, category = _text(cells.get("name")), _text(cells.get("category"))
    if not 0 < len(name) <= 200:
        raise _CellError("name", Problem.NAME_WRONG)
    if len(category) > 80:
        raise _CellError("category", Problem.CATEGORY_WRONG)
    district = _text(cells.get("district"))
    if len(district) > 80:
        raise _CellError("district", Problem.DISTRICT_WRONG)
    files = _text(cells.get("portraits")).replace("；", ";").split(";")
    return RosterRow(
        row, number, name, category or None, _date(cells.get("next_due")), tuple(file.strip() for file in files if file.strip()),
        district or None,
    )


def _date(cell: Cell) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    text = _text(cell)
    if not text:
        return None
    for form in _DATE_FORMATS:
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise _CellError("next_due", Problem.DATE_WRONG)


def _field(cell: Cell) -> str:
    text = _text(cell).lower().replace("(", "（").replace(")", "）")
    return COLUMNS.get(text, text)


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _csv(data: bytes) -> Iterable[Sequence[Cell]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    return csv.reader(io.StringIO(text, newline=""), strict=True)


def _xlsx(data: bytes) -> Iterable[Sequence[Cell]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        return [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()
