"""UUID version 7 (RFC 9562, 5.7). Only identity: nothing may be ordered by it, the clock can jump."""

from __future__ import annotations

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return uuid.UUID(int=value)
