"""The heartbeat on the wire: codes only, any bytes a value or an error, newer terminals welcome."""

from __future__ import annotations

import contextlib
import datetime as dt
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kiosk.sync.wire.models import COUNT_MAX, DeviceBody, HeartbeatBody
from kiosk.sync.wire.signing import Context, heartbeat_message, sign, verify

NOW = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
DEVICE = DeviceBody(kind="printer", state="offline", reason="paper_out", since=NOW)
BODY = HeartbeatBody(
    kiosk="HG01", epoch=1, sent_at=NOW, challenge="", app_version="0.1.0", terminal_seen=NOW, devices=(DEVICE,), unsent=0, held=0,
    dead=0, oldest_unsent_s=None, roster_version=0, free_mb=None,
)
MOMENTS = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(9998, 12, 30), timezones=st.just(dt.UTC))
COUNTS = st.integers(0, COUNT_MAX)
DEVICES = st.builds(
    DeviceBody, kind=st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True), state=st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True),
    reason=st.from_regex(r"[a-z0-9_]{0,40}", fullmatch=True), since=st.none() | MOMENTS,
)


@given(st.builds(
    HeartbeatBody, kiosk=st.just("HG01"), epoch=st.integers(1, COUNT_MAX), sent_at=MOMENTS, challenge=st.just("c" * 64),
    app_version=st.just("1.0+a"), terminal_seen=st.none() | MOMENTS, devices=st.lists(DEVICES, max_size=32).map(tuple),
    unsent=COUNTS, held=COUNTS, dead=COUNTS, oldest_unsent_s=st.none() | COUNTS, roster_version=COUNTS,
    free_mb=st.none() | COUNTS,
))
def test_json_and_back(body: HeartbeatBody) -> None:
    assert HeartbeatBody.model_validate_json(body.to_json()) == body


@given(st.binary(max_size=400))
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ValidationError):
        HeartbeatBody.model_validate_json(data)


def test_what_a_newer_terminal_tells_is_kept_as_text() -> None:
    newer = BODY.to_json().replace(b'"printer"', b'"palm"').replace(b'"offline"', b'"resting"').replace(b'{"k', b'{"new":[1],"k')
    (device,) = HeartbeatBody.model_validate_json(newer).devices
    assert (device.kind, device.state) == ("palm", "resting")


@pytest.mark.parametrize(("field", "value"), [
    ("kind", "张测试"), ("kind", ""), ("state", "Ready"), ("reason", "张测试 999901195001010026"), ("reason", "a" * 41),
    ("reason", "mute\n"), ("since", "0001-01-01T00:00:00+14:00"), ("since", "2026-11-24T01:00:00"), ("since", 0),
])
def test_nothing_personal_and_no_nonsense_fits_into_a_device(field: str, value: object) -> None:
    said = json.loads(BODY.to_json())
    said["devices"][0][field] = value
    with pytest.raises(ValidationError):
        HeartbeatBody.model_validate_json(json.dumps(said))


@pytest.mark.parametrize(("field", "value"), [
    ("kiosk", "hg01"), ("epoch", 0), ("unsent", -1), ("unsent", COUNT_MAX + 1), ("unsent", "1"), ("app_version", "张测试"),
    ("roster_version", 2**63), ("devices", [json.loads(DEVICE.to_json())] * 33), ("sent_at", None),
    ("sent_at", "9999-12-31T23:59:59Z"),
])
def test_no_nonsense_fits_into_a_heartbeat(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        HeartbeatBody.model_validate_json(json.dumps(json.loads(BODY.to_json()) | {field: value}))


def test_the_signature_covers_path_nonce_and_every_byte() -> None:
    key = Ed25519PrivateKey.generate()
    message = heartbeat_message("/v1/heartbeat", "ab" * 16, BODY.to_json())
    signature = sign(Context.HEARTBEAT, message, key)
    assert verify(Context.HEARTBEAT, message, signature, key.public_key())
    for other in (
        heartbeat_message("/v1/other", "ab" * 16, BODY.to_json()), heartbeat_message("/v1/heartbeat", "cd" * 16, BODY.to_json()),
        heartbeat_message("/v1/heartbeat", "ab" * 16, BODY.to_json() + b" "),
    ):
        assert not verify(Context.HEARTBEAT, other, signature, key.public_key())
    assert not verify(Context.REQUEST, message, signature, key.public_key())
