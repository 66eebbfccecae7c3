"""The screen font as the set-up has built it, and what the builder says when it cannot."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from fontTools.ttLib import TTFont

from kiosk.config import REPOSITORY, UiConfig

FONTS = UiConfig().font_dir
WEIGHTS = ("Regular", "Bold")


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_font", REPOSITORY / "tools" / "build_font.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_the_debian_package_it_says_what_to_install(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(builder.FontBuildError, match="apt-get install fonts-noto-cjk"):
        builder.build(tmp_path / "out", sources=tmp_path / "nothing here")
    assert not (tmp_path / "out").exists()
    assert builder.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_manifest_names_the_files_by_their_hashes() -> None:
    manifest = json.loads((FONTS / "manifest.json").read_text(encoding="ascii"))
    assert set(manifest) == {f"KioskSansSC-{weight}.otf" for weight in WEIGHTS}
    assert all(hashlib.sha256((FONTS / name).read_bytes()).hexdigest() == digest for name, digest in manifest.items())


@pytest.mark.parametrize("weight", WEIGHTS)
def test_every_name_is_ours_and_the_licence_stays(weight: str) -> None:
    with TTFont(FONTS / f"KioskSansSC-{weight}.otf", lazy=True) as font:
        names = font["name"]
        shown = [names.getDebugName(number) for number in (1, 2, 4, 6, 16, 17)]
        cff = font["CFF "].cff
        inside = [cff.fontNames[0], cff.topDictIndex[0].FullName, cff.topDictIndex[0].FamilyName]
        others = {str(record) for record in names.names if record.nameID in (1, 3, 4, 6, 16)}
        assert shown == ["Kiosk Sans SC", weight, f"Kiosk Sans SC {weight}", f"KioskSansSC-{weight}", "Kiosk Sans SC", weight]
        assert inside == [f"KioskSansSC-{weight}", f"Kiosk Sans SC {weight}", "Kiosk Sans SC"]
        assert not [name for name in others if "Noto" in name]
        assert "Adobe" in names.getDebugName(0) and "Open Font License" in names.getDebugName(13)
    assert "SIL OPEN FONT LICENSE" in (FONTS / "LICENCE.txt").read_text(encoding="utf-8").upper()


@pytest.mark.parametrize("weight", WEIGHTS)
def test_all_of_gb2312_and_the_rare_names_are_there(weight: str) -> None:
    two_bytes = [bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    hanzi = "".join(pair.decode("gb2312", errors="ignore") for pair in two_bytes)
    with TTFont(FONTS / f"KioskSansSC-{weight}.otf", lazy=True) as font:
        present = font.getBestCmap()
    assert len(hanzi) == 6763
    assert not [character for character in hanzi + "𬭎㛃䶮𬱖𫖯𠅤" if ord(character) not in present]
