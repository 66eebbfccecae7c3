"""The catalogue loader: a fault in the file is named at start, a fault in the code at the call."""

from pathlib import Path

import pytest

from kiosk.texts import TextError, Texts, load_texts

GOOD = """
[card.prompt]
text = "请放身份证"
voice = true

[idle.countdown]
text = "{seconds}秒后退出"
slip = "退出：{seconds}"
voice = "快要退出了，长时间没有操作。"
pinyin = { "长" = "chang2" }

[staff.printer.paper_out]
text = "缺纸"
"""


@pytest.fixture
def good(tmp_path: Path) -> Texts:
    path = tmp_path / "texts.toml"
    path.write_text(GOOD, encoding="utf-8")
    return load_texts(path)


def test_forms_of_a_sentence(good: Texts) -> None:
    assert good.text("card.prompt") == good.spoken("card.prompt") == good.slip("card.prompt") == "请放身份证"
    assert good.text("idle.countdown", seconds=9) == "9秒后退出"
    assert good.slip("idle.countdown", seconds=9) == "退出：9"
    assert good.text("staff.printer.paper_out") == "缺纸" and good.spoken("staff.printer.paper_out") == ""
    assert "card.prompt" in good and "card" not in good


def test_unknown_ids_and_wrong_values_are_refused(good: Texts) -> None:
    with pytest.raises(TextError, match=r"card\.nothing"):
        good.text("card.nothing")
    with pytest.raises(TextError, match=r"card\.nothing"):
        good.spoken("card.nothing")
    wrong_values: list[tuple[str, dict[str, str]]] = [
        ("idle.countdown", {}), ("idle.countdown", {"seconds": "1", "more": "2"}), ("card.prompt", {"a": "b"}),
    ]
    for text_id, values in wrong_values:
        with pytest.raises(TextError, match="needs the values"):
            good.text(text_id, **values)
    with pytest.raises(TextError, match=r"a\.b, c\.d"):
        good.require(["card.prompt", "c.d", "a.b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[a.b]\ntext = ''", r"a\.b: has no text"),
        ("[a.b]\nvoice = 'x'", r"a\.b: has no text"),
        ("[a.b]\ntext = 'x'\ntekst = 'y'", r"a\.b: has unknown fields tekst"),
        ("[a.b]\ntext = '{n}'\nvoice = true", r"a\.b: a spoken sentence"),
        ("[a.b]\ntext = '{n}'\nslip = 'x'", r"a\.b: text and slip need the same"),
        ("[a.b]\ntext = '{n:3}'", r"a\.b: a placeholder is a plain name"),
        ("[a.b]\ntext = '{}'", r"a\.b: a placeholder is a plain name"),
        ("[a.b]\ntext = '{'", r"a\.b: "),
        ("[a.b]\ntext = 3", r"a\.b: text and slip are strings"),
        ("[a.b]\ntext = 'x'\nvoice = true\npinyin = { y = 'y1' }", r"a\.b: pinyin names y"),
        ("[a.b]\ntext = 'x'\npinyin = 'y1'", r"a\.b: pinyin is a table"),
        ("a = 'x'", "a: a sentence stands in its own table"),
        ("[a.b]\ntext = 'x'\n[a.b]", "is not valid TOML"),
    ],
)
def test_a_fault_in_the_file_names_file_and_id(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "texts.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TextError, match=message) as caught:
        load_texts(path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="cannot be read"):
        load_texts(tmp_path / "absent.toml")
    (tmp_path / "gbk.toml").write_bytes("[a.b]\ntext = '你'".encode("gbk"))
    with pytest.raises(TextError, match="not UTF-8"):
        load_texts(tmp_path / "gbk.toml")
