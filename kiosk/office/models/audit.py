"""Who did what, in a chain in which no link can be changed or taken out unnoticed."""

from __future__ import annotations

from django.db import models

from kiosk.office.models.base import WriteOnce


class AuditEntry(WriteOnce):
    """link = SHA-256 over the previous link and this entry; see `office.audit`. Holds no names and no numbers."""

    class Action(models.TextChoices):
        DECIDED = "decided", "审核办件"
        ENROLMENT_DECIDED = "enrolment_decided", "审核采集"
        PORTRAITS_RETIRED = "portraits_retired", "停用旧照片"
        PHOTO_SEEN = "photo_seen", "查看现场照片"
        CLIP_SEEN = "clip_seen", "查看现场片段"
        CAPTURE_SEEN = "capture_seen", "查看采集照片"
        PORTRAIT_SEEN = "portrait_seen", "查看留存照片"
        PERSON_CHANGED = "person_changed", "修改名册"
        ROSTER_IMPORTED = "roster_imported", "导入名册"
        CODE_ISSUED = "code_issued", "生成接入码"
        ENROLLED = "enrolled", "终端接入"
        REVOKED = "revoked", "停用终端"
        CONFLICT = "conflict", "警报：同一标识内容不同"
        CLONE = "clone", "警报：终端序号重复，可能被复制"
        HEAD_DIFFERS = "head_differs", "警报：终端审计链不一致"
        MISSING = "missing", "警报：终端已清除而本所没有的办件"
        BACKED_UP = "backed_up", "备份"
        BACKUP_FAILED = "backup_failed", "警报：备份失败"
        ARCHIVE_IMPORTED = "archive_imported", "从存档补回"
        RENEWED = "renewed", "终端更换密钥"
        BUNDLE_IMPORTED = "bundle_imported", "导入U盘"
        BUNDLE_EXPORTED = "bundle_exported", "导出U盘"
        DISTRICTS_CHANGED = "districts_changed", "修改终端所辖村"
        CONTENT_PUBLISHED = "content_published", "发布内容包"
        ERASED = "erased", "按期清除"
        WITHDRAWN = "withdrawn", "撤回同意"
        KEYS_CHANGED = "keys_changed", "更换本所密钥"
        ESCROW = "escrow", "托管密钥"

    n = models.BigIntegerField("序号", primary_key=True)
    at = models.DateTimeField("时间")
    actor = models.CharField("操作人", max_length=150)
    action = models.CharField("操作", max_length=20, choices=Action.choices)
    subject = models.CharField("对象", max_length=80)
    detail = models.JSONField("详情")
    link = models.CharField("链值", max_length=64)

    class Meta:
        verbose_name = verbose_name_plural = "操作记录"
        ordering = ["-n"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.n)
