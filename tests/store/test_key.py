"""Where the key comes from, and that production never makes one up."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.config import CameraConfig, KioskConfig, Mode, StoreConfig
from kiosk.store.key import CREDENTIAL, DatabaseKey, development_key, load_key
from kiosk.store.unusable import StoreUnusable

HEX = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def config(folder: Path, mode: Mode = Mode.PRODUCTION, key_file: Path | None = None) -> KioskConfig:
    return KioskConfig(
        mode=mode, camera=CameraConfig(source="/dev/kiosk/camera"), store=StoreConfig(path=folder / "t.db", key_file=key_file),
    )


def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "k").write_text(HEX + "\n")
    assert load_key(config(tmp_path, key_file=tmp_path / "k")).hex == HEX


def test_from_a_systemd_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / CREDENTIAL).write_text(HEX)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load_key(config(tmp_path)).hex == HEX


@pytest.mark.skipif(shutil.which("systemd-creds") is None, reason="no systemd-creds here")
def test_from_a_credential_that_systemd_itself_has_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `LoadCredentialEncrypted=` does at the start of the unit, by the same tool, with a host key of the test's own."""
    environment = os.environ | {"SYSTEMD_CREDENTIAL_SECRET": str(tmp_path / "host.secret")}

    def creds(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["systemd-creds", *words], env=environment, capture_output=True, check=False, timeout=30)

    plain, sealed, unit = tmp_path / "plain", tmp_path / "kiosk-db-key.cred", tmp_path / "unit"
    unit.mkdir()
    plain.write_text(HEX + "\n")
    if creds("setup").returncode:
        pytest.skip("systemd-creds can make no host key here")
    assert creds("encrypt", "--with-key=host", f"--name={CREDENTIAL}", str(plain), str(sealed)).returncode == 0
    assert HEX.encode() not in sealed.read_bytes()
    assert creds("decrypt", "--name=other", str(sealed), str(unit / CREDENTIAL)).returncode != 0, "it knows its name"
    assert creds("decrypt", f"--name={CREDENTIAL}", str(sealed), str(unit / CREDENTIAL)).returncode == 0
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(unit))
    assert load_key(config(tmp_path)).hex == HEX
    damaged = sealed.read_bytes()
    sealed.write_bytes(damaged[:60] + bytes([damaged[60] ^ 1]) + damaged[61:])
    assert creds("decrypt", f"--name={CREDENTIAL}", str(sealed), str(unit / "again")).returncode != 0


def test_production_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="no_key"):
        load_key(config(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("content", "reason"), [(None, "no_key"), ("", "bad_key"), (HEX[:-1], "bad_key"), ("ü" * 64, "bad_key")])
def test_an_unusable_file_is_named_without_its_content(tmp_path: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "k").write_text(content, encoding="utf-8")
    with pytest.raises(StoreUnusable) as failure:
        load_key(config(tmp_path, Mode.DEMO, tmp_path / "k"))
    assert failure.value.reason == reason
    assert str(tmp_path / "k") in str(failure.value)
    assert HEX[:-1] not in str(failure.value)


def test_demo_makes_a_key_loudly_and_keeps_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        first = load_key(config(tmp_path, Mode.DEMO))
    assert "DEMO" in caplog.text
    assert first.hex not in caplog.text
    assert load_key(config(tmp_path, Mode.DEMO)) == first
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_processes_starting_together_get_the_same_development_key(tmp_path: Path) -> None:
    def child() -> int:
        pid = os.fork()
        if pid == 0:
            (tmp_path / f"got{os.getpid()}").write_text(development_key(tmp_path / "t.db").hex)
            os._exit(0)
        return pid

    for pid in [child() for _ in range(6)]:
        assert os.waitpid(pid, 0)[1] == 0
    assert len({path.read_text() for path in tmp_path.glob("got*")}) == 1


def test_a_key_does_not_show() -> None:
    assert HEX not in repr(DatabaseKey(HEX))
