"""What a case and an enrolment have in common: whose it is, where it came from, and an officer's word on it.

Names, numbers and photographs stand in clear in the office's database for now; encryption of single fields is a
later issue. Until then the data directory belongs on an encrypted disk.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models

from kiosk.domain.document import CardKind
from kiosk.domain.liveness import Liveness
from kiosk.domain.names import mask_name
from kiosk.office.models.envelopes import Envelope
from kiosk.office.models.fleet import Terminal
from kiosk.sync.wire.models import ClockState

LIVENESS = [(Liveness.PASSED.value, "已完成"), (Liveness.FAILED.value, "未通过"), (Liveness.NOT_DONE.value, "未做")]


CLOCKS = [
    (ClockState.CONFIRMED.value, "已核对"),
    (ClockState.UNCONFIRMED.value, "开机后没有核对过"),
    (ClockState.UNKNOWN.value, "不详"),
]


class HandedIn(models.Model):
    """Subclasses add `state`, because its words differ; its values are those of State."""

    class State(models.TextChoices):
        PENDING = "pending", "待审核"
        ACCEPTED = "accepted", "通过"
        REJECTED = "rejected", "不通过"

    DOCUMENTS = [
        (CardKind.RESIDENT.value, "居民身份证"),
        (CardKind.HMT.value, "港澳台居民居住证"),
        (CardKind.FOREIGN_2017.value, "外国人永久居留身份证"),
        (CardKind.FOREIGN_2023.value, "外国人永久居留身份证"),
        (CardKind.SOCIAL_SECURITY.value, "社会保障卡（没有身份证）"),
    ]

    envelope = models.OneToOneField(Envelope, on_delete=models.PROTECT, primary_key=True, verbose_name="来件")
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, verbose_name="终端")
    case_number = models.CharField("受理编号", max_length=40, db_index=True)
    name = models.CharField("姓名", max_length=200)
    number = models.CharField("身份证号", max_length=18, db_index=True)
    sex = models.CharField("性别", max_length=2, choices=[("0", "未知"), ("1", "男"), ("2", "女"), ("9", "未说明")], blank=True)
    birth = models.DateField("出生日期", null=True)
    document = models.CharField("证件", max_length=20, choices=DOCUMENTS, blank=True, default="")
    """Empty in cases of before it was kept."""
    document_valid_to = models.DateField("证件有效期至", null=True)
    category = models.CharField("人员类别", max_length=80, blank=True)
    in_roster = models.BooleanField("终端名册中有此人")
    consent_scopes = models.JSONField("同意范围")
    consent_version = models.CharField("告知书版本", max_length=80)
    consent_given = models.DateTimeField("同意时间")
    captured = models.DateTimeField("采集时间", db_index=True)
    clock = models.CharField("终端时钟", max_length=16, choices=CLOCKS, default=ClockState.UNKNOWN.value)
    boot = models.CharField("启动标识", max_length=64, blank=True, default="")
    mono_ms = models.BigIntegerField("单调时钟（毫秒）", null=True)
    captured_by_office = models.DateTimeField("按本所时钟推算的采集时间", null=True)
    """From the boot and its monotonic clock; stands beside `captured` and never replaces it."""
    repeat = models.PositiveIntegerField("本期第几次重复", default=0)
    simulated = models.BooleanField("模拟数据", default=False)
    reason = models.CharField("不通过原因", max_length=400, blank=True)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, verbose_name="审核人")
    decided = models.DateTimeField("审核时间", null=True)
    version = models.PositiveIntegerField(default=1)
    """Optimistic lock: a decision names the version its officer saw."""
    outcome_version = models.BigIntegerField(null=True, editable=False, db_index=True)
    """Place of the decision among all that terminals are told, in commit order; empty: not decided, or before that was kept."""
    pictures_erased = models.DateTimeField("照片清除时间", null=True, editable=False)
    """When the bytes of its pictures were emptied; their rows stay."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.case_number

    @property
    def clock_in_doubt(self) -> bool:
        """The terminal's clock was never checked since it was switched on."""
        return self.clock == ClockState.UNCONFIRMED.value

    @property
    def capture_moment(self) -> dt.datetime:
        """What the period is counted from: the terminal's word, unless its clock was in doubt and the office knows better."""
        return self.captured_by_office or self.captured

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)


class LivenessReport(models.Model):
    """What was asked and seen, as the terminal told it; empty for terminals that told nothing."""

    liveness = models.CharField("动作检测", max_length=16, choices=LIVENESS)
    profile = models.CharField("检测方式", max_length=20, blank=True, default="")
    nonce = models.CharField("检测标识", max_length=128, blank=True, default="")
    order = models.JSONField("动作顺序", default=list)
    """Codes of the actions, in the order they were asked for."""
    checks: models.JSONField[Any, Any] = models.JSONField("各项检测", default=list)
    """Objects with check, outcome, value, limit, reason."""
    seconds = models.FloatField("用时（秒）", null=True)
    clip_left_out = models.PositiveIntegerField("未能上传的片段画面数", default=0)

    class Meta:
        abstract = True


class ClipFrame(models.Model):
    """A picture of an evidence clip. Shown by the desk's views only, which write down who looked."""

    position = models.PositiveIntegerField()
    t_ms = models.IntegerField()
    """Since the first request."""
    jpeg = models.BinaryField()

    class Meta:
        abstract = True
        default_permissions = ()
        ordering = ["position"]
