"""The hashes of this database, by the name stored beside what they made: both suites can stand in one file.

Which one makes the next link or index is the engine's option `suite` (`store.suite`, set by `opening.open_store`). Digests
that are ids (of envelopes, pieces, slips) are SHA-256 in either suite: they are names on the wire.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import Suite

SHA256: Final = "sha256"
SM3: Final = "sm3"

_MADE: Final[dict[str, type[hashes.HashAlgorithm]]] = {SHA256: hashes.SHA256, SM3: hashes.SM3}
_OF_SUITE: Final = {Suite.INTERNATIONAL: SHA256, Suite.SM: SM3}
_VERSION: Final = {SHA256: b"", SM3: b"\x02"}
"""In front of an index value; those of SHA-256 have none, because they were there first. The lengths differ."""
_INDEX_BYTES = 16
_OPTION = "suite"


def choose(engine: Engine, suite: Suite) -> None:
    """From now on, through this engine and those derived from it afterwards."""
    engine.update_execution_options(**{_OPTION: suite})


def chosen(session: Session) -> str:
    """Name of the hash for what is written now."""
    return _OF_SUITE[session.get_bind().get_execution_options().get(_OPTION, Suite.INTERNATIONAL)]


def link(previous: bytes, event: bytes, alg: str = SHA256) -> bytes | None:
    """32 bytes over both; None for a hash not known here."""
    if alg not in _MADE:
        return None
    made = hashes.Hash(_MADE[alg]())
    made.update(previous + event)
    return made.finalize()


def blind(key: bytes, message: bytes, alg: str = SHA256) -> bytes:
    """Blind index of a message that can be guessed: keyed, 16 bytes, after SHA-256 with a version byte in front."""
    made = HMAC(key, _MADE[alg]())
    made.update(message)
    return _VERSION[alg] + made.finalize()[:_INDEX_BYTES]


def blinds(key: bytes, message: bytes) -> tuple[bytes, ...]:
    """By every hash: what was stored before a switch is found again."""
    return tuple(blind(key, message, alg) for alg in _MADE)
