"""The case (办件) found inside an envelope: every face try, its photographs and clips, and the decision."""

from __future__ import annotations

from django.db import models

from kiosk.domain.case import Item
from kiosk.domain.decision import Outcome
from kiosk.office.models.handed_in import ClipFrame, HandedIn, LivenessReport


class Case(HandedIn):
    class Cause(models.TextChoices):
        """Why an officer looks at it; derived when the envelope is opened."""

        UNLISTED = "unlisted", "不在名册"
        CONFIRM = "confirm", "比对通过，待确认"
        NO_PORTRAIT = "no_portrait", "没有可比对的照片"
        ENROL_AGAIN = "enrol_again", "模板不适用，需重新采集"
        NO_LIVENESS = "no_liveness", "未完成动作"
        UNSURE = "unsure", "比对把握不足"

    ITEMS = [(Item.CERTIFICATION.value, "领取养老（工伤）待遇资格认证")]
    OUTCOMES = [
        (Outcome.PASSED.value, "比对通过"),
        (Outcome.MANUAL_REVIEW.value, "转人工审核"),
        (Outcome.NOT_MATCHED.value, "未比对上"),
    ]

    item = models.CharField("事项", max_length=8, choices=ITEMS)
    outcome = models.CharField("终端比对结果", max_length=16, choices=OUTCOMES)
    cause = models.CharField("送审原因", max_length=16, choices=Cause.choices)
    photos_left_out = models.PositiveIntegerField("未能上传的照片数", default=0)
    state = models.CharField(
        "审核状态", max_length=16, choices=HandedIn.State.choices, default=HandedIn.State.PENDING, db_index=True,
    )

    class Meta:
        verbose_name = verbose_name_plural = "办件"
        default_permissions = ("view",)
        permissions = [("decide_case", "审核办件")]


class FaceAttempt(LivenessReport):
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attempts")
    position = models.PositiveIntegerField("第几次")
    distance = models.FloatField("差异值", null=True)
    raw_distance = models.FloatField("未归一的差异值", null=True)
    frames = models.PositiveIntegerField("画面数")
    templates = models.PositiveIntegerField("模板数")
    foreign = models.PositiveIntegerField("不适用的模板数", default=0)
    chip_only = models.BooleanField("只有证件芯片照片", default=False)
    engine = models.CharField("比对引擎", max_length=200)
    threshold_set = models.CharField("阈值组", max_length=80, blank=True, default="")

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


class AttemptClipFrame(ClipFrame):
    attempt = models.ForeignKey(FaceAttempt, on_delete=models.PROTECT, related_name="clip")
