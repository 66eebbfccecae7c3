"""`kiosk print pdf` and `kiosk emulate a4` as a technician types them: real processes, a real cupsd, a real IPP printer."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from a4_bench import Bench, pdf, until

from kiosk.devices.emulated.a4 import QUEUE, A4Emulator


def kiosk(*words: object, status: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[A4Emulator]:
    with A4Emulator(tmp_path_factory.mktemp("sheets")) as emulator:
        yield emulator


@pytest.fixture
def where(emulator: A4Emulator) -> Iterator[list[str]]:
    """The options that lead to the emulated printer."""
    yield ["--server", emulator.spooler.server, "--printer", emulator.printer.uri, "--queue", QUEUE]
    emulator.printer.cure()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "document.pdf"
    file.write_bytes(pdf(2))
    return file


def test_what_the_printer_confirms_is_printed(emulator: A4Emulator, where: list[str], document: Path) -> None:
    assert kiosk("print", "pdf", document, *where, status=0).stdout == "printed: the printer confirms 2 pages\n"
    assert emulator.printer.documents[-1].read_bytes() == document.read_bytes()


def test_without_paper_nothing_is_sent(emulator: A4Emulator, where: list[str], document: Path) -> None:
    emulator.printer.order(paper_out=True)
    assert kiosk("print", "pdf", document, *where, status=1).stdout == "blocked paper_out: nothing was sent\n"


def test_what_takes_longer_than_the_patience_is_unknown(emulator: A4Emulator, where: list[str], document: Path) -> None:
    emulator.printer.order(page_s=600)
    done = kiosk("print", "pdf", document, *where, "--seconds", "1", status=1)
    assert done.stdout.startswith("unknown too_slow: the job was taken back")


def test_what_may_still_lie_at_the_printer_is_not_called_taken_back(
    emulator: A4Emulator, where: list[str], document: Path
) -> None:
    emulator.printer.order(page_s=600)
    command = [sys.executable, "-m", "kiosk", "print", "pdf", str(document), *where, "--seconds", "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as printing:
        until(lambda: len(Bench(emulator).open_jobs()) == 2)
        emulator.printer.freeze()
        assert printing.communicate(timeout=60)[0] == (
            "unknown not_taken_back: the job could not be taken back: switch the printer off before anything else is printed\n"
        )
    assert printing.returncode == 1


def test_what_is_no_pdf_is_refused(where: list[str], tmp_path: Path) -> None:
    file = tmp_path / "letter.pdf"
    file.write_text("a letter")
    assert "is not a PDF" in kiosk("print", "pdf", file, *where, status=1).stderr
    assert "cannot be read" in kiosk("print", "pdf", tmp_path / "none.pdf", *where, status=1).stderr


def test_wrong_addresses_are_explained(document: Path) -> None:
    assert "printer's own address" in kiosk("print", "pdf", document, status=1).stderr
    assert "a number, no name" in kiosk("print", "pdf", document, "--printer", "ipp://printer.local/", status=1).stderr


def test_an_emulated_printer_prints_its_configuration(tmp_path: Path, document: Path) -> None:
    command = [sys.executable, "-m", "kiosk", "emulate", "a4", "--sheets", str(tmp_path / "sheets"), "--fault", "toner_low"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        config = tmp_path / "kiosk.toml"
        config.write_text("".join(process.stdout.readline() for _ in range(5)))
        assert tomllib.loads(config.read_text())["a4"]["enabled"] is True
        kiosk("print", "pdf", document, "-c", config, status=0)
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.wait(20) == 0
    assert [file.name for file in sorted((tmp_path / "sheets").iterdir())] == ["sheet-0001.json", "sheet-0001.pdf"]


def test_faults_of_the_emulated_printer_are_named() -> None:
    assert "paper_out" in kiosk("emulate", "a4", "--fault", "list", status=0).stdout.split()
    assert "no fault is called fire" in kiosk("emulate", "a4", "--fault", "fire", status=1).stderr
