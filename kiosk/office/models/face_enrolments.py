"""生物特征采集: an attended enrolment as a terminal handed it in. Its captures count only once an officer accepts them."""

from __future__ import annotations

from typing import Any

from django.db import models

from kiosk.domain.enrolment import View
from kiosk.office.models.handed_in import ClipFrame, HandedIn, LivenessReport


class FaceEnrolment(HandedIn, LivenessReport):
    class State(models.TextChoices):
        """Values of HandedIn.State."""

        PENDING = "pending", "待审核"
        ACCEPTED = "accepted", "已采用"
        REJECTED = "rejected", "不采用"

    staff = models.CharField("现场工作人员", max_length=80)
    engine = models.CharField("比对引擎", max_length=200)
    apart = models.FloatField("照片之间最大差异值")
    apart_max = models.FloatField("照片之间差异值上限")
    lookalikes: models.JSONField[Any, Any] = models.JSONField("相似人员", default=list)
    """Objects with number and distance, nearest first."""
    state = models.CharField("审核状态", max_length=16, choices=State.choices, default=State.PENDING, db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "生物特征采集"
        default_permissions = ("view",)
        permissions = [("decide_faceenrolment", "审核生物特征采集")]


class FaceCapture(models.Model):
    """One picture of an enrolment with the template made of it. Shown by the desk's view only."""

    VIEWS = [(View.FRONT.value, "正面"), (View.LEFT.value, "稍向左"), (View.RIGHT.value, "稍向右")]

    enrolment = models.ForeignKey(FaceEnrolment, on_delete=models.PROTECT, related_name="captures")
    position = models.PositiveIntegerField()
    view = models.CharField("角度", max_length=20, choices=VIEWS)
    engine = models.CharField("比对引擎", max_length=200)
    vector = models.JSONField()
    jpeg = models.BinaryField()

    class Meta:
        default_permissions = ()
        ordering = ["position"]


class EnrolmentClipFrame(ClipFrame):
    enrolment = models.ForeignKey(FaceEnrolment, on_delete=models.PROTECT, related_name="clip")
