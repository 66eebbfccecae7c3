"""Which algorithms a terminal may seal with: the office's own list, for all or for one of them. Never the message's choice."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from kiosk.office.models import Terminal
from kiosk.sync.wire.suites import SUITES


def allowed(terminal_id: str) -> Collection[str]:
    """Only what is known here, whatever the lists say."""
    own = Terminal.objects.filter(pk=terminal_id).values_list("algorithms", flat=True).first()
    return [name for name in own or settings.OFFICE.algorithms if name in SUITES]
