"""Backups that were opened again and checked, and what they hold: the meaning of `safe`."""

from __future__ import annotations

from django.db import models

from kiosk.office.models.envelopes import Envelope


class Backup(models.Model):
    id = models.CharField("备份标识", max_length=64, primary_key=True)
    taken = models.DateTimeField("备份时间", db_index=True)
    verified = models.DateTimeField("验证时间", null=True)
    """When the copy was opened again and every check held; only then it makes anything safe."""
    file = models.CharField("文件", max_length=300)
    size = models.BigIntegerField("大小（字节）", default=0)
    envelopes = models.PositiveIntegerField("来件数", default=0)
    trouble = models.CharField("问题", max_length=80, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "备份"
        default_permissions = ("view",)
        ordering = ["-taken"]

    def __str__(self) -> str:
        return self.id


class SafeEnvelope(models.Model):
    """An envelope, with all its pieces, that stands in a verified backup."""

    envelope = models.OneToOneField(Envelope, on_delete=models.PROTECT, primary_key=True)
    backup = models.ForeignKey(Backup, on_delete=models.PROTECT)

    class Meta:
        default_permissions = ()
