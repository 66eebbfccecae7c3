"""A content package on disk: made of a folder, read back, and checked file by file."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kiosk.content.manifest import FILE_BYTES_MAX, MANIFEST, SIGNATURE, ContentError, ContentFile, Manifest

_BUILT_IN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Package:
    folder: Path
    manifest: Manifest

    def read(self, path: str) -> bytes | None:
        """None: the package has no such file, or its bytes are not those the manifest names."""
        file = next((one for one in self.manifest.files if one.path == path), None)
        return None if file is None else good_bytes(self.folder, file)

    def faults(self) -> tuple[str, ...]:
        """Paths of files that are missing or not as the manifest says."""
        return tuple(file.path for file in self.manifest.files if good_bytes(self.folder, file) is None)


def describe(folder: Path, version: int, dated: dt.date, not_before: dt.datetime, min_app: str) -> Manifest:
    """The manifest of a folder of files. Raises ContentError for what cannot be published, OSError when unreadable."""
    try:
        return Manifest(
            version=version, dated=dated, not_before=not_before, min_app=min_app, files=tuple(_files(folder)),
        )
    except ValidationError as error:
        raise ContentError("; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())) from None


def built_in(folder: Path) -> Package:
    """The package that came with the software: version 0, without signature. Raises as `describe`."""
    return Package(folder, describe(folder, 0, _BUILT_IN.date(), _BUILT_IN, "0"))


def good_bytes(folder: Path, file: ContentFile) -> bytes | None:
    """The bytes of a file if they are those of the manifest."""
    path = folder / file.path
    try:
        if path.is_symlink() or path.stat().st_size != file.size:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == file.sha256 else None


def _files(folder: Path) -> Iterator[ContentFile]:
    if not folder.is_dir():
        raise ContentError(f"{folder}: is not a folder")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.is_dir() and not path.is_symlink()) or name in (MANIFEST, SIGNATURE):
            continue
        if path.is_symlink() or not path.is_file():
            raise ContentError(f"{name}: is not a plain file")
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ContentError(f"{name}: larger than {FILE_BYTES_MAX} bytes")
        data = path.read_bytes()
        try:
            yield ContentFile(path=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        except ValidationError:
            raise ContentError(f"{name}: such a name cannot be published; letters, digits, . _ - and 4 folders") from None
