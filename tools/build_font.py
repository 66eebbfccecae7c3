"""Builds the screen and slip font: `build_font.py OUT_DIR` makes "Kiosk Sans SC" from Debian's Noto Sans CJK.

The same source package and fontTools version give the same bytes on every machine; manifest.json holds their hashes.
Facts behind the recipe: SIL Open Font License 1.1 (renaming, licence kept), OpenType `name` and `CFF ` tables.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

SOURCES = Path("/usr/share/fonts/opentype/noto")
LICENCE = Path("/usr/share/doc/fonts-noto-cjk/copyright")
FACE = "Sans CJK SC"  # inside the collection the faces of all languages lie side by side; the index is no promise
FAMILY = "Kiosk Sans SC"
WEIGHTS = ("Regular", "Bold")


class FontBuildError(Exception):
    """The font cannot be built; the message says what to do."""


def build(out: Path, sources: Path = SOURCES, licence: Path = LICENCE) -> dict[str, str]:
    """Writes both weights, the licence and manifest.json into `out`; returns file name → SHA-256.

    Raises FontBuildError when the Debian package is not there or holds other fonts than expected.
    """
    paths = [sources / f"NotoSansCJK-{weight}.ttc" for weight in WEIGHTS]
    missing = [str(path) for path in (*paths, licence) if not path.is_file()]
    if missing:
        raise FontBuildError(f"missing: {', '.join(missing)}. Install the Debian package: apt-get install fonts-noto-cjk")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(licence, out / "LICENCE.txt")
    targets = [out / f"KioskSansSC-{weight}.otf" for weight in WEIGHTS]
    with ProcessPoolExecutor() as pool:  # about a minute and a half each
        list(pool.map(_build_weight, paths, WEIGHTS, targets))
    hashes = {target.name: hashlib.sha256(target.read_bytes()).hexdigest() for target in targets}
    (out / "manifest.json").write_text(json.dumps(hashes, indent=2, sort_keys=True) + "\n", encoding="ascii")
    return hashes


def _build_weight(source: Path, weight: str, target: Path) -> None:
    # Without recalcTimestamp=False every build would carry its own head.modified and differ.
    with TTCollection(str(source), lazy=True, recalcTimestamp=False) as collection:
        font = _face(collection, source)
        _keep_all_characters(font)
        _rename(font, weight)
        font.save(str(target))


def _face(collection: TTCollection, source: Path) -> TTFont:
    for font in collection.fonts:
        if FACE in (font["name"].getDebugName(4) or ""):
            return font
    raise FontBuildError(f"{source} holds no face named “{FACE}”: the package fonts-noto-cjk is another one than Debian 12's")


def _keep_all_characters(font: TTFont) -> None:
    """Drops the glyphs of the other languages only: names need every character there is."""
    options = Options()
    options.layout_features = ["*"]
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.notdef_outline = True
    options.hinting = False
    options.recalc_timestamp = False
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=sorted(font.getBestCmap()))
    subsetter.subset(font)


def _rename(font: TTFont, weight: str) -> None:
    """New names everywhere; copyright (0), version (5) and licence (13, 14) stay as they are."""
    full, postscript = f"{FAMILY} {weight}", f"{FAMILY.replace(' ', '')}-{weight}"
    names = {1: FAMILY, 2: weight, 3: postscript, 4: full, 6: postscript, 16: FAMILY, 17: weight}
    table = font["name"]
    for record in list(table.names):
        if record.nameID in names:
            table.setName(names[record.nameID], record.nameID, record.platformID, record.platEncID, record.langID)
    for number, name in names.items():
        table.setName(name, number, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    cff.topDictIndex[0].FullName = full
    cff.topDictIndex[0].FamilyName = FAMILY


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: build_font.py OUT_DIR", file=sys.stderr)
        return 2
    try:
        hashes = build(Path(arguments[0]))
    except FontBuildError as error:
        print(f"build_font: {error}", file=sys.stderr)
        return 1
    for name, digest in hashes.items():
        print(f"{digest}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
