"""Pieces of cases too large for one request, as received."""

from __future__ import annotations

from django.db import models

from kiosk.office.models.base import WriteOnce
from kiosk.office.models.fleet import Terminal


class EnvelopePart(WriteOnce):
    sha256 = models.CharField("摘要", max_length=64, primary_key=True)
    case_id = models.CharField("业务标识", max_length=36, db_index=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, verbose_name="终端")
    raw = models.BinaryField("原文")
    received = models.DateTimeField("收到时间")

    class Meta:
        verbose_name = verbose_name_plural = "来件分片"
        default_permissions = ()
