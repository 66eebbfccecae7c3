"""`kiosk sync export | import`, `kiosk office …-bundle`, `publish-content`: what they say when something is amiss."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk.cli import app


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "kiosk.toml"
    path.write_text(f'mode = "demo"\n[store]\npath = "{tmp_path / "terminal.db"}"\n')
    return str(path)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_before_enrolment(config: str, tmp_path: Path) -> None:
    assert run("sync", "export", str(tmp_path), "-c", config) == (1, "not exported: this terminal is not enrolled\n")
    status, said = run("sync", "import", str(tmp_path / "x"), "-c", config)
    assert (status, said) == (1, "not imported: this terminal is not enrolled\n")


@pytest.mark.parametrize("words", [
    ("office", "import-bundle", "{}/none"), ("office", "export-bundle", "{}/x", "--terminal", "HG01"),
    ("office", "publish-content", "{}"),
])
def test_without_an_office(words: tuple[str, ...], tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "kiosk", *(word.format(tmp_path) for word in words), "--data", str(tmp_path / "office")],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 1 and "no office in" in done.stderr and "Traceback" not in done.stderr
