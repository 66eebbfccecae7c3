"""IPP messages as bytes (RFC 8010, section 3). Pure. Requests and answers have the same layout:

    version 2 | operation or status 2 | request id 4 | groups | 03 | document

A group is its tag (below 10h) and attributes; an attribute is tag 1, name length 2, name, value length 2, value.
Further values of an attribute, and the members of a collection, follow with an empty name.

Own code, because the parser of pyipp goes round for ever on a negative length, refuses a whole answer for one date
or enum it does not know, and its serialiser drops attributes it has no tag for, print-scaling among them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct(">HHI")
_LENGTH = struct.Struct(">H")
_NUMBER = struct.Struct(">i")
_VERSION = 0x0101
"""IPP 1.1: every printer and CUPS speak it."""
_END = 0x03
_FIRST_VALUE_TAG = 0x10


class GroupTag(IntEnum):
    OPERATION = 0x01
    JOB = 0x02
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class Tag(IntEnum):
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49


_NUMBERS = (Tag.INTEGER, Tag.ENUM)
_TEXTS = (Tag.TEXT, Tag.NAME, Tag.KEYWORD, Tag.URI, Tag.CHARSET, Tag.LANGUAGE, Tag.MIME)

Value = int | bool | str | bytes
"""bytes: a value of a tag that is not named above, as it stands."""


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    values: tuple[tuple[int, Value], ...]
    """Tag and value each; one name may have values of several kinds."""

    @classmethod
    def of(cls, tag: Tag, name: str, *values: Value) -> Attribute:
        return cls(name, tuple((tag, value) for value in values))


@dataclass(frozen=True, slots=True)
class Group:
    tag: int
    attributes: tuple[Attribute, ...]

    def numbers(self, name: str) -> list[int]:
        """The integer and enum values of an attribute; none when it is missing or of another kind."""
        return [value for value in self._values(name) if isinstance(value, int) and not isinstance(value, bool)]

    def texts(self, name: str) -> list[str]:
        return [value for value in self._values(name) if isinstance(value, str)]

    def flags(self, name: str) -> list[bool]:
        return [value for value in self._values(name) if isinstance(value, bool)]

    def _values(self, name: str) -> list[Value]:
        return [value for attribute in self.attributes if attribute.name == name for _, value in attribute.values]


@dataclass(frozen=True, slots=True)
class Message:
    code: int
    """Operation of a request, status of an answer; a status below 100h is success."""
    request_id: int
    groups: tuple[Group, ...]

    def of(self, tag: GroupTag) -> list[Group]:
        return [group for group in self.groups if group.tag == tag]


def encode(message: Message) -> bytes:
    """A document may follow the result as it is."""
    parts = [_HEADER.pack(_VERSION, message.code, message.request_id)]
    for group in message.groups:
        parts.append(bytes((group.tag,)))
        for attribute in group.attributes:
            name = attribute.name.encode("utf-8")
            for tag, value in attribute.values:
                data = _encode_value(value, tag)
                parts += (bytes((tag,)), _LENGTH.pack(len(name)), name, _LENGTH.pack(len(data)), data)
                name = b""
    return b"".join(parts) + bytes((_END,))


def _encode_value(value: Value, tag: int) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8")
    return bytes((value,)) if tag == Tag.BOOLEAN else _NUMBER.pack(value)


def decode(data: bytes) -> Message | None:
    """None: not an IPP message. What it does not understand it passes over, as long as the lengths agree."""
    if len(data) < _HEADER.size or not 1 <= data[0] <= 2:
        return None
    _, code, request_id = _HEADER.unpack_from(data)
    groups: list[tuple[int, list[tuple[str, list[tuple[int, Value]]]]]] = []
    try:
        for tag, name, value in _fields(data, _HEADER.size):
            if tag < _FIRST_VALUE_TAG:
                groups.append((tag, []))
            elif name:
                groups[-1][1].append((name, [(tag, value)]))
            else:
                groups[-1][1][-1][1].append((tag, value))
    except (IndexError, struct.error):  # cut short, or a value that belongs to nothing
        return None
    return Message(code, request_id, tuple(
        Group(tag, tuple(Attribute(name, tuple(values)) for name, values in attributes)) for tag, attributes in groups
    ))


def _fields(data: bytes, at: int) -> Iterator[tuple[int, str, Value]]:
    """Group tags (with an empty name and value) and values, up to the end tag. Raises where the bytes run out."""
    while (tag := data[at]) != _END:
        at += 1
        if tag < _FIRST_VALUE_TAG:
            yield tag, "", b""
            continue
        name, at = _sized(data, at)
        raw, at = _sized(data, at)
        yield tag, name.decode("utf-8", "replace"), _decode_value(tag, raw)


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    start = at + _LENGTH.size
    end = start + _LENGTH.unpack_from(data, at)[0]
    if end > len(data):
        raise IndexError
    return data[start:end], end


def _decode_value(tag: int, raw: bytes) -> Value:
    if tag in _NUMBERS and len(raw) == _NUMBER.size:
        return int(_NUMBER.unpack(raw)[0])
    if tag == Tag.BOOLEAN and len(raw) == 1:
        return raw[0] != 0
    if tag in _TEXTS:
        return raw.decode("utf-8", "replace")
    return raw
