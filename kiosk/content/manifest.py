"""What a content package consists of. Its bytes, exactly as published, are what the office signs."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

MANIFEST, SIGNATURE, SETTINGS = "manifest.json", "manifest.sig", "settings.toml"
FILES_MAX = 500
FILE_BYTES_MAX = 8_000_000
TOTAL_BYTES_MAX = 64_000_000
MANIFEST_BYTES_MAX = 262_144
_STEP = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}"
_PATH = rf"^{_STEP}(/{_STEP}){{0,4}}$"
_RELEASE = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")


class ContentError(ValueError):
    """This is no content package. The message says what is wrong with which file."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)


class ContentFile(_Body):
    path: Annotated[str, Field(pattern=_PATH)]
    """Below the package's folder, with slashes."""
    size: int = Field(ge=0, le=FILE_BYTES_MAX)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Body):
    version: int = Field(ge=0, le=2_147_483_647)
    """Only ever rises; 0 is the package built into the software."""
    dated: dt.date
    """内容日期: shown to staff. Nothing ever stops because it is long ago."""
    not_before: AwareDatetime
    """Taken into use from then on."""
    min_app: str = Field("0", max_length=40)
    """Older software keeps what it has."""
    files: tuple[ContentFile, ...] = Field(max_length=FILES_MAX)

    @field_validator("files")
    @classmethod
    def _one_tree(cls, files: tuple[ContentFile, ...]) -> tuple[ContentFile, ...]:
        paths = {file.path.lower() for file in files}
        parents = {path.rsplit("/", n)[0] for path in paths for n in range(1, path.count("/") + 1)}
        if len(paths) < len(files) or paths & parents:
            raise ValueError("two files have the same place")
        if paths & {MANIFEST, SIGNATURE}:
            raise ValueError("a file has the name of the manifest")
        if sum(file.size for file in files) > TOTAL_BYTES_MAX:
            raise ValueError("the files are too large together")
        return files

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Raises ContentError on any bytes that are none."""
        if len(data) > MANIFEST_BYTES_MAX:
            raise ContentError(f"{MANIFEST}: longer than {MANIFEST_BYTES_MAX} bytes")
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise ContentError(f"{MANIFEST}: {error.error_count()} faults") from None

    def to_json(self) -> bytes:
        return self.model_dump_json(indent=1).encode() + b"\n"


def is_new_enough(app: str, wanted: str) -> bool:
    """Whether software of version `app` may use a package that asks for `wanted`; what is no number counts as 0."""
    return _release(app) >= _release(wanted)


def _release(text: str) -> tuple[int, ...]:
    found = _RELEASE.match(text)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    return tuple(numbers + [0] * (4 - len(numbers)))
