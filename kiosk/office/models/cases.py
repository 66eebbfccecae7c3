"""What terminals hand in: the envelope as received, and the case (办件) found inside.

Names, numbers and photographs stand in clear in the office's database for now; encryption of single fields is a
later issue. Until then the data directory belongs on an encrypted disk.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from kiosk.domain.case import Item
from kiosk.domain.decision import Liveness, Outcome
from kiosk.domain.document import CardKind
from kiosk.domain.names import mask_name
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
    digest = models.CharField("摘要", max_length=64)
    raw = models.BinaryField("原文")
    signature = models.CharField("终端签名", max_length=128)
    received = models.DateTimeField("收到时间", db_index=True)
    level = models.CharField("收妥程度", max_length=16, choices=LEVELS)
    receipt = models.BinaryField("回执")
    """Its signature is computed when it is sent: Ed25519 gives the same one each time."""

    class Meta:
        verbose_name = verbose_name_plural = "来件"
        ordering = ["-received"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["terminal", "epoch", "seq"], name="one_envelope_per_seq")]

    def __str__(self) -> str:
        return self.id


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


class Case(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", "待审核"
        ACCEPTED = "accepted", "通过"
        REJECTED = "rejected", "不通过"

    class Cause(models.TextChoices):
        """Why an officer looks at it; derived when the envelope is opened."""

        UNLISTED = "unlisted", "不在名册"
        CONFIRM = "confirm", "比对通过，待确认"
        NO_PORTRAIT = "no_portrait", "没有可比对的照片"
        NO_LIVENESS = "no_liveness", "未完成动作"
        UNSURE = "unsure", "比对把握不足"

    ITEMS = [(Item.CERTIFICATION.value, "领取养老（工伤）待遇资格认证")]
    OUTCOMES = [
        (Outcome.PASSED.value, "比对通过"),
        (Outcome.MANUAL_REVIEW.value, "转人工审核"),
        (Outcome.NOT_MATCHED.value, "未比对上"),
    ]

    DOCUMENTS = [
        (CardKind.RESIDENT.value, "居民身份证"),
        (CardKind.HMT.value, "港澳台居民居住证"),
        (CardKind.FOREIGN_2017.value, "外国人永久居留身份证"),
        (CardKind.FOREIGN_2023.value, "外国人永久居留身份证"),
        (CardKind.SOCIAL_SECURITY.value, "社会保障卡（没有身份证）"),
    ]

    envelope = models.OneToOneField(Envelope, on_delete=models.PROTECT, primary_key=True, verbose_name="来件")
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, verbose_name="终端")
    item = models.CharField("事项", max_length=8, choices=ITEMS)
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
    outcome = models.CharField("终端比对结果", max_length=16, choices=OUTCOMES)
    cause = models.CharField("送审原因", max_length=16, choices=Cause.choices)
    consent_scopes = models.JSONField("同意范围")
    consent_version = models.CharField("告知书版本", max_length=80)
    consent_given = models.DateTimeField("同意时间")
    photos_left_out = models.PositiveIntegerField("未能上传的照片数", default=0)
    captured = models.DateTimeField("采集时间", db_index=True)
    repeat = models.PositiveIntegerField("本期第几次重复", default=0)
    simulated = models.BooleanField("模拟数据", default=False)
    state = models.CharField("审核状态", max_length=16, choices=State.choices, default=State.PENDING, db_index=True)
    reason = models.CharField("不通过原因", max_length=400, blank=True)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, verbose_name="审核人")
    decided = models.DateTimeField("审核时间", null=True)
    version = models.PositiveIntegerField(default=1)
    """Optimistic lock: a decision names the version its officer saw."""

    class Meta:
        verbose_name = verbose_name_plural = "办件"
        default_permissions = ("view",)
        permissions = [("decide_case", "审核办件")]

    def __str__(self) -> str:
        return self.case_number

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)


class FaceAttempt(models.Model):
    LIVENESS = [(Liveness.PASSED.value, "已完成"), (Liveness.FAILED.value, "未通过"), (Liveness.NOT_DONE.value, "未做")]

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attempts")
    position = models.PositiveIntegerField("第几次")
    distance = models.FloatField("差异值", null=True)
    frames = models.PositiveIntegerField("画面数")
    templates = models.PositiveIntegerField("模板数")
    liveness = models.CharField("动作检测", max_length=16, choices=LIVENESS)
    engine = models.CharField("比对引擎", max_length=200)

    class Meta:
        default_permissions = ()
        ordering = ["position"]


class Photo(models.Model):
    """A live photograph. Never a static file: only the desk's view shows it, and writes down who looked."""

    attempt = models.ForeignKey(FaceAttempt, on_delete=models.PROTECT, related_name="photos")
    position = models.PositiveIntegerField()
    jpeg = models.BinaryField()

    class Meta:
        verbose_name = verbose_name_plural = "照片"
        default_permissions = ("view",)
        ordering = ["position"]
