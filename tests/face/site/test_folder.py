"""What lies in the volunteers' folder, in every order and disorder."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.face.site.folder import FolderTrouble, Traits, Volunteers, read_folder


def fill(folder: Path, *pictures: str) -> Path:
    for name in pictures:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")
    return folder


def read(folder: Path) -> Volunteers:
    found = read_folder(folder)
    assert isinstance(found, Volunteers), found
    return found


def test_one_folder_per_person(tmp_path: Path) -> None:
    pictures = ("S002/b.PNG", "S002/a.jpg", "S001/x.jpeg")
    found = read(fill(tmp_path, *pictures, "S001/notes.txt", "S001/.hidden.jpg", ".git/a.jpg", "a.jpg"))
    assert [one.pseudonym for one in found.subjects] == ["S001", "S002"] and not found.apart and not found.rendered
    assert [path.name for path in found.pictures] == ["x.jpeg", "a.jpg", "b.PNG"]


def test_visits_are_kept_apart_and_in_order(tmp_path: Path) -> None:
    found = read(fill(
        tmp_path, "S001/enrol/a.png", "S001/probe/s3/c.png", "S001/probe/s2/b.png", "S001/chip/k.png", "S001/old.png",
        "S002/enrol/a.png", "S002/probe/b.png", "S003/enrol/a.png", "RENDERED",
    ))
    first, second, third = found.subjects
    assert [[path.name for path in visit] for visit in first.visits] == [["b.png"], ["c.png"]]
    assert [path.name for path in first.enrol] == ["a.png"] and [path.name for path in first.chip] == ["k.png"]
    assert len(second.visits) == 1 and third.visits == () and found.apart and found.rendered, "who did not come back stays"


@pytest.mark.parametrize(("pictures", "trouble"), [
    ((), FolderTrouble.NO_PEOPLE),
    (("a.jpg", "S001/notes.txt"), FolderTrouble.NO_PEOPLE),
    (("S001/a.jpg", "S002/notes.txt"), FolderTrouble.ONE_PERSON),
    (("S001/a.jpg", "S002/enrol/a.jpg", "S002/probe/a.jpg"), FolderTrouble.MIXED),
    (("S001/enrol/a.jpg", "S002/enrol/a.jpg"), FolderTrouble.NO_VISITS),
    (("999901194001011234/a.jpg", "S002/a.jpg"), FolderTrouble.CITIZEN_NUMBER),
    (("99990119400101123X/a.jpg", "S002/a.jpg"), FolderTrouble.CITIZEN_NUMBER),
])
def test_what_cannot_be_used(tmp_path: Path, pictures: tuple[str, ...], trouble: FolderTrouble) -> None:
    assert read_folder(fill(tmp_path, *pictures)) is trouble


def test_no_folder(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "none") is FolderTrouble.NOT_A_FOLDER
    (tmp_path / "file").touch()
    assert read_folder(tmp_path / "file") is FolderTrouble.NOT_A_FOLDER


def test_traits(tmp_path: Path) -> None:
    fill(tmp_path, "S001/a.jpg", "S002/a.jpg")
    (tmp_path / "subjects.csv").write_text("subject,age_band,sex,relation_group\nS001, 80+ ,女,g1\nS009,60-69,男,\n", "utf-8-sig")
    first, second = read(tmp_path).subjects
    assert first.traits == Traits("80+", "女", "", "g1") and first.traits.age_from == 80
    assert second.traits == Traits() and second.traits.age_from is None


@pytest.mark.parametrize("text", [
    b"", b"name,sex\nS001,f\n", b"age_band,subject\n70,S001\n", b"subject,number\nS001,1\n",
    "subject,sex\nS001,男\n".encode("gbk"),
])
def test_traits_that_cannot_be_read(tmp_path: Path, text: bytes) -> None:
    fill(tmp_path, "S001/a.jpg", "S002/a.jpg")
    (tmp_path / "subjects.csv").write_bytes(text)
    assert read_folder(tmp_path) is FolderTrouble.SUBJECTS_UNREADABLE
