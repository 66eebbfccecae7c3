"""Settings, SQLite gate, keys and migrations."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from pydantic import ValidationError

from kiosk.office import bootstrap, keys
from kiosk.office.config import OfficeConfig


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 46, 1), False), ((3, 50, 4), False),
        ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 4), True),
    ],
)
def test_sqlite_gate(version: tuple[int, ...], good: bool) -> None:
    assert bootstrap.is_patched(version) is good


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysqlite3.sqlite_version_info", (3, 40, 1))
    with pytest.raises(RuntimeError, match="can lose data"):
        bootstrap.use_patched_sqlite()


def test_another_data_directory_in_the_same_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bootstrap.DATA_VARIABLE, str(settings.OFFICE.data))
    with pytest.raises(RuntimeError, match="another office"):
        bootstrap.configure(tmp_path)


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", "office", check=True, dry_run=True, verbosity=0)


def test_keys_show_no_secret(tmp_path: Path) -> None:
    assert keys.create_missing(tmp_path)
    assert not keys.create_missing(tmp_path)
    office = keys.load(tmp_path)
    assert (tmp_path / "signing.key").read_text().strip() not in repr(office)
    assert office.signing_id != office.sealing_id
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sealing.key", "secret.key", "signing.key"]


def test_https_makes_cookies_secure() -> None:
    assert OfficeConfig(url="https://office.example").https
    assert not OfficeConfig().https
    assert settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    assert (settings.LANGUAGE_CODE, settings.TIME_ZONE, settings.DEBUG) == ("zh-hans", "Asia/Shanghai", False)


def test_postgresql_by_url() -> None:
    database = OfficeConfig(db="postgresql://clerk:p%40ss@db.example:5433/office").database()
    assert {name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "office", "USER": "clerk", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": "5433",
    }


@pytest.mark.parametrize("wrong", [{"db": "mysql://x"}, {"url": "office.example"}, {"cycle_months": 0}, {"reasons": ()}])
def test_wrong_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OfficeConfig(**wrong)
