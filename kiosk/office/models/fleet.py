"""Terminals, the keys they enrolled with, the tokens that let them in, and what they last told of themselves."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models

_TERMINAL_ID = RegexValidator(r"\A[A-Z0-9]{2,8}\Z", "终端编号为2至8位大写字母或数字")


class Terminal(models.Model):
    id = models.CharField("终端编号", max_length=8, primary_key=True, validators=[_TERMINAL_ID])
    site = models.CharField("安放地点", max_length=80)
    districts = models.JSONField("所辖村（社区）", default=list, blank=True)
    """Names of districts; empty: the terminal gets the whole roster."""
    former_districts = models.JSONField("原辖村（社区）", default=list, blank=True, editable=False)
    """What it had before and has to forget; an empty name stands for the whole roster."""
    last_seen = models.DateTimeField("最近联系", null=True, editable=False)
    clone_noticed = models.DateTimeField("发现可能被复制", null=True, editable=False)
    """When two machines were first seen with this identity; empty again after the next enrolment."""
    head_differs = models.DateTimeField("发现审计链不一致", null=True, editable=False)
    """When its audit chain first contradicted what it had told before; empty again after the next enrolment."""
    head_differs_from = models.DateTimeField("审计链从何时起不一致", null=True, editable=False)
    """When the oldest head was told that is not in the chain any more."""
    algorithms = models.JSONField("允许的加密算法", default=list, blank=True)
    """Names of `wire.suites`; empty: those of the office's own settings."""

    class Meta:
        verbose_name = verbose_name_plural = "终端"
        ordering = ["id"]
        default_permissions = ("view",)
        permissions = [("enrol_terminal", "接入和停用终端")]

    def __str__(self) -> str:
        return self.id


class TerminalKey(models.Model):
    """One enrolment. Earlier epochs stay: what a terminal sealed before it enrolled anew is still its own word."""

    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="keys", verbose_name="终端")
    epoch = models.PositiveIntegerField("接入次序")
    name = models.CharField("终端自报名称", max_length=80)
    signing_key = models.CharField("签名公钥", max_length=64)
    """Ed25519, hex: envelopes and requests of this epoch are signed by it."""
    sealing_key = models.CharField("加密公钥", max_length=64)
    """X25519, hex: pulls are sealed to it."""
    enrolled = models.DateTimeField("接入时间")
    revoked = models.DateTimeField("停用时间", null=True)
    renewed_from = models.PositiveIntegerField("由第几次接入更换", null=True)
    """Epoch whose key asked for this one; empty: enrolled with a code."""

    class Meta:
        verbose_name = verbose_name_plural = "终端密钥"
        ordering = ["terminal_id", "-epoch"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["terminal", "epoch"], name="one_key_per_epoch")]

    def __str__(self) -> str:
        return f"{self.terminal_id} / {self.epoch}"


class EnrolmentToken(models.Model):
    """A one-time secret; only its SHA-256 is here."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)
    epoch = models.PositiveIntegerField(null=True)
    """What it was used for: the same terminal asking again gets the same answer."""
    proof_key = models.CharField(max_length=64, blank=True, default="")
    """`wire.enrolment.proof_key`, hex; emptied once the token is past."""

    class Meta:
        default_permissions = ()


class Heartbeat(models.Model):
    """The last one taken from a terminal; the one before is gone. Times but `received` are by the terminal's clock."""

    terminal = models.OneToOneField(Terminal, on_delete=models.CASCADE, primary_key=True, verbose_name="终端")
    received = models.DateTimeField("最近心跳")
    sent = models.DateTimeField("终端时钟")
    epoch = models.PositiveIntegerField("接入次序")
    app_version = models.CharField("软件版本", max_length=40)
    terminal_seen = models.DateTimeField("终端程序最近运行", null=True)
    unsent = models.PositiveIntegerField("未送出的办件")
    held = models.PositiveIntegerField("暂存的办件")
    dead = models.PositiveIntegerField("被拒收的办件")
    oldest_unsent_s = models.PositiveIntegerField("最早一件等了几秒", null=True)
    roster_version = models.BigIntegerField("名册版本")
    free_mb = models.PositiveIntegerField("剩余磁盘（MB）", null=True)
    content_version = models.PositiveIntegerField("内容包版本", default=0)
    office_kids: models.JSONField[Any, Any] = models.JSONField("所知本所密钥", default=list)
    """Ids of the office's signing keys this terminal trusts."""

    class Meta:
        verbose_name = verbose_name_plural = "心跳"
        default_permissions = ()

    def __str__(self) -> str:
        return self.terminal_id


class DeviceReport(models.Model):
    """A device of a terminal, as its last heartbeat told. Kind, state and reason are text: terminals may be newer."""

    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="devices", verbose_name="终端")
    kind = models.CharField("设备", max_length=20)
    state = models.CharField("状态", max_length=20)
    reason = models.CharField("原因", max_length=40, blank=True)
    since = models.DateTimeField("从何时起", null=True)
    """By the terminal's clock."""
    received = models.DateTimeField("收到时间")

    class Meta:
        verbose_name = verbose_name_plural = "设备状态"
        default_permissions = ()
        ordering = ["terminal_id", "kind"]
        constraints = [models.UniqueConstraint(fields=["terminal", "kind"], name="one_report_per_device")]

    def __str__(self) -> str:
        return f"{self.terminal_id} / {self.kind}"


class TerminalBoot(models.Model):
    """A start of a terminal, as its heartbeats told. A boot id never comes back: within one enrolment, one that
    does is of another machine."""

    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="boots", verbose_name="终端")
    epoch = models.PositiveIntegerField("接入次序")
    boot = models.CharField("启动标识", max_length=64)
    mono_ms = models.BigIntegerField("单调时钟（毫秒）")
    received = models.DateTimeField("收到时间")
    """Of the heartbeat that told `mono_ms`: together they date whatever else happened in this boot."""

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["terminal", "epoch", "boot"], name="one_row_per_boot")]

    def __str__(self) -> str:
        return f"{self.terminal_id} / {self.boot}"
