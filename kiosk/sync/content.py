"""The content package on the terminal: fetched file by file, proven, and switched to as a whole. The last good one stays.

Under the content folder: `v<version>` is a whole package with the manifest's bytes and signature, `incoming-<version>` one
that is being fetched. Which of them is in use stands in the database. Nothing stops working because it is old.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import importlib.metadata
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import ConfigError, KioskConfig
from kiosk.config.content import with_content
from kiosk.content.manifest import (
    MANIFEST,
    MANIFEST_BYTES_MAX,
    SETTINGS,
    SIGNATURE,
    ContentError,
    ContentFile,
    Manifest,
    is_new_enough,
)
from kiosk.content.package import Package, good_bytes
from kiosk.content.settings import SettingsRefused, parse
from kiosk.durable import sync_path, write_synced
from kiosk.store import audit
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.asking import PullResult, Unchanged, ask
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.wire import http
from kiosk.sync.wire.signing import Context

_log = logging.getLogger(__name__)
_CURRENT, _PREVIOUS, _DATED = "content_current", "content_previous", "content_dated"
_MIB = 1024 * 1024
_LOCK = ".lock"
_WHOLE = re.compile(r"v(\d{1,10})")

Fetch = Callable[[ContentFile], "bytes | str"]
"""The bytes of a file, not checked yet, or a stable code for why there are none."""


@dataclass(frozen=True, slots=True)
class InUse:
    """version 0: the package built into the software; `dated` is None then."""

    version: int
    dated: dt.date | None


@dataclass(frozen=True, slots=True)
class _Proven:
    package: Package
    data: bytes
    signature: str


def in_use(engine: Engine) -> InUse:
    """As the last switch noted it; reads no file."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        version, dated = get_setting(session, _CURRENT), get_setting(session, _DATED)
    return InUse(int(version or 0), dt.date.fromisoformat(dated) if dated else None)


def with_office_settings(engine: Engine, config: KioskConfig) -> KioskConfig:
    """The configuration with what the office's package sets; unchanged where there is none, or none that can be believed.

    Asked once, at the start of a process.
    """
    identity = load_identity(engine)
    package = None if identity is None else Content(engine, config, identity).current()
    data = None if package is None else package.read(SETTINGS)
    if data is None:
        return config
    try:
        return with_content(config, parse(data))
    except (SettingsRefused, ConfigError) as error:
        _log.error("the settings of the content package are not used:\n%s", error)
        return config


class Content:
    def __init__(self, engine: Engine, config: KioskConfig, identity: Identity) -> None:
        self._engine, self._config, self._identity = engine, config, identity
        self._home = config.sync.content_dir or config.store.path.parent / "content"

    def current(self) -> Package | None:
        """The package in use, every file proven; the one before where it is damaged; None: the built-in one."""
        for version in self._pointers():
            found = self._proven(self._home / f"v{version}")
            if found is not None and not found.package.faults():
                return found.package
        return None

    def floor(self) -> int:
        """The version below which nothing is taken: of the newest package this office has signed, damaged or not."""
        known = [self._proven(self._home / f"v{version}") for version in self._pointers()]
        return max((found.package.manifest.version for found in known if found is not None), default=0)

    def take(self, data: bytes, signature: str, fetch: Fetch) -> str | None:
        """Fetches what is missing of a package and puts it whole beside the others. A stable code where it cannot be.

        data, signature: of the manifest, not checked yet. What was fetched before a trouble is not fetched again.
        """
        if not self._identity.office_signed(Context.CONTENT, data, signature):
            return "not_the_office"
        try:
            manifest = Manifest.parse(data)
        except ContentError:
            return "unknown_form"
        if manifest.version < self.floor():
            return "older_content"
        if not is_new_enough(importlib.metadata.version("kiosk"), manifest.min_app):
            return "app_too_old"
        whole = self._home / f"v{manifest.version}"
        known = self._proven(whole)
        if known is not None and known.data == data and not known.package.faults():
            return None
        try:
            with self._alone() as alone:
                trouble = self._fetch(manifest, data, fetch) if alone else "busy"
                if trouble is None:
                    self._complete(manifest, signature, whole)
        except OSError as error:
            return f"os_{error.errno}"
        return trouble

    def switch(self, now: dt.datetime) -> bool:
        """Takes the newest whole package that may be used by now. Whether there was one."""
        floor = self.floor()
        newer = [found for found in self._all() if found.package.manifest.version > floor]
        for found in sorted(newer, key=lambda one: one.package.manifest.version, reverse=True):
            manifest = found.package.manifest
            if manifest.not_before <= now and not found.package.faults():
                with Session(self._engine) as session, session.begin():
                    put_setting(session, _PREVIOUS, get_setting(session, _CURRENT) or "")
                    put_setting(session, _CURRENT, str(manifest.version))
                    put_setting(session, _DATED, manifest.dated.isoformat())
                    audit.append(session, "content_switched", version=manifest.version)
                self._prune()
                return True
        return False

    def _fetch(self, manifest: Manifest, manifest_bytes: bytes, fetch: Fetch) -> str | None:
        incoming = self._incoming(manifest)
        if incoming.exists() and _read(incoming / MANIFEST) != manifest_bytes:
            shutil.rmtree(incoming)  # of another office, or damaged
        write_synced(incoming / MANIFEST, manifest_bytes)
        room = shutil.disk_usage(self._home).free - sum(file.size for file in manifest.files)
        if room < self._config.store.free_floor_mb * _MIB:
            return "disk_low"
        present = self.current()
        at_hand = {file.sha256: file for file in present.manifest.files} if present else {}
        for file in manifest.files:
            if good_bytes(incoming, file) is not None:
                continue
            same = at_hand.get(file.sha256)
            data = good_bytes(present.folder, same) if present and same else None
            if data is None:
                told = fetch(file)
                if isinstance(told, str):
                    return told
                data = told
            write_synced(incoming / file.path, data)
            if good_bytes(incoming, file) is None:
                (incoming / file.path).unlink()
                return "wrong_bytes"
        return self._settings_trouble(Package(incoming, manifest))

    def _settings_trouble(self, package: Package) -> str | None:
        data = package.read(SETTINGS)
        try:
            if data is not None:
                with_content(self._config, parse(data))
        except (SettingsRefused, ConfigError) as error:
            _log.error("the settings of a content package are refused:\n%s", error)
            return "settings_refused"
        return None

    def _complete(self, manifest: Manifest, signature: str, whole: Path) -> None:
        """From here on it counts as whole, and does so only with all its bytes on the disk."""
        incoming = self._incoming(manifest)
        write_synced(incoming / SIGNATURE, signature.encode())
        if whole.exists():
            shutil.rmtree(whole)
        incoming.rename(whole)
        sync_path(self._home)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """False while another process fetches: a stick beside the line."""
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _incoming(self, manifest: Manifest) -> Path:
        return self._home / f"incoming-{manifest.version}"

    def _proven(self, folder: Path) -> _Proven | None:
        """Signed by the office; its files are not looked at."""
        try:
            if (folder / MANIFEST).stat().st_size > MANIFEST_BYTES_MAX:
                return None
            data, signature = (folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_text("ascii")
            manifest = Manifest.parse(data)
        except (OSError, UnicodeDecodeError, ContentError):
            return None
        if not self._identity.office_signed(Context.CONTENT, data, signature) or folder.name != f"v{manifest.version}":
            return None
        return _Proven(Package(folder, manifest), data, signature)

    def _all(self) -> list[_Proven]:
        folders = self._home.iterdir() if self._home.is_dir() else ()
        found = (self._proven(folder) for folder in folders if _WHOLE.fullmatch(folder.name))
        return [one for one in found if one is not None]

    def _pointers(self) -> list[int]:
        """The package in use and the one before it, as far as there are any."""
        with Session(self._engine.execution_options(read_only=True)) as session, session.begin():
            texts = [get_setting(session, name) for name in (_CURRENT, _PREVIOUS)]
        return [int(text) for text in texts if text]

    def _prune(self) -> None:
        """Everything older than the package in use and the one before it."""
        keep = {f"v{version}" for version in self._pointers()}
        for folder in list(self._home.iterdir()):
            if folder.name not in keep and folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)


def pull_content(link: OfficeLink, content: Content, identity: Identity, now: dt.datetime) -> PullResult:
    """Asks for a newer package, fetches it and switches to it. Switches first to one that was waiting for its day."""
    content.switch(now)
    present = content.current()
    after = present.manifest.version if present else 0
    result = ask(link, identity, http.pull_target(http.CONTENT_PATH, after), MANIFEST_BYTES_MAX, now)
    match result:
        case Unchanged():
            return PullResult(True, None)
        case PullResult():
            return result
        case Answer():
            signature = result.header(http.CONTENT_SIGNATURE)
    if not identity.office_signed(Context.CONTENT, result.body, signature):
        return PullResult(False, "not_the_office")

    def fetch(file: ContentFile) -> bytes | str:
        found = ask(link, identity, http.content_file_path(file.sha256), max(file.size, http.ANSWER_BYTES_MAX), now)
        if isinstance(found, Answer):
            return found.body
        return "not_the_office" if isinstance(found, Unchanged) else found.trouble or "no_answer"

    trouble = content.take(result.body, signature, fetch)
    if trouble is None:
        content.switch(now)
    return PullResult(True, trouble)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
