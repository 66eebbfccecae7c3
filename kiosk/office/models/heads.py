"""Heads of the terminals' audit chains, as they told them: what a terminal once had must be found there again."""

from __future__ import annotations

from django.db import models

from kiosk.office.models.base import WriteOnce
from kiosk.office.models.fleet import Terminal


class TerminalHead(WriteOnce):
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="heads", verbose_name="终端")
    epoch = models.PositiveIntegerField("接入次序")
    n = models.BigIntegerField("序号")
    link = models.CharField("链值", max_length=64)
    told = models.DateTimeField("收到时间")
    by_case = models.BooleanField("随办件收到", default=False)
    """Told by no heartbeat yet, only by an envelope."""

    class Meta:
        verbose_name = verbose_name_plural = "终端审计链"
        default_permissions = ("view",)
        ordering = ["terminal_id", "-n"]
        constraints = [models.UniqueConstraint(fields=["terminal", "n", "link"], name="one_row_per_head")]
