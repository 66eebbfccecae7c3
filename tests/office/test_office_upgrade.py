"""An office with data in it is brought up to date: nothing lost, old rows have the defaults, pages open."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from townhall import Terminal, body

from kiosk.office.models import Case, Envelope, Portrait
from kiosk.office.pull import roster_pull
from kiosk.sync.wire.keys import public_hex

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


def migrate(name: str):
    """The models as they are after it."""
    executor = MigrationExecutor(connection)
    executor.migrate([("office", name)])
    return executor.loader.project_state([("office", name)]).apps


@pytest.mark.django_db(transaction=True)
def test_cases_and_portraits_of_before_the_reports() -> None:
    old = migrate("0003_document")
    try:
        terminal = old.get_model("office", "Terminal").objects.create(id="HG01", site="x")
        envelope = old.get_model("office", "Envelope")(
            id="a" * 36, terminal=terminal, epoch=1, seq=1, digest="0" * 64, raw=b"x", signature="", received=NOW,
            level="committed", receipt=b"{}",
        )
        envelope.save()
        case = old.get_model("office", "Case").objects.create(
            envelope=envelope, terminal=terminal, item="12", case_number="HG01-1", name="张测试", number="999901195001010020",
            in_roster=True, outcome="manual_review", cause="unsure", consent_scopes=["match"], consent_version="1",
            consent_given=NOW, captured=NOW,
        )
        old.get_model("office", "FaceAttempt").objects.create(
            case=case, position=1, distance=0.47, frames=5, templates=2, liveness="passed", engine="e",
        )
        person = old.get_model("office", "Person").objects.create(number="999901195001010020", name="张测试", version=1)
        old.get_model("office", "Counter").objects.create(name="roster", value=1)
        portrait = old.get_model("office", "Portrait").objects.create(person=person, source_sha256="0" * 64, jpeg=b"x")
        old.get_model("office", "PersonTemplate").objects.create(portrait=portrait, engine="e", vector=[0.5])
    finally:
        migrate("0005_nothing_lost")

    attempt = Case.objects.get().attempts.get()
    assert (attempt.distance, attempt.checks, attempt.order, attempt.seconds, attempt.foreign) == (0.47, [], [], None, 0)
    kept = Portrait.objects.get()
    assert (kept.source, kept.taken_on, kept.retired) == ("portrait", None, None)
    pull = roster_pull(0, terminal.pk)
    assert pull is not None
    assert [(one.engine, one.vector, one.source) for one in pull.entries[0].templates] == [("e", (0.5,), "portrait")]
    desk = Client()
    desk.force_login(User.objects.create_superuser("root"))
    text = desk.get(reverse("admin:office_case_change", args=["a" * 36])).content.decode()
    assert "终端没有送来分项检测记录" in text and "建议重新采集" in text


@pytest.mark.django_db(transaction=True)
def test_envelopes_of_before_get_the_day_of_their_header() -> None:
    terminal = Terminal(office_sealing=public_hex(X25519PrivateKey.generate().public_key()))
    case_id, data = terminal.envelope(body())
    old = migrate("0004_face_enrolment")
    try:
        one = old.get_model("office", "Terminal").objects.create(id="HG01", site="x")
        for seq, (pk, raw) in enumerate([(case_id, data), ("a" * 36, b"no envelope")]):
            old.get_model("office", "Envelope").objects.bulk_create([old.get_model("office", "Envelope")(
                id=pk, terminal=one, epoch=1, seq=seq, digest="0" * 64, raw=raw, signature="", received=NOW,
                level="committed", receipt=b"{}",
            )])
    finally:
        migrate("0005_nothing_lost")
    kept = {one.pk: (one.day, one.pieces, bytes(one.raw)) for one in Envelope.objects.all()}
    assert kept == {case_id: (dt.date(2026, 11, 23), 0, data), "a" * 36: (None, 0, b"no envelope")}
