"""Requests of a terminal gone mad: well formed JSON with something odd in it, signed as it should be."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest
from kiosk.sync.wire.signing import Context, heartbeat_message, request_message, sign

_NUMBERS = st.sampled_from([0, -1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, 1e308])
_WORDS = st.sampled_from([
    "", " ", "\x00", "０", "'", "%s", "A" * 9000, "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "NaN",
])
_OTHER = st.one_of(
    st.none(), st.booleans(), st.text(max_size=20), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@dataclass(frozen=True)
class Sent:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def twisted(good: bytes) -> st.SearchStrategy[bytes]:
    """JSON like this one, with one or two values exchanged for odd ones, mostly of the same kind, fields gone or added."""
    places = [(path, value) for path, value in _places(json.loads(good))]

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        content = json.loads(good)
        for _ in range(draw(st.integers(1, 2))):
            path, value = draw(st.sampled_from(places))
            alike = _NUMBERS if isinstance(value, int | float) else _WORDS if isinstance(value, str) else _OTHER
            act = draw(st.sampled_from(("put", "put", "put", "put any", "drop", "add")))
            _twist(content, path, draw(alike if act == "put" else _OTHER | _NUMBERS | _WORDS), act)
        return json.dumps(content).encode()

    return build()


def envelope(good: bytes, twist: bytes) -> bytes:
    """The same ciphertext under another header."""
    length = int.from_bytes(good[:4], "big")
    return len(twist).to_bytes(4, "big") + twist + good[4 + length :]


def header_of(good: bytes) -> bytes:
    return good[4 : 4 + int.from_bytes(good[:4], "big")]


def put_case(data: bytes, case_id: str, key: Ed25519PrivateKey) -> Sent:
    return Sent("PUT", http.case_path(case_id), {http.SIGNATURE: sign(Context.TXN, digest(data), key)}, data)


def put_part(data: bytes, name: str, case_id: str, kiosk: str, key: Ed25519PrivateKey) -> Sent:
    headers = {http.KIOSK: kiosk, http.CASE: case_id, http.SIGNATURE: sign(Context.PART, digest(data), key)}
    return Sent("PUT", http.part_path(name), headers, data)


def tell(method: str, target: str, data: bytes, context: Context, kiosk: str, key: Ed25519PrivateKey) -> Sent:
    """A heartbeat or a comparison."""
    nonce = uuid.uuid4().hex
    signature = sign(context, heartbeat_message(target, nonce, data, method), key)
    return Sent(method, target, {http.KIOSK: kiosk, http.NONCE: nonce, http.SIGNATURE: signature}, data)


def renew(data: bytes, key: Ed25519PrivateKey) -> Sent:
    return Sent("POST", http.RENEW_PATH, {http.SIGNATURE: sign(Context.RENEW, data, key)}, data)


def ask(target: str, kiosk: str, sent: str, key: Ed25519PrivateKey) -> Sent:
    nonce = uuid.uuid4().hex
    signature = sign(Context.REQUEST, request_message("GET", target, sent, nonce), key)
    return Sent("GET", target, {http.KIOSK: kiosk, http.TIME: sent, http.NONCE: nonce, http.SIGNATURE: signature}, b"")


def _twist(content: Any, path: tuple[Any, ...], value: Any, act: str) -> None:
    """Nothing happens where an earlier turn has taken the place away."""
    for step in path[:-1]:
        try:
            content = content[step]
        except (LookupError, TypeError):
            return
    if not isinstance(content, dict | list) or isinstance(content, dict) != isinstance(path[-1], str):
        return
    if isinstance(content, list) and path[-1] >= len(content):
        return
    if act == "drop":
        content.pop(path[-1], None) if isinstance(content, dict) else content.pop(path[-1])
    elif act == "add" and isinstance(content, dict):
        content["quite_new"] = value
    else:
        content[path[-1]] = value


def _places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, value in items:
        yield (*path, name), value
        yield from _places(value, (*path, name))
