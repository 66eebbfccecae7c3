"""Bundles: one file on a memory stick, between terminal and office, where there is no line.

Bytes: magic; then records, each u32 big-endian length of its head, the head as JSON, and its body. The first record is
`head`, the last `end`: its body is the sender's signature (hex, context BUNDLE) over the SHA-256 of everything before it.
A bundle of a terminal holds envelopes and pieces exactly as they would be sent. One of the office is sealed record by
record to the terminal. Each body's digest stands in its head, so that what is whole in a torn file can be told.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, ValidationError

from kiosk.sync.wire.base import Wire, Word
from kiosk.sync.wire.models import CaseId, DigestHex, Moment, TerminalId
from kiosk.sync.wire.signing import Context, sign

MAGIC = b"KIOSKUSB1\n"
BODY_BYTES_MAX = 8_100_000
"""A page of the roster or a file of the content package, sealed."""
_HEAD_BYTES_MAX = 4_096
_LENGTH = struct.Struct(">I")


class Origin(StrEnum):
    TERMINAL = "terminal"
    OFFICE = "office"


class Kind(StrEnum):
    """What a record is. Others come from newer software and are passed over."""

    HEAD = "head"
    END = "end"
    CASE = "case"
    """Of a terminal: an envelope; `name` its id, `signature` and `vouch` as in the headers of its PUT."""
    PART = "part"
    """Of a terminal: a piece; `name` the id of its case, `signature` as in the header of its PUT."""
    RECEIPTS = "receipts"
    SAFE = "safe"
    KEYS = "keys"
    ROSTER = "roster"
    OUTCOMES = "outcomes"
    MANIFEST = "manifest"
    FILE = "file"
    """Of the content package; `name` the digest it has there."""


class BundleHead(Wire):
    origin: Origin
    kiosk: TerminalId
    """From or for which terminal."""
    epoch: int = Field(ge=1)
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    made: Moment
    """By the sender's clock."""


class RecordHead(Wire):
    kind: Word
    size: int = Field(ge=0, le=BODY_BYTES_MAX)
    sha256: DigestHex
    """Of the body as it stands in the file."""
    name: str = Field("", pattern=r"^[0-9a-f-]{0,64}$")
    signature: str = Field("", pattern=r"^[0-9a-f]{0,128}$")
    vouch: str = Field("", max_length=200)


class SignedReceipt(Wire):
    receipt: bytes
    signature: str


class ReceiptsBody(Wire):
    receipts: tuple[SignedReceipt, ...] = Field(max_length=1_000)


class SafeBody(Wire):
    """Cases that stand in a verified backup of the office."""

    ids: tuple[CaseId, ...]


class ManifestBody(Wire):
    data: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Record:
    head: RecordHead
    body: bytes = field(repr=False)
    offset: int
    """Where it begins in the file."""
    covered: bytes = field(repr=False)
    """SHA-256 of the whole record: the same record read again has the same."""


class BundleWriter:
    """Writes record by record and keeps nothing. Errors of the file are the caller's (OSError)."""

    def __init__(self, file: BinaryIO, head: BundleHead) -> None:
        self._file, self._sha = file, hashlib.sha256()
        self.count = 0
        """Records written; the next one has this position."""
        self._put(MAGIC)
        self.write(Kind.HEAD, head.to_json())

    def write(self, kind: Kind, body: bytes, name: str = "", signature: str = "", vouch: str = "") -> None:
        head = RecordHead(
            kind=kind.value, size=len(body), sha256=hashlib.sha256(body).hexdigest(), name=name, signature=signature, vouch=vouch,
        ).to_json()
        self._put(_LENGTH.pack(len(head)) + head)
        self._put(body)
        self.count += 1

    def end(self, key: Ed25519PrivateKey) -> bytes:
        """Returns the digest that was signed."""
        digest = self._sha.digest()
        self.write(Kind.END, sign(Context.BUNDLE, digest, key).encode())
        return digest

    def _put(self, data: bytes) -> None:
        self._sha.update(data)
        self._file.write(data)


class BundleReader:
    """Iterate over the records between `head` and `end`; afterwards `whole`, `digest` and `signature` are known.

    No bytes raise anything but what the file itself raises (OSError).
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sha, self._at = file, hashlib.sha256(), 0
        self.whole = False
        """Read to its end, every record as it was written."""
        self.damaged = 0
        """Records whose body is not what their head says; they are passed over."""
        self.digest = b""
        self.signature = ""
        self.head: BundleHead | None = None
        """None: this is no bundle."""
        if self._take(len(MAGIC)) == MAGIC:
            self.head = _head_of(self._next())

    def __iter__(self) -> Iterator[Record]:
        if self.head is None:
            return
        while True:
            before = self._sha.digest()
            record = self._next()
            if record is None:
                return
            if record.head.kind == Kind.END:
                self.digest, self.signature = before, record.body.decode("ascii", "replace")
                self.whole = not self.damaged and _intact(record) and not self._file.read(1)
                return
            if _intact(record):
                yield record
            else:
                self.damaged += 1

    def _next(self) -> Record | None:
        """None at the end of a torn file, or where nothing further can be made out."""
        return _read(self._take, self._at)

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        self._sha.update(data)
        self._at += len(data)
        return data


def bundle_info(head: BundleHead, position: int, kind: str) -> bytes:
    """`info` of a sealed record: it opens in this bundle, for this terminal and in this place only."""
    return "\x00".join((Context.BUNDLE.value, head.kiosk, head.id, str(position), kind)).encode()


def record_at(file: BinaryIO, offset: int) -> Record | None:
    """One record again; whoever asks compares `covered`."""
    file.seek(offset)
    return _read(file.read, offset)


def _read(take: Callable[[int], bytes], offset: int) -> Record | None:
    prefix = take(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(prefix)
    if not 0 < length <= _HEAD_BYTES_MAX:
        return None
    raw = take(length)
    try:
        head = RecordHead.model_validate_json(raw)
    except ValidationError:
        return None
    body = take(head.size)
    if len(body) < head.size:
        return None
    return Record(head, body, offset, hashlib.sha256(prefix + raw + body).digest())


def _head_of(record: Record | None) -> BundleHead | None:
    if record is None or record.head.kind != Kind.HEAD or not _intact(record):
        return None
    try:
        return BundleHead.model_validate_json(record.body)
    except ValidationError:
        return None


def _intact(record: Record) -> bool:
    return hashlib.sha256(record.body).hexdigest() == record.head.sha256
