"""The content package on the terminal: whole or not at all, only forward, the last good one kept, never too old to use."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_stub import OfficeStub
from PySide6.QtWidgets import QAbstractButton, QApplication
from sqlalchemy import Engine

from kiosk.config import ConfigError, KioskConfig, Mode, RetentionConfig, StoreConfig, SyncConfig, UiConfig
from kiosk.config.content import with_content
from kiosk.content.manifest import ContentError, ContentFile, Manifest, is_new_enough
from kiosk.content.package import built_in, describe
from kiosk.content.settings import ALLOWED, SettingsRefused, parse
from kiosk.domain.period import PeriodBasis
from kiosk.sync.asking import PullResult
from kiosk.sync.content import Content, in_use, pull_content, with_office_settings
from kiosk.sync.heartbeat import compose
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.status import read_status
from kiosk.sync.wire import http
from kiosk.terminal.app import Terminal
from kiosk.texts import load_texts

NOW = dt.datetime(2026, 11, 25, 3, 0, tzinfo=dt.UTC)
FILES = {"settings.toml": b'[site]\nhelp_phone = "023-1"\n', "notices/one.txt": b"notice", "big.bin": bytes(100_000)}
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(database: Path) -> KioskConfig:
    return KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, free_floor_mb=0), sync=SyncConfig())


@pytest.fixture
def content(engine: Engine, config: KioskConfig, identity: Identity) -> Content:
    return Content(engine, config, identity)


@pytest.fixture
def link(identity: Identity) -> Iterator[OfficeLink]:
    with OfficeLink(identity.office_url, 1.0, 2.0) as link:
        yield link


@pytest.fixture
def home(database: Path) -> Path:
    return database.parent / "content"


Publish = Callable[..., Manifest]


@pytest.fixture
def publish(office: OfficeStub, tmp_path: Path) -> Publish:
    """What the office offers from here on."""
    def publish(version: int, files: dict[str, bytes] = FILES, not_before: dt.datetime = NOW, min_app: str = "0") -> Manifest:
        folder = tmp_path / f"published-{version}-{len(list(tmp_path.iterdir()))}"
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        manifest = describe(folder, version, NOW.date(), not_before, min_app)
        office.manifest = (version, manifest.to_json())
        office.files = {
            http.content_file_path(file.sha256): (folder / file.path).read_bytes() for file in manifest.files
        }
        return manifest

    return publish


@pytest.fixture
def pull(link: OfficeLink, content: Content, identity: Identity) -> Callable[..., PullResult]:
    return lambda at=NOW: pull_content(link, content, identity, at)


def in_hand(content: Content) -> int | None:
    package = content.current()
    return None if package is None else package.manifest.version


# ------------------------------------------------------------------------------- fetching


def test_a_package_comes_whole(
    publish: Publish, pull: Callable[..., PullResult], content: Content, engine: Engine, config: KioskConfig, home: Path,
    identity: Identity, office: OfficeStub,
) -> None:
    publish(1)
    assert in_use(engine).version == 0 and content.current() is None
    assert pull() == PullResult(True, None)
    package = content.current()
    assert package is not None and {name: package.read(name) for name in FILES} == FILES
    told = read_status(engine, NOW)
    assert (told.content_version, told.content_date) == (1, "2026-11-25")
    assert compose(engine, identity, config, lambda: NOW).content_version == 1
    assert sorted(one.name for one in home.iterdir()) == [".lock", "v1"]
    asked = len(office.pulled)
    assert pull() == PullResult(True, None)
    assert office.pulled[asked:] == [http.pull_target(http.CONTENT_PATH, 1)]


def test_what_was_fetched_is_not_fetched_again(
    publish: Publish, pull: Callable[..., PullResult], content: Content, office: OfficeStub,
) -> None:
    manifest = publish(1)
    lost = http.content_file_path(manifest.files[-1].sha256)
    kept = office.files.pop(lost)
    office.pull_fates[lost] = "broken"
    assert pull() == PullResult(True, "http_500")
    assert in_hand(content) is None
    office.files[lost], office.pulled[:] = kept, []
    del office.pull_fates[lost]
    assert pull() == PullResult(True, None) and in_hand(content) == 1
    assert office.pulled == [http.pull_target(http.CONTENT_PATH, 0), lost]


def test_a_file_that_did_not_change_is_not_fetched_again(
    publish: Publish, pull: Callable[..., PullResult], content: Content, office: OfficeStub, home: Path,
) -> None:
    publish(1)
    pull()
    changed = publish(2, FILES | {"notices/one.txt": b"another"})
    office.pulled.clear()
    assert pull() == PullResult(True, None) and in_hand(content) == 2
    assert office.pulled[1:] == [http.content_file_path(next(f.sha256 for f in changed.files if f.path == "notices/one.txt"))]
    publish(3)
    pull()
    assert sorted(one.name for one in home.iterdir()) == [".lock", "v2", "v3"]


def test_other_bytes_under_a_digest(
    publish: Publish, pull: Callable[..., PullResult], content: Content, office: OfficeStub,
) -> None:
    publish(1)
    pull()
    publish(2, FILES | {"notices/one.txt": b"another"})
    good = dict(office.files)
    office.files = {path: b"x" * len(data) for path, data in good.items()}
    assert pull() == PullResult(True, "wrong_bytes") and in_hand(content) == 1
    office.files = good
    assert pull() == PullResult(True, None) and in_hand(content) == 2


def test_a_lower_version_is_refused_and_a_roll_back_is_a_higher_one(
    publish: Publish, pull: Callable[..., PullResult], content: Content,
) -> None:
    publish(5)
    pull()
    publish(4, {"a": b"older"})
    assert pull() == PullResult(True, "older_content") and in_hand(content) == 5
    publish(6, {"a": b"older"})
    assert pull() == PullResult(True, None) and in_hand(content) == 6


def test_its_day_has_not_come(publish: Publish, pull: Callable[..., PullResult], content: Content, office: OfficeStub) -> None:
    publish(1)
    pull()
    publish(2, not_before=NOW + dt.timedelta(days=2))
    assert pull() == PullResult(True, None) and in_hand(content) == 1
    office.pull_fates[http.CONTENT_PATH] = "broken"  # by then nobody answers
    assert pull(NOW + dt.timedelta(days=2)) == PullResult(False, "http_500") and in_hand(content) == 2


def test_years_old_and_still_used(
    publish: Publish, pull: Callable[..., PullResult], content: Content, engine: Engine, config: KioskConfig,
) -> None:
    publish(1)
    pull()
    assert pull(NOW + dt.timedelta(days=4000)) == PullResult(True, None) and in_hand(content) == 1
    assert with_office_settings(engine, config).site.help_phone == "023-1"


def test_newer_software_is_asked_for(publish: Publish, pull: Callable[..., PullResult], content: Content) -> None:
    publish(1, min_app="99.0")
    assert pull() == PullResult(True, "app_too_old") and in_hand(content) is None


@pytest.mark.parametrize(("fate", "trouble"), [
    ("portal", "not_the_office"), ("unsigned_304", "http_304"), ("broken", "http_500"),
])
def test_what_is_not_from_the_office(
    fate: str, trouble: str, publish: Publish, pull: Callable[..., PullResult], content: Content, office: OfficeStub, home: Path,
) -> None:
    publish(1)
    office.pull_fates[http.CONTENT_PATH] = fate
    assert pull() == PullResult(False, trouble)
    assert content.current() is None and not home.exists()


def test_a_manifest_of_an_unknown_form(pull: Callable[..., PullResult], office: OfficeStub, home: Path) -> None:
    office.manifest = (1, b'{"version": 1}')
    assert pull() == PullResult(True, "unknown_form") and not home.exists()


def test_no_room(engine: Engine, identity: Identity, link: OfficeLink, publish: Publish, database: Path) -> None:
    floor = StoreConfig(path=database, free_floor_mb=10**9)
    tight = Content(engine, KioskConfig(mode=Mode.DEMO, store=floor), identity)
    publish(1)
    assert pull_content(link, tight, identity, NOW) == PullResult(True, "disk_low")


# ------------------------------------------------------------------------------- damage on the disk


def test_damaged_the_one_before_is_used_until_it_is_fetched_again(
    publish: Publish, pull: Callable[..., PullResult], content: Content, home: Path, office: OfficeStub,
) -> None:
    publish(1)
    pull()
    publish(2, FILES | {"notices/one.txt": b"another"})
    pull()
    (home / "v2" / "big.bin").write_bytes(b"")
    assert in_hand(content) == 1
    office.pulled.clear()
    assert pull() == PullResult(True, None) and in_hand(content) == 2
    assert office.pulled[0] == http.pull_target(http.CONTENT_PATH, 1)


def test_a_damaged_one_does_not_open_the_way_back(
    publish: Publish, pull: Callable[..., PullResult], content: Content, home: Path,
) -> None:
    publish(5)
    pull()
    (home / "v5" / "big.bin").unlink()
    publish(4)
    assert pull() == PullResult(True, "older_content")


@pytest.mark.parametrize("victim", ["manifest.json", "manifest.sig"])
def test_what_somebody_put_there_is_not_believed(
    victim: str, publish: Publish, pull: Callable[..., PullResult], content: Content, home: Path, engine: Engine,
    config: KioskConfig,
) -> None:
    publish(1)
    pull()
    path = home / "v1" / victim
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    assert content.current() is None
    assert with_office_settings(engine, config) == config


def test_cut_before_the_rename_nothing_is_in_use(
    publish: Publish, pull: Callable[..., PullResult], content: Content, monkeypatch: pytest.MonkeyPatch, home: Path,
) -> None:
    publish(1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(5, "power")))
        assert pull() == PullResult(True, "os_5")
    assert content.current() is None and not (home / "v1").exists()
    assert pull() == PullResult(True, None) and in_hand(content) == 1


def test_cut_between_rename_and_switch(
    publish: Publish, pull: Callable[..., PullResult], content: Content, monkeypatch: pytest.MonkeyPatch, engine: Engine,
) -> None:
    publish(1)
    with monkeypatch.context() as patch:
        patch.setattr(Content, "switch", lambda *_: False)
        pull()
    assert content.current() is None and in_use(engine).version == 0
    assert pull() == PullResult(True, None) and in_hand(content) == 1


def test_a_half_fetched_package_of_other_files(
    publish: Publish, pull: Callable[..., PullResult], content: Content, home: Path,
) -> None:
    (home / "incoming-1").mkdir(parents=True)
    (home / "incoming-1" / "notices").write_bytes(b"a file where a folder must be")
    publish(1)
    assert pull() == PullResult(True, None) and in_hand(content) == 1


def test_two_that_fetch(publish: Publish, pull: Callable[..., PullResult], content: Content) -> None:
    publish(1)
    with content._alone() as alone:
        assert alone and pull() == PullResult(True, "busy")
    assert pull() == PullResult(True, None)


# ------------------------------------------------------------------------------- settings


def test_settings_hold_from_the_next_start(
    publish: Publish, pull: Callable[..., PullResult], engine: Engine, config: KioskConfig,
) -> None:
    text = b'[certification]\nbasis = "calendar_year"\ndue_soon_days = 30\n[ui]\nidle_s = 90\n[site]\nother_phones = ["1"]\n'
    publish(1, {"settings.toml": text})
    assert pull() == PullResult(True, None)
    now = with_office_settings(engine, config)
    assert (now.certification.basis, now.certification.due_soon_days) == (PeriodBasis("calendar_year"), 30)
    assert (now.ui.idle_s, now.site.other_phones, now.site.name) == (90.0, ("1",), config.site.name)
    assert now.store == config.store


@pytest.mark.parametrize(("own", "told", "holds"), [(12.0, 48.0, 48.0), (96.0, 48.0, 96.0)])
def test_nothing_is_erased_sooner_by_the_offices_word(own: float, told: float, holds: float) -> None:
    config = KioskConfig(mode=Mode.DEMO, retention=RetentionConfig(sealed_h=own))
    assert with_content(config, {"retention": {"sealed_h": told}}).retention.sealed_h == holds


@pytest.mark.parametrize("text", [
    '[store]\npath = "/tmp/x"\n', '[certification]\ncycle_months = 0\n', '[ui]\ncountdown_s = 5\n', "not toml",
])
def test_a_package_with_settings_that_cannot_be_is_not_taken(
    text: str, publish: Publish, pull: Callable[..., PullResult], content: Content,
) -> None:
    publish(1)
    pull()
    publish(2, {"settings.toml": text.encode()})
    assert pull() == PullResult(True, "settings_refused") and in_hand(content) == 1


def test_refused_with_their_lines() -> None:
    text = '# a\n[ui]\nidle_s = 60\nfullscreen = false\n\n[site]\nname = "x"\nhelp_phone = 7\n[certification]\nbasis = true\n'
    with pytest.raises(SettingsRefused) as caught:
        parse(text.encode())
    assert caught.value.faults == (
        "line 4: ui.fullscreen: cannot be set from the office", "line 7: site.name: cannot be set from the office",
        "line 8: site.help_phone: is of another kind", "line 10: certification.basis: is of another kind",
    )


@pytest.mark.parametrize(("text", "fault"), [
    ("x = 1", "line 1: x: stands in no section"),
    ("[certification]\ncycle_months = true", "line 2: certification.cycle_months: is of another kind"),
    ("[certification]\ncount_current_month = 1", "line 2: certification.count_current_month: is of another kind"),
    ("[site]\nother_phones = [1]", "line 2: site.other_phones: is of another kind"),
    ("[face.liveness]\nfree_asked = 1", "line 1: face.liveness: cannot be set from the office"),
    ("[retention]\nfaces_at_safe = true", "line 2: retention.faces_at_safe: cannot be set from the office"),
])
def test_refused(text: str, fault: str) -> None:
    with pytest.raises(SettingsRefused) as caught:
        parse(text.encode())
    assert caught.value.faults == (fault,)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(SettingsRefused):
        parse(b"\xff")


def test_every_allowed_key_exists() -> None:
    config = KioskConfig(mode=Mode.DEMO)
    for key in ALLOWED:
        section, name = key.split(".")
        assert name in type(getattr(config, section)).model_fields


def test_faults_name_the_value_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"certification\.cycle_months"):
        with_content(KioskConfig(mode=Mode.DEMO), {"certification": {"cycle_months": 0}})


# ------------------------------------------------------------------------------- manifest and package


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(ContentError):
        Manifest.parse(data)


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a//b", ".hidden", "a/../b", "a/./b", "é", "a\n", "manifest.json", "a/b/c/d/e/f", ""],
)
def test_paths_that_lead_astray(path: str) -> None:
    data = {
        "version": 1, "dated": "2026-11-25", "not_before": "2026-11-25T00:00:00Z",
        "files": [{"path": path, "size": 1, "sha256": "0" * 64}],
    }
    with pytest.raises(ContentError):
        Manifest.parse(json.dumps(data).encode())


@pytest.mark.parametrize("paths", [("a", "A"), ("a", "a/b"), ("a/b/c", "a/b")])
def test_two_files_in_one_place(paths: tuple[str, ...]) -> None:
    files = tuple(ContentFile(path=path, size=0, sha256="0" * 64) for path in paths)
    with pytest.raises(ValueError, match="same place"):
        Manifest(version=1, dated=NOW.date(), not_before=NOW, files=files)


@pytest.mark.parametrize(("app", "wanted", "enough"), [
    ("0.1.0", "0", True), ("0.1.0", "0.1", True), ("0.1.0", "0.1.1", False), ("0.10", "0.9", True), ("1.0rc1", "1.0", True),
    ("x", "0.0.1", False), ("0.1.0", "", True),
])
def test_versions_of_the_software(app: str, wanted: str, enough: bool) -> None:
    assert is_new_enough(app, wanted) == enough


def test_what_cannot_be_published(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "a").symlink_to("/etc/passwd")
    with pytest.raises(ContentError, match="a: is not a plain file"):
        built_in(folder)
    (folder / "a").unlink()
    (folder / "通知.txt").write_text("x")
    with pytest.raises(ContentError, match="such a name"):
        built_in(folder)
    with pytest.raises(ContentError, match="not a folder"):
        built_in(tmp_path / "none")


def test_the_built_in_package() -> None:
    package = built_in(REPOSITORY / "assets" / "content")
    assert package.manifest.version == 0 and not package.faults()
    assert parse(package.read("settings.toml") or b"x") == {}


# ------------------------------------------------------------------------------- on the terminal


def test_the_terminal_takes_the_offices_number_and_starts_anew_for_a_newer_one(
    publish: Publish, pull: Callable[..., PullResult], engine: Engine, config: KioskConfig, qapp: QApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exits: list[int] = []
    monkeypatch.setattr(QApplication, "exit", exits.append)
    terminal = Terminal(config.model_copy(update={"ui": UiConfig(fullscreen=False)}), load_texts(config.ui.texts))
    publish(1)
    assert pull() == PullResult(True, None)
    before = terminal.window
    terminal._follow_office(engine)
    assert terminal.window is not before
    shown = [button.text() for button in terminal.window.findChildren(QAbstractButton)]
    assert any("023-1" in text for text in shown) and not any(config.site.help_phone in text for text in shown)

    terminal._engine = engine
    terminal._look_for_content()
    assert exits == []
    publish(2)
    pull()
    terminal._look_for_content()
    assert exits == [70]
    terminal.stop()
