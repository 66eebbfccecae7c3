"""What leaves the terminal about a face: the report check by check, pictures only with consent and within one request."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from drafts import ALIKE, ENGINE, JPEG, NOW, NUMBER, clip, evidence, make_enrolment, report
from hypothesis import given
from hypothesis import strategies as st
from office_stub import OfficeStub, make_draft
from sqlalchemy import Engine

from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import ClipFrame
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult, Liveness
from kiosk.store.cases import CaseStore
from kiosk.sync.bodies import case_body, enrolment_body
from kiosk.sync.identity import Identity
from kiosk.sync.pictures import PHOTO_BYTES_MAX, Room
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.envelope import open_envelope
from kiosk.sync.wire.face_enrolment import EnrolmentBody
from kiosk.sync.wire.http import ENVELOPE_BYTES_MAX
from kiosk.sync.wire.models import CaseBody, EnvelopeHeader

MAY_SEND = frozenset({ConsentScope.MATCH, ConsentScope.SEND_PHOTO})
STAYS_HERE = frozenset({ConsentScope.MATCH})


def draft_of(*attempts: Any, scopes: frozenset[ConsentScope] = MAY_SEND) -> CaseDraft:
    return dataclasses.replace(make_draft(), attempts=attempts, consent=Consent(scopes, "2026-11", NOW))


def sealed(engine: Engine, office: OfficeStub, draft: CaseDraft | EnrolmentDraft) -> tuple[EnvelopeHeader, bytes, int]:
    """Header, body, and how many bytes travel."""
    receipt = CaseStore(engine, 0).submit(draft, EnvelopeSealer(engine, simulated=True), NOW)
    assert isinstance(receipt, CaseReceipt), receipt
    with engine.connect() as connection:
        data: bytes = connection.exec_driver_sql("SELECT sealed FROM cases WHERE id = ?", (receipt.case_id,)).scalar_one()
        of_case = "SELECT body FROM part WHERE case_id = ? ORDER BY position"
        pieces: list[bytes] = list(connection.exec_driver_sql(of_case, (receipt.case_id,)).scalars())
    header, body = open_envelope(data, office.sealing, pieces)
    return header, body, len(data) + sum(map(len, pieces))


def test_the_whole_report_travels(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    one = evidence(
        frames=clip(3), report=report(CheckOutcome.FAILED), threshold_set="start-2026", raw_distance=0.44, chip_only=True,
        foreign=2,
    )
    header, data, _ = sealed(engine, office, draft_of(one))
    (told,) = CaseBody.model_validate_json(data).attempts
    assert (header.schema_name, header.schema_version) == ("certification", 1)  # an older office reads the rest of it
    assert told.liveness is Liveness.FAILED and told.report is not None
    assert (told.report.profile, told.report.nonce, told.report.seconds) == ("paper", "ab" * 16, 8.25)
    assert told.report.order == ("turn_right", "blink", "turn_left")
    depth = next(check for check in told.report.checks if check.check == "depth")
    assert (depth.outcome, depth.value, depth.limit, depth.reason) == ("failed", 0.0152, 0.155, "")
    assert (told.threshold_set, told.raw_distance, told.chip_only, told.foreign) == ("start-2026", 0.44, True, 2)
    assert [frame.t_ms for frame in told.clip] == [0, 333, 666] and told.clip[1].jpeg == JPEG + b"\x01"
    assert told.clip_left_out == 0


def test_no_picture_leaves_without_the_consent(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    one = evidence(photos=(JPEG, JPEG), frames=clip(5))
    body = CaseBody.model_validate_json(sealed(engine, office, draft_of(one, one, scopes=STAYS_HERE))[1])
    assert not any(told.photos or told.clip for told in body.attempts)
    assert (body.photos_left_out, [told.clip_left_out for told in body.attempts]) == (0, [0, 0])  # kept back, not left out
    assert all(told.report for told in body.attempts)


def test_photographs_first_then_the_newest_clip_and_the_others_thinned() -> None:
    third = PHOTO_BYTES_MAX // 3
    old, new = evidence(photos=(b"1" * third,), frames=clip(40, 6000)), evidence(photos=(b"2" * third,), frames=clip(36, 6000))
    body = case_body(draft_of(old, new), "n", simulated=True)
    told_old, told_new = body.attempts
    assert [len(told.photos) for told in body.attempts] == [1, 1] and body.photos_left_out == 0
    assert (len(told_new.clip), told_new.clip_left_out) == (36, 0)
    room = (PHOTO_BYTES_MAX - 2 * third - 36 * 6000) // 6000
    assert (len(told_old.clip), told_old.clip_left_out) == (room, 40 - room)
    assert [told_old.clip[0].t_ms, told_old.clip[-1].t_ms] == [0, 39 * 333]


def test_as_much_as_can_be_taken_still_fits_into_one_request(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    checks = tuple(CheckResult(check, CheckOutcome.UNCLEAR, -0.12345678901234567, 0.123456789012345, "r" * 40) for check in Check)
    full = dataclasses.replace(report(), checks=checks)
    one = evidence(photos=(b"x" * 150_000,) * 3, frames=clip(120, 9000), report=full, engine="e" * 200)
    _, data, size = sealed(engine, office, draft_of(one, one, one))
    body = CaseBody.model_validate_json(data)
    pictures = [photo for told in body.attempts for photo in told.photos] + [f.jpeg for told in body.attempts for f in told.clip]
    assert PHOTO_BYTES_MAX - 9000 <= sum(map(len, pictures)) <= PHOTO_BYTES_MAX
    assert size < ENVELOPE_BYTES_MAX


@given(st.integers(0, 4000), st.lists(st.integers(1, 900), max_size=5), st.lists(st.integers(1, 900), max_size=40))
def test_room_is_never_exceeded_and_nothing_changes_its_place(size: int, photos: list[int], frames: list[int]) -> None:
    room = Room(size)
    wanted = tuple(bytes(length) for length in photos)
    film = tuple(ClipFrame(i, bytes(length)) for i, length in enumerate(frames))
    kept, shown = room.photos(wanted), room.clip(film)
    assert sum(map(len, kept)) + sum(len(frame.jpeg) for frame in shown) <= size
    times = [frame.t_ms for frame in shown]
    assert times == sorted(set(times))
    if len(times) > 1:
        assert (times[0], times[-1]) == (0, len(film) - 1)
    if sum(photos) + sum(frames) <= size:
        assert (kept, shown) == (wanted, film)


def test_a_measure_that_is_no_number_is_none() -> None:
    checks = (CheckResult(Check.DEPTH, CheckOutcome.UNCLEAR, math.inf, math.nan),)
    one = evidence(report=dataclasses.replace(report(), checks=checks), distance=math.nan, raw_distance=math.nan)
    told = CaseBody.model_validate_json(case_body(draft_of(one), "n", simulated=True).to_json()).attempts[0]
    assert (told.distance, told.raw_distance) == (None, None) and told.report is not None
    assert (told.report.checks[0].value, told.report.checks[0].limit) == (None, None)


def test_a_case_that_names_the_new_scope_asks_for_a_newer_office(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    header, _, _ = sealed(engine, office, draft_of(evidence(), scopes=frozenset(ConsentScope)))
    assert (header.schema_name, header.schema_version) == ("certification", 3)


# ------------------------------------------------------------------------------- enrolment


def test_a_sealed_enrolment(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    header, data, _ = sealed(engine, office, make_enrolment(frames=clip(3)))
    assert (header.schema_name, header.schema_version, header.consent) == ("enrolment", 1, "2026-11")
    body = EnrolmentBody.model_validate_json(data)
    assert (body.person.number, body.staff, body.apart, body.apart_max) == (NUMBER, "wang", 0.21, 0.35)
    assert [scope.value for scope in body.consent.scopes] == ["enrol", "send_photo"]
    assert [(one.view, one.photo, one.template.engine) for one in body.captures] == [
        (view, JPEG + bytes([n]), ENGINE) for n, view in enumerate(("front", "left", "right"))
    ]
    assert body.captures[1].template.vector == (0.1, -0.25, 1e-17)
    assert [(one.number, one.distance) for one in body.lookalikes] == [(ALIKE, 0.401)]
    assert (body.liveness, body.report.profile, len(body.clip), body.simulated) == (Liveness.PASSED, "paper", 3, True)
    assert NUMBER not in repr(body) and ALIKE not in repr(body)


@pytest.mark.parametrize("scopes", [MAY_SEND, {ConsentScope.ENROL, ConsentScope.MATCH}, set()])
def test_an_enrolment_without_both_consents_does_not_leave(
    engine: Engine, office: OfficeStub, identity: Identity, scopes: set[ConsentScope],
) -> None:
    with pytest.raises(ValueError, match="consent"):
        sealed(engine, office, make_enrolment(scopes=frozenset(scopes), frames=clip(3)))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM cases").scalar_one() == 0


def test_lookalikes_are_never_paired_with_a_wrong_number(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    with pytest.raises(ValueError, match="zip"):
        sealed(engine, office, dataclasses.replace(make_enrolment(), lookalike_numbers=()))


def test_the_clip_of_an_enrolment_is_thinned_before_a_capture_is(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    _, data, size = sealed(engine, office, make_enrolment(frames=clip(60, 9000), photo=b"x" * 150_000))
    body = EnrolmentBody.model_validate_json(data)
    assert (len(body.captures), len(body.clip), body.clip_left_out) == (3, 27, 33)
    assert size < ENVELOPE_BYTES_MAX


def test_captures_too_large_for_a_request_are_not_cut() -> None:
    with pytest.raises(ValueError, match="larger"):
        enrolment_body(make_enrolment(photo=b"x" * (PHOTO_BYTES_MAX // 3)), "n", simulated=True)
