"""Publishing a content package: checked first, versions only rise, and what is handed out is what was signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from townhall import Line, Terminal, heartbeat

from kiosk.content.manifest import ContentError, Manifest
from kiosk.content.settings import SettingsRefused
from kiosk.office.content import publish
from kiosk.office.models import AuditEntry, Counter
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.pull import verify_unchanged
from kiosk.sync.wire.signing import Context

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published files of one test are nobody else's; the keys stay where they are."""
    import kiosk.office.content as module

    monkeypatch.setattr(module, "_home", lambda: tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "package"
    (folder / "notices").mkdir(parents=True)
    (folder / "notices" / "one.txt").write_bytes(b"notice")
    (folder / "settings.toml").write_text('[site]\nhelp_phone = "1"\n')
    yield folder


def put(folder: Path, **more: Any) -> Manifest:
    return publish(folder, "t", lambda _: (), **more)


def get(line: Line, target: str) -> tuple[Any, str]:
    headers = line.terminal.request_headers(target)
    return line.client.get(target, headers=headers), headers[http.NONCE]


def manifest(line: Line, after: int = 0) -> tuple[Any, str]:
    return get(line, http.pull_target(http.CONTENT_PATH, after))


def unchanged(line: Line, after: int) -> bool:
    answer, nonce = manifest(line, after)
    signature = answer.headers.get(http.PULL_SIGNATURE, "")
    return answer.status_code == 304 and verify_unchanged(nonce, signature, [signing_public(line.terminal.office_signing)])


def test_nothing_published(line: Line) -> None:
    assert unchanged(line, 0)


def test_what_is_published_is_handed_out(line: Line, folder: Path) -> None:
    made = put(folder)
    answer, _ = manifest(line)
    assert line.terminal.proves(Context.CONTENT, answer.content, answer.headers[http.CONTENT_SIGNATURE])
    assert Manifest.parse(answer.content) == made and made.version == 1
    for file in made.files:
        found, _ = get(line, http.content_file_path(file.sha256))
        assert found.content == (folder / file.path).read_bytes()
    assert unchanged(line, 1)
    assert manifest(line, 7)[0].status_code == 200  # who is ahead is told, and refuses by itself
    entry = AuditEntry.objects.get(action=AuditEntry.Action.CONTENT_PUBLISHED)
    assert (entry.subject, entry.detail) == ("1", {"files": 2, "min_app": "0"})


def test_the_next_one_is_higher_and_the_old_files_are_gone(line: Line, folder: Path) -> None:
    old = put(folder)
    (folder / "notices" / "one.txt").write_bytes(b"another")
    assert put(folder).version == 2
    gone = next(file.sha256 for file in old.files if file.path == "notices/one.txt")
    assert get(line, http.content_file_path(gone))[0].status_code == 404
    assert Manifest.parse(manifest(line, 1)[0].content).version == 2


def test_above_what_terminals_have(line: Line, folder: Path) -> None:
    line.beat(heartbeat(content_version=9))
    assert put(folder).version == 10
    assert put(folder).version == 11 and Counter.current("content") == 11


@pytest.mark.parametrize(("text", "faults"), [
    ('[store]\npath = "x"\n', ("line 2: store.path: cannot be set from the office",)), ("x", None),
])
def test_settings_that_are_not_allowed(line: Line, folder: Path, text: str, faults: tuple[str, ...] | None) -> None:
    (folder / "settings.toml").write_text(text)
    with pytest.raises(SettingsRefused) as caught:
        put(folder)
    assert faults is None or caught.value.faults == faults
    assert Counter.current("content") == 0 and unchanged(line, 0)


def test_values_that_terminals_would_not_take(folder: Path) -> None:
    with pytest.raises(SettingsRefused, match="too long"):
        publish(folder, "t", lambda _: ("site.help_phone: too long",))
    assert not AuditEntry.objects.exists()


def test_what_cannot_be_published_takes_no_version(line: Line, folder: Path) -> None:
    (folder / "通知").write_text("x")
    with pytest.raises(ContentError):
        put(folder)
    assert Counter.current("content") == 0 and unchanged(line, 0)


def test_files_lost_or_changed_on_the_offices_disk(line: Line, folder: Path, tmp_path: Path) -> None:
    made = put(folder)
    (tmp_path / "home" / "1" / "notices" / "one.txt").write_bytes(b"forged")
    address = http.content_file_path(next(file.sha256 for file in made.files if file.path == "notices/one.txt"))
    assert get(line, address)[0].status_code == 404
    (tmp_path / "home" / "1" / "manifest.json").unlink()
    answer, _ = manifest(line)
    assert (answer.status_code, http.CONTENT_SIGNATURE in answer.headers) == (503, False)


@pytest.mark.parametrize("address", ["0" * 64, "x", "..", "A" * 64])
def test_no_other_file_is_reached(line: Line, folder: Path, address: str) -> None:
    put(folder)
    assert get(line, http.content_file_path(address))[0].status_code == 404


def test_who_asks_must_be_known(line: Line, folder: Path) -> None:
    made = put(folder)
    for target in (http.pull_target(http.CONTENT_PATH, 0), http.content_file_path(made.files[0].sha256)):
        assert line.client.get(target).status_code == 400
        assert line.client.get(target, headers=Terminal().request_headers(target)).status_code == 403


def test_from_a_later_day_on(folder: Path) -> None:
    later = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    made = put(folder, not_before=later, min_app="0.2")
    assert (made.not_before, made.min_app) == (later, "0.2")
