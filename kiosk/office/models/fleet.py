"""Terminals, the keys they enrolled with, and the tokens that let them in."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

_TERMINAL_ID = RegexValidator(r"\A[A-Z0-9]{2,8}\Z", "终端编号为2至8位大写字母或数字")


class Terminal(models.Model):
    id = models.CharField("终端编号", max_length=8, primary_key=True, validators=[_TERMINAL_ID])
    site = models.CharField("安放地点", max_length=80)
    last_seen = models.DateTimeField("最近联系", null=True, editable=False)

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

    class Meta:
        default_permissions = ()
