"""The heads of the terminals' audit chains: kept as told, held against each other, counter-signed.

A chain only grows. A head shorter than one told before means entries were cut off or the machine was rolled back; the same
length with another link means entries were changed. Compared is what was told since the terminal was last let in with a
code: renewed keys continue the chain, a machine enrolled anew may have begun a fresh one.
"""

from __future__ import annotations

import datetime as dt

from django.db import models, transaction
from django.utils import timezone

from kiosk.domain.period import local_day
from kiosk.office import audit
from kiosk.office.models import AuditEntry, Terminal, TerminalHead, TerminalKey
from kiosk.sync.wire.models import AuditHead, EnvelopeHeader

KEPT_WHOLE = dt.timedelta(days=30)
"""After that one head a day stays, the last one."""
_OVERTAKEN = dt.timedelta(minutes=15)
"""A case may overtake a heartbeat that says less, but not for longer than this."""


def told_by_heartbeat(terminal_id: str, epoch: int, head: AuditHead, now: dt.datetime) -> None:
    """Of a heartbeat that was taken, so they come in order. Part of the caller's transaction."""
    known_by_then = models.Q(by_case=False) | models.Q(told__lte=now - _OVERTAKEN)
    first = _since_let_in(terminal_id, epoch).filter(known_by_then, n__gt=head.n).order_by("n").first()
    if first is not None:
        _notice(first, "shorter", head)
    _tell(terminal_id, epoch, head, now, by_case=False)


def told_by_case(header: EnvelopeHeader, now: dt.datetime) -> None:
    """Of an envelope that is new here; it may have waited for weeks. Part of the caller's transaction."""
    _tell(header.kiosk, header.epoch, header.audit, now, by_case=True)


def differs(terminal_id: str) -> bool:
    """Then nothing more is counter-signed until staff has let the terminal in anew."""
    return Terminal.objects.filter(pk=terminal_id).exclude(head_differs=None).exists()


def to_look_for(terminal: Terminal) -> TerminalHead | None:
    """What must stand in the terminal's chain, for whoever checks it there: the head that is contradicted, else the newest."""
    told = TerminalHead.objects.filter(terminal_id=terminal.pk)
    if terminal.head_differs_from is not None:
        told = told.filter(told__lte=terminal.head_differs_from)
    return told.order_by("-told", "-n").first()


def thin_out(terminal_id: str, now: dt.datetime) -> int:
    """Keeps all of `KEPT_WHOLE`, then the last of each local day; how many went."""
    old = list(TerminalHead.objects.filter(terminal_id=terminal_id, told__lt=now - KEPT_WHOLE).order_by("told", "n"))
    last_of_day = {local_day(one.told): one.pk for one in old}
    superfluous = {one.pk for one in old} - set(last_of_day.values())
    gone, _ = models.QuerySet[TerminalHead](TerminalHead).filter(pk__in=superfluous).delete()
    return gone


def _tell(terminal_id: str, epoch: int, head: AuditHead, now: dt.datetime, by_case: bool) -> None:
    if head.n == 0:  # before the first entry there is nothing to hold against anything
        return
    other = _since_let_in(terminal_id, epoch).filter(n=head.n).exclude(link=head.link).order_by("told").first()
    if other is not None:
        _notice(other, "another_link", head)
    last = TerminalHead.objects.filter(terminal_id=terminal_id).order_by("-told").first()
    TerminalHead.objects.get_or_create(
        terminal_id=terminal_id, n=head.n, link=head.link, defaults={"epoch": epoch, "told": now, "by_case": by_case},
    )
    if not by_case:
        same = models.QuerySet[TerminalHead](TerminalHead).filter(terminal_id=terminal_id, n=head.n, link=head.link)
        same.filter(by_case=True).update(by_case=False)
    if last is not None and local_day(last.told) != local_day(now):
        thin_out(terminal_id, now)


def _since_let_in(terminal_id: str, epoch: int) -> models.QuerySet[TerminalHead]:
    """Heads of this enrolment and of those whose keys were only renewed into it."""
    renewed_from = dict(TerminalKey.objects.filter(terminal_id=terminal_id).values_list("epoch", "renewed_from"))
    epochs = {epoch}
    while (before := renewed_from.get(epoch)) is not None and before not in epochs:
        epochs.add(before)
        epoch = before
    return TerminalHead.objects.filter(terminal_id=terminal_id, epoch__in=epochs)


def _notice(known: TerminalHead, sign: str, head: AuditHead) -> None:
    """An alarm on the desk, until the terminal is let in anew; written to the audit once."""
    with transaction.atomic():
        fresh = Terminal.objects.filter(pk=known.terminal_id, head_differs=None)
        if fresh.update(head_differs=timezone.now(), head_differs_from=known.told):
            audit.append(
                known.terminal_id, AuditEntry.Action.HEAD_DIFFERS, known.terminal_id, sign=sign, n=head.n, known=known.n,
                known_link=known.link, told_link=head.link,
            )
