"""The shipped catalogue: complete, nothing unused, nothing that must not be said, every glyph in the font."""

import ast
import re
from pathlib import Path

import pytest
from PySide6.QtGui import QRawFont
from PySide6.QtWidgets import QApplication

from kiosk.config import REPOSITORY
from kiosk.domain.coaching import Coach
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.texts import Texts
from kiosk.ui.fonts import screen_font
from kiosk.ui.screens.consent import _NOTICE as NOTICE
from kiosk.ui.text_ids import made_ids

_ID = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")


def _literals(folder: Path) -> set[str]:
    """Every whole string in the code; the pieces of f-strings are none."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))
    nodes = [node for tree in trees for node in ast.walk(tree)]
    pieces = {piece for node in nodes if isinstance(node, ast.JoinedStr) for piece in node.values}
    strings = (node.value for node in nodes if isinstance(node, ast.Constant) and node not in pieces)
    return {each for each in strings if isinstance(each, str)}


KIOSK = REPOSITORY / "kiosk"
MADE = made_ids() | {f"consent.{name}{end}" for name in NOTICE for end in ("", "_text")} | {
    "due.confirmed", "due.estimated",
    "result.review",  # named by View.trouble
}


def test_every_id_in_the_code_has_a_sentence(texts: Texts) -> None:
    rooms = {text_id.split(".")[0] for text_id in texts.sentences}
    wanted = {
        each
        for room in ("ui", "flow")
        for each in _literals(KIOSK / room)
        if _ID.fullmatch(each) and each.split(".")[0] in rooms
    }
    assert wanted and not wanted - texts.sentences.keys()
    texts.require(MADE)


def test_every_sentence_is_used(texts: Texts) -> None:
    """A cause for staff is used when a device knows its code."""
    literals = _literals(KIOSK)
    unused = {
        text_id
        for text_id in texts.sentences.keys() - MADE - literals
        if not (text_id.startswith("staff.") and text_id.split(".")[-1] in literals) and not text_id.startswith("slip.")
    }
    assert not unused


def test_everything_the_conversation_says_is_spoken(texts: Texts) -> None:
    said: set[str] = {
        node.args[0].value
        for path in (KIOSK / "flow").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Say") and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }
    said |= {f"coach.{each.value}" for each in Coach if each is not Coach.WORKING}
    said |= {f"trouble.{each.value}" for each in (*CardTrouble, *FaceTrouble, *HandInTrouble)}
    said |= {f"slip_state.{each.value}" for each in PrintOutcome}
    said |= {"trouble.not_matched", "trouble.no_picture", "ended.cancelled", "ended.timeout"}
    said |= {"result.received", "result.submitted"}
    said |= {"enrol_again.no_action"}
    assert len(said) > 30 and not {text_id for text_id in said if not texts.spoken(text_id)}


_SUCCESS = ("认证成功", "完成认证", "已认证")
_BLAME = ("不是本人", "异常", "冒名", "不合格", "没有资格", "失败", "错误", "非法", "可疑")


@pytest.mark.parametrize(
    ("prefix", "forbidden"),
    [
        ("result.received", (*_SUCCESS, "通过", *_BLAME)),
        ("result.review", (*_SUCCESS, "通过", *_BLAME)),
        ("result.submitted", (*_SUCCESS, *_BLAME)),
        ("due.estimated", _SUCCESS),
        ("slip_state.", _SUCCESS),
        ("trouble.", (*_SUCCESS, "通过", *_BLAME)),
        ("try_again.", _BLAME),
        ("ask_review.", (*_SUCCESS, *_BLAME)),
        ("coach.", _BLAME),
        ("card.", _BLAME),
        ("greeting.", (*_BLAME, "暂停", "停发")),
        ("declined.", _BLAME),
        ("sorry.", _BLAME),
        ("ended.", (*_SUCCESS, *_BLAME)),
        ("enrol_", (*_SUCCESS, *_BLAME)),
        ("staff_pin.", _BLAME),
    ],
)
def test_forbidden_words(prefix: str, forbidden: tuple[str, ...], texts: Texts) -> None:
    chosen = {text_id: one for text_id, one in texts.sentences.items() if text_id.startswith(prefix)}
    assert chosen
    for text_id, sentence in chosen.items():
        said = sentence.text + sentence.voice + sentence.slip
        assert not [word for word in forbidden if word in said], text_id


def test_what_the_machine_works_out_itself_is_only_expected(texts: Texts) -> None:
    assert "预计" in texts.text("due.estimated", date="") and "以社保机构为准" in texts.text("due.estimated", date="")


def test_offline_word(texts: Texts) -> None:
    assert texts.text("result.received") == "已受理，待审核"


def test_name_and_number_are_never_spoken(texts: Texts) -> None:
    assert not [text_id for text_id, one in texts.sentences.items() if re.search(r"[0-9{}]", one.voice)]


def test_every_character_is_in_the_screen_font(app: QApplication, texts: Texts) -> None:
    font = QRawFont.fromFont(screen_font())
    characters = set("".join(one.text + one.slip for one in texts.sentences.values())) - {"\n"}
    assert not [each for each in sorted(characters) if not font.supportsCharacter(ord(each))]


def test_no_chinese_in_the_code_of_the_screens() -> None:
    """Words stand in the catalogue. Docstrings may name things; what the sample slips hold is invented data."""
    for path in set((KIOSK / "ui").rglob("*.py")) - {KIOSK / "ui" / "sample.py", KIOSK / "ui" / "trial_slip.py"}:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        comments = {node.value for node in nodes if isinstance(node, ast.Expr)}
        strings = [node.value for node in nodes if isinstance(node, ast.Constant) and node not in comments]
        assert not [each for each in strings if isinstance(each, str) and re.search(r"[\u4e00-\u9fff]", each)], path
