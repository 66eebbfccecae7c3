"""Publishing a content package and handing it out. Files lie in the data directory, one folder per version."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.http import HttpResponse
from django.utils import timezone

from kiosk.content.manifest import MANIFEST, SETTINGS, ContentError, Manifest
from kiosk.content.package import Package, describe
from kiosk.content.settings import Settings, SettingsRefused, parse
from kiosk.domain.period import local_day
from kiosk.durable import sync_path, write_synced
from kiosk.office import audit, signed
from kiosk.office.asked import Asked, unchanged
from kiosk.office.models import AuditEntry, Counter, Heartbeat
from kiosk.sync.wire import http
from kiosk.sync.wire.signing import Context, sign

_VERSION = "content"
_SHA256 = re.compile(r"[0-9a-f]{64}")

CheckSettings = Callable[[Settings], tuple[str, ...]]
"""Faults of values a terminal would not take. Handed in by whoever publishes: the office does not know the terminal's schema."""


def publish(
    folder: Path, actor: str, check: CheckSettings, min_app: str = "0", not_before: dt.datetime | None = None,
) -> Manifest:
    """Publishes a folder as the next version. Raises ContentError, SettingsRefused or OSError; then nothing is published."""
    now = timezone.now()
    _check_settings(folder / SETTINGS, check)
    with transaction.atomic(durable=True):
        version = _next_version()
        manifest = describe(folder, version, local_day(now), (not_before or now).astimezone(dt.UTC), min_app)
        _keep(folder, manifest)
        audit.append(
            actor, AuditEntry.Action.CONTENT_PUBLISHED, str(version), files=len(manifest.files), min_app=min_app,
        )
    return manifest


def published() -> tuple[Package, bytes] | None:
    """The package in force and its manifest's bytes; None before the first, or when its files are gone."""
    version = Counter.current(_VERSION)
    folder = _home() / str(version)
    try:
        data = (folder / MANIFEST).read_bytes() if version else b""
        manifest = Manifest.parse(data)
    except (OSError, ContentError):
        return None
    return Package(folder, manifest), data


def manifest_signature(data: bytes) -> str:
    """By the key of today: terminals that learnt a new one meanwhile may know no older one."""
    return sign(Context.CONTENT, data, signed.office_keys().signing)


def manifest_answer(asked: Asked, after: int) -> HttpResponse:
    if Counter.current(_VERSION) in (0, after):
        return unchanged(asked)
    found = published()
    if found is None:
        return signed.unsigned(503, "the content package is not at hand")
    _, data = found
    headers = {http.CONTENT_SIGNATURE: manifest_signature(data)}
    return HttpResponse(data, content_type=http.JSON_TYPE, headers=headers)


def file_answer(sha256: str) -> HttpResponse:
    """Not signed: its digest stands in the signed manifest."""
    found = published() if _SHA256.fullmatch(sha256) else None
    path = next((file.path for file in found[0].manifest.files if file.sha256 == sha256), None) if found else None
    data = found[0].read(path) if found and path else None
    if data is None:
        return signed.unsigned(404, "no such file in the content package")
    return HttpResponse(data, content_type=http.ENVELOPE_TYPE)


def _check_settings(path: Path, check: CheckSettings) -> None:
    if not path.exists():
        return
    faults = check(parse(path.read_bytes()))
    if faults:
        raise SettingsRefused(list(faults))


def _next_version() -> int:
    """Above everything published here and everything a terminal has: an office restored from a backup may have forgotten."""
    known = Heartbeat.objects.aggregate(known=Max("content_version"))["known"] or 0
    behind = max(0, known - Counter.current(_VERSION))
    return Counter.take(_VERSION, behind + 1) + behind


def _keep(folder: Path, manifest: Manifest) -> None:
    """Copies exactly the described bytes; whole on the disk before the version counts."""
    source, target = Package(folder, manifest), _home() / str(manifest.version)
    part = target.with_name(f"{manifest.version}.part")
    for leftover in (part, target):
        shutil.rmtree(leftover, ignore_errors=True)
    for file in manifest.files:
        data = source.read(file.path)
        if data is None:
            raise ContentError(f"{file.path}: changed while it was published")
        write_synced(part / file.path, data)
    write_synced(part / MANIFEST, manifest.to_json())
    part.rename(target)
    sync_path(target.parent)


def _home() -> Path:
    home: Path = settings.OFFICE.data / "content"
    return home
