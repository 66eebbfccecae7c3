"""What terminals hand in, exactly as received, and what could not be opened of it."""

from __future__ import annotations

from django.db import models

from kiosk.office.models.base import WriteOnce
from kiosk.office.models.fleet import Terminal
from kiosk.sync.wire.models import AckLevel


class Envelope(WriteOnce):
    """The exact bytes a terminal sent, and the exact receipt it got for them."""

    LEVELS = [
        (AckLevel.HELD.value, "暂存（版本或密钥未知）"),
        (AckLevel.COMMITTED.value, "已收妥"),
        (AckLevel.SAFE.value, "已备份"),
    ]

    id = models.CharField("业务标识", max_length=36, primary_key=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, verbose_name="终端")
    epoch = models.PositiveIntegerField("接入次序")
    seq = models.PositiveBigIntegerField("序号")
    fork = models.PositiveIntegerField("重号", default=0)
    """Above 0: another case came with the same number before, from a copied disk; a newer enrolment stood up for this."""
    digest = models.CharField("摘要", max_length=64)
    raw = models.BinaryField("原文")
    signature = models.CharField("终端签名", max_length=128)
    received = models.DateTimeField("收到时间", db_index=True)
    day = models.DateField("采集日期", null=True, db_index=True)
    """Of the header: reconciliation groups by it."""
    pieces = models.PositiveSmallIntegerField("分片数", default=0)
    """How many `EnvelopePart` its header names; until all are there it stays unopened."""
    level = models.CharField("收妥程度", max_length=16, choices=LEVELS)
    """When it was received; what was held then and is understood now has an `EnvelopePromotion`."""
    receipt = models.BinaryField("回执")
    """Its signature is computed when it is sent: Ed25519 gives the same one each time."""
    erased = models.DateTimeField("清除时间", null=True, editable=False)
    """When `raw` was emptied. The row stays for ever: the same bytes sent again get the same receipt and change nothing."""

    class Meta:
        verbose_name = verbose_name_plural = "来件"
        ordering = ["-received"]
        default_permissions = ("view",)
        permissions = [("import_bundle", "导入U盘")]
        constraints = [models.UniqueConstraint(fields=["terminal", "epoch", "seq", "fork"], name="one_envelope_per_seq")]

    def __str__(self) -> str:
        return self.id


class EnvelopePromotion(WriteOnce):
    """An envelope that was held, and that a newer version or a further key can open: it counts as committed from here on."""

    envelope = models.OneToOneField(
        Envelope, on_delete=models.PROTECT, primary_key=True, related_name="promotion", verbose_name="来件",
    )
    at = models.DateTimeField("改为收妥的时间")
    receipt = models.BinaryField("新回执")

    class Meta:
        verbose_name = verbose_name_plural = "暂存后收妥"
        default_permissions = ()

    def __str__(self) -> str:
        return self.envelope_id


class OpeningFailure(models.Model):
    """An envelope that could not be opened (yet). Gone when it succeeds."""

    class Reason(models.TextChoices):
        SEALED = "sealed", "打不开：密钥不符或已损坏"
        FORM = "form", "内容格式不认识"
        INTERNAL = "internal", "程序出错，见日志"

    envelope = models.OneToOneField(Envelope, on_delete=models.PROTECT, primary_key=True, verbose_name="来件")
    reason = models.CharField("原因", max_length=16, choices=Reason.choices)
    failures = models.PositiveIntegerField("失败次数", default=0)
    last_try = models.DateTimeField("最近一次尝试")
    next_try = models.DateTimeField("下次尝试")

    class Meta:
        verbose_name = verbose_name_plural = "未能打开的来件"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.envelope_id
