"""The roster (名册): who is due, and the portraits and templates to compare with."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from kiosk.domain.names import mask_name
from kiosk.domain.roster import TemplateSource
from kiosk.office.models.base import Counter

_VERSION = "roster"


class Person(models.Model):
    number = models.CharField("身份证号", max_length=18, unique=True)
    name = models.CharField("姓名", max_length=200)
    district = models.CharField("村（社区）", max_length=80, blank=True, db_index=True)
    """Empty: known to every terminal."""
    former_districts = models.JSONField("原村（社区）", default=list, blank=True, editable=False)
    """Where the person was before: the terminals there have to forget the entry."""
    category = models.CharField("人员类别", max_length=80, blank=True)
    """Empty: not known."""
    next_due = models.DateField("下次认证", null=True, blank=True)
    active = models.BooleanField("在册", default=True, help_text="取消后，终端上不再保存此人的信息。")
    version = models.BigIntegerField(editable=False, db_index=True)
    """Roster version of the last change: what a terminal at a lower version has not seen."""

    class Meta:
        verbose_name = verbose_name_plural = "名册人员"
        ordering = ["next_due", "pk"]
        default_permissions = ("view", "change")
        permissions = [("import_person", "导入名册"), ("withdraw_consent", "办理撤回同意")]

    def __str__(self) -> str:
        return f"{self.masked_name} {self.number[:3]}***{self.number[-4:]}"

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    def save_changed(self) -> None:
        """Saves under a fresh version, so that terminals pull it. Inside a transaction only."""
        self.version = Counter.take(_VERSION)
        before = Person.objects.filter(pk=self.pk).values_list("district", flat=True).first() if self.pk else None
        if before is not None and before != self.district and before not in self.former_districts:
            self.former_districts = [*self.former_districts, before]
        self.save()

    @staticmethod
    def tell_again(keys: Iterable[int]) -> None:
        """Fresh versions for people who have not changed themselves. Inside a transaction only."""
        people = list(Person.objects.filter(pk__in=list(keys)).order_by("version"))
        if not people:
            return
        first = Counter.take(_VERSION, len(people))
        for version, person in enumerate(people, start=first):
            person.version = version
        Person.objects.bulk_update(people, ["version"], batch_size=200)

    @staticmethod
    def roster_version() -> int:
        return Counter.current(_VERSION)


class Withdrawal(models.Model):
    """Somebody took back the consent to keep pictures and features. A consent given later counts again."""

    number = models.CharField("身份证号", max_length=18, primary_key=True)
    at = models.DateTimeField("撤回时间")

    class Meta:
        verbose_name = verbose_name_plural = "撤回同意"
        default_permissions = ()


class Portrait(models.Model):
    """A photograph to compare with, from the office's files or from an attended enrolment."""

    SOURCES = [
        (TemplateSource.ENROLLED.value, "现场采集"),
        (TemplateSource.PORTRAIT.value, "档案照片"),
        (TemplateSource.CHIP.value, "证件芯片照片"),
    ]

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="portraits")
    source_sha256 = models.CharField(max_length=64)
    """Digest of the picture it came from: the same file again is no second portrait."""
    jpeg = models.BinaryField()
    source = models.CharField("来源", max_length=20, choices=SOURCES, default=TemplateSource.PORTRAIT.value)
    taken_on = models.DateField("拍摄日期", null=True)
    added = models.DateTimeField(auto_now_add=True)
    retired = models.DateTimeField("停用时间", null=True)
    """Kept, but terminals compare with it no longer."""

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["person", "source_sha256"], name="one_portrait_per_file")]


class PersonTemplate(models.Model):
    """The embedding of one portrait by one engine."""

    portrait = models.ForeignKey(Portrait, on_delete=models.PROTECT, related_name="templates")
    engine = models.CharField(max_length=200)
    vector = models.JSONField()

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["portrait", "engine"], name="one_template_per_engine")]
