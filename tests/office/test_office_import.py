"""Roster lists as town offices really save them, and every way in which a row can be wrong."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from kiosk.domain.roster import FaceTemplate
from kiosk.office.models import AuditEntry, Person, PersonTemplate, Portrait
from kiosk.office.roster_file import Problem, read
from kiosk.office.roster_import import ImportReport, TemplateResult, import_roster

pytestmark = pytest.mark.django_db

A, B, C = "999901195001010020", "999901194803020015", "710000195201010011"
HEAD = "身份证号,姓名,人员类别,下次认证,照片\n"
GOOD = HEAD + f"{A},张测试,居保,2026-11-30,a.jpg;a2.png\n{B},李测试,,2026/12/31,\n{C},王测试,职保,,\n"


def image(colour: str = "grey", form: str = "JPEG", size: tuple[int, int] = (1200, 1600)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, form)
    return data.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.jpg").write_bytes(image())
    folder = tmp_path / "list"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(image())
    (folder / "a2.png").write_bytes(image("white", "PNG"))
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def make(data: bytes) -> TemplateResult:
    return TemplateResult(FaceTemplate("dlib/test", (float(len(data)), 0.5)))


def run(text: str | bytes, folder: Path | None = None, maker=make, **more) -> ImportReport:
    data = text.encode() if isinstance(text, str) else text
    return import_roster(data, folder, maker, "t", **more)


def xlsx(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def found(report: ImportReport) -> list[tuple[int, str, Problem]]:
    return [(problem.row, problem.column, problem.problem) for problem in report.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_every_usual_encoding(folder: Path, encoding: str) -> None:
    report = run(GOOD.encode(encoding), folder)
    assert (report.added, report.changed, report.unchanged, report.portraits, report.problems) == (3, 0, 0, 2, [])
    one = Person.objects.get(number=A)
    assert (one.name, one.category, one.next_due) == ("张测试", "居保", dt.date(2026, 11, 30))
    assert PersonTemplate.objects.filter(portrait__person=one, engine="dlib/test").count() == 2
    assert AuditEntry.objects.get().detail == {"added": 3, "changed": 0, "unchanged": 0, "problems": 0}


def test_english_headings_in_another_order(folder: Path) -> None:
    assert run(f"name,portraits,number\n张测试,a.jpg,{A}\n", folder).added == 1
    assert Person.objects.get().next_due is None


def test_xlsx(folder: Path) -> None:
    data = xlsx([
        ["姓名", "身份证号", "备注", "下次认证", "照片"],
        ["张测试", A, "x", dt.datetime(2026, 11, 30), "a.jpg"],
        [None, None, None, None, None],
        ["李测试", B, None, "2026年12月31日", None],
    ])
    report = run(data, folder)
    assert (report.added, report.problems) == (2, [])
    assert Person.objects.get(number=A).next_due == dt.date(2026, 11, 30)
    assert Person.objects.get(number=B).next_due == dt.date(2026, 12, 31)


def test_a_number_kept_as_figure_is_named(folder: Path) -> None:
    report = run(xlsx([["身份证号", "姓名"], [int(A), "张测试"], [B, "李测试"]]), folder)
    assert found(report) == [(2, "身份证号", Problem.NUMBER_AS_FIGURE)]
    assert report.added == 1


def test_every_bad_row_is_named_and_the_good_ones_come_in(folder: Path) -> None:
    report = run(
        HEAD
        + "999901195001010021,x,,,\n"
        + ",x,,,\n"
        + f"{A},,,,\n"
        + f"{A},x,,someday,\n"
        + f"{A},x,{'y' * 81},,\n"
        + f"{B},x,,,\n{B},y,,,\n"
        + f"{C},z,,,nowhere.jpg;broken.jpg;../outside.jpg\n",
        folder,
    )
    assert found(report) == [
        (2, "身份证号", Problem.NUMBER_WRONG), (3, "身份证号", Problem.NUMBER_WRONG), (4, "姓名", Problem.NAME_WRONG),
        (5, "下次认证", Problem.DATE_WRONG), (6, "人员类别", Problem.CATEGORY_WRONG), (8, "身份证号", Problem.NUMBER_TWICE),
        (9, "照片", Problem.PHOTO_MISSING), (9, "照片", Problem.PHOTO_UNREADABLE), (9, "照片", Problem.PHOTO_MISSING),
    ]
    assert set(Person.objects.values_list("number", "name")) == {(B, "x"), (C, "z")}
    assert A not in str(report) and B not in str(report)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", [(1, "身份证号", Problem.COLUMN_MISSING), (1, "姓名", Problem.COLUMN_MISSING)]),
        ("姓名,电话\nx,1\n".encode(), [(1, "身份证号", Problem.COLUMN_MISSING)]),
        (b"PK\x03\x04 no workbook", [(0, "", Problem.UNREADABLE)]),
        (b"\xff\xfe\x00\xd8\xff", [(0, "", Problem.UNREADABLE)]),
        (b'\xef\xbb\xbfnumber,name\n"open', [(0, "", Problem.UNREADABLE)]),
    ],
)
def test_a_file_that_is_no_list(data: bytes, expected: list[tuple[int, str, Problem]]) -> None:
    report = run(data)
    assert found(report) == expected
    assert not Person.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_same_list_again_changes_nothing(folder: Path) -> None:
    run(GOOD, folder)
    version = Person.roster_version()
    again = run(GOOD, folder)
    assert (again.added, again.changed, again.unchanged, again.portraits) == (0, 0, 3, 0)
    assert (Person.roster_version(), Portrait.objects.count(), PersonTemplate.objects.count()) == (version, 2, 2)


def test_changes_reach_only_those_concerned(folder: Path) -> None:
    run(GOOD, folder)
    before = dict(Person.objects.values_list("number", "version"))
    report = run(GOOD.replace("王测试", "王新名"), folder)
    assert (report.changed, report.unchanged) == (1, 2)
    after = dict(Person.objects.values_list("number", "version"))
    assert [number for number in after if after[number] != before[number]] == [C]


def test_an_old_list_takes_no_certification_back(folder: Path) -> None:
    run(GOOD, folder)
    Person.objects.filter(number=A).update(next_due=dt.date(2027, 10, 31))
    report = run(GOOD, folder)
    assert found(report) == [(2, "下次认证", Problem.DATE_EARLIER)]
    assert Person.objects.get(number=A).next_due == dt.date(2027, 10, 31)


def test_a_new_engine_gives_new_templates(folder: Path) -> None:
    run(GOOD, folder)
    report = run(GOOD, folder, lambda data: TemplateResult(FaceTemplate("other/1", (1.0,))))
    assert (report.changed, report.portraits) == (1, 0)
    assert set(PersonTemplate.objects.values_list("engine", flat=True)) == {"dlib/test", "other/1"}


def test_a_portrait_without_a_usable_face_is_named_and_kept(folder: Path) -> None:
    report = run(GOOD, folder, lambda _: TemplateResult(None, "no_face"))
    assert [(p.row, p.problem, p.detail) for p in report.problems] == [(2, Problem.PHOTO_UNUSABLE, "no_face")] * 2
    assert (report.added, report.portraits, PersonTemplate.objects.count()) == (3, 2, 0)


def test_without_a_face_room_portraits_come_without_templates(folder: Path) -> None:
    report = run(GOOD, folder, None)
    assert (report.portraits, report.problems, PersonTemplate.objects.count()) == (2, [], 0)


def test_portraits_are_scaled_and_lose_their_metadata(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "secret"
    Image.new("RGB", (1600, 1200)).save(folder / "a.jpg", exif=exif)
    run(GOOD, folder)
    stored = Image.open(io.BytesIO(bytes(Portrait.objects.order_by("pk")[0].jpeg)))
    assert stored.size == (600, 800)
    assert not stored.getexif()


def test_trying_writes_nothing(folder: Path) -> None:
    report = run(GOOD, folder, dry_run=True)
    assert (report.dry_run, report.added, report.portraits) == (True, 3, 2)
    assert not Person.objects.exists()
    assert not AuditEntry.objects.exists()
    assert Person.roster_version() == 0


def test_more_rows_than_one_transaction() -> None:
    from kiosk.domain.citizen_id import check_character

    firsts = [f"99990119500101{n:03}" for n in range(120)]
    numbers = [first + check_character(first) for first in firsts]
    assert run("number,name\n" + "".join(f"{number},x\n" for number in numbers)).added == 120


def test_reading_keeps_personal_data_out_of_repr() -> None:
    rows, _ = read(GOOD.encode())
    assert A not in repr(rows) and "张测试" not in repr(rows)


@pytest.mark.parametrize("heading", ["村（社区）", "村(社区)"])
def test_districts(heading: str) -> None:
    run(f"身份证号,姓名,{heading}\n{A},张测试,含湖村\n{B},李测试,\n")
    assert dict(Person.objects.values_list("number", "district")) == {A: "含湖村", B: ""}
    moved = run(f"身份证号,姓名,{heading}\n{A},张测试,金凤村\n{B},李测试,\n")
    one = Person.objects.get(number=A)
    assert (moved.changed, moved.unchanged, one.district, one.former_districts) == (1, 1, "金凤村", ["含湖村"])
    silent = run(f"身份证号,姓名\n{A},张测试\n")  # a list that says nothing of it takes nothing away
    assert (silent.unchanged, Person.objects.get(number=A).district) == (1, "金凤村")


def test_a_district_too_long() -> None:
    report = run(f"身份证号,姓名,村（社区）\n{A},张测试,{'村' * 81}\n")
    assert found(report) == [(2, "村（社区）", Problem.DISTRICT_WRONG)] and not Person.objects.exists()
