"""Appending to the audit chain and checking it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

from django.db import transaction
from django.utils import timezone

from kiosk.office.models import AuditEntry, Counter

_START = "0" * 64


def append(actor: str, action: AuditEntry.Action, subject: str, **detail: str | int | bool) -> None:
    """Part of the caller's transaction. No names, no citizen numbers in `subject` or `detail`."""
    with transaction.atomic():
        n = Counter.take("audit")
        before = AuditEntry.objects.filter(pk=n - 1).values_list("link", flat=True).first() or _START
        entry = AuditEntry(n=n, at=timezone.now(), actor=actor, action=action.value, subject=subject, detail=detail)
        entry.link = _link(before, entry)
        entry.save()


def first_broken_link() -> int | None:
    """Number of the first entry that was changed, or that follows a removed one; None when the chain is whole.

    Entries cut off at the end are seen by their missing number only while the counter is intact.
    """
    link, n = _START, 0
    for entry in AuditEntry.objects.order_by("n").iterator():
        n += 1
        link = _link(link, entry)
        if entry.n != n or entry.link != link:
            return n
    return None if Counter.current("audit") == n else n + 1


def _link(before: str, entry: AuditEntry) -> str:
    at = entry.at.astimezone(dt.UTC).isoformat()
    covered = [before, entry.n, at, entry.actor, entry.action, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(covered, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
