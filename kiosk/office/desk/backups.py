"""Backups (备份): the last one that was checked, and of one that failed why and what to do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kiosk.office.backup.make import OVERDUE, is_overdue, is_there, newest_verified
from kiosk.office.desk.base import ReadOnlyAdmin
from kiosk.office.desk.device_words import Words
from kiosk.office.models import Backup

_CALL = "请马上联系技术员"
_TROUBLES = {
    "no_folder": Words("备份文件夹不在", "请检查备份盘是否插好、通电；还不行请联系技术员"),
    "folder_unusable": Words("备份盘读写出错", "请检查备份盘是否插好，可能要换盘，请联系技术员"),
    "disk_full": Words("备份盘空间不够", "请联系技术员清理备份盘或换更大的盘，不要自己删除备份"),
    "not_written": Words("备份没有写成", _CALL),
    "damaged": Words("写好的备份打不开或有损坏", "备份盘可能有故障，请马上联系技术员检查，必要时换盘"),
    "unreadable": Words("写好的备份读不出来", "备份盘可能有故障，请马上联系技术员检查，必要时换盘"),
    "foreign_keys": Words("备份中的记录互相对不上", "数据库可能有损坏，请不要重启，马上联系技术员"),
    "digest_differs": Words("备份中有来件与收到时不一致", "数据库可能有损坏或被改动，请马上联系技术员"),
    "envelopes_missing": Words("备份中少了以前备份过的来件", "数据库可能有损坏或被改动，请马上联系技术员"),
    "pieces_missing": Words("备份中少了以前备份过的来件分片", "数据库可能有损坏或被改动，请马上联系技术员"),
    "no_tools": Words("本机没有PostgreSQL备份工具", "请联系技术员安装postgresql-client"),
    "no_scratch_database": Words("不能建立验证备份用的临时数据库", "请联系技术员给数据库用户建库的权限"),
}


def words(trouble: str) -> Words:
    return _TROUBLES.get(trouble, Words(f"代码 {trouble}", _CALL))


def backup_alarm(now: dt.datetime) -> Words | None:
    """None while a verified backup is young enough."""
    if not is_overdue(now):
        return None
    last, newest = newest_verified(), Backup.objects.order_by("-taken").first()
    hours = int(OVERDUE.total_seconds()) // 3600
    since = f"最近一次验证过的备份是{_moment(last.taken)}，已超过{hours}小时" if last else "还没有验证过的备份"
    kept = "在备份好之前，各终端会一直保存已送来的办件"
    if newest is not None and newest.trouble:
        found = words(newest.trouble)
        return Words(f"{since}。最近一次备份失败：{found.wrong}", f"{found.to_do}。{kept}")
    return Words(since, f"请确认备份盘已插好；一小时内还没有备份请联系技术员。{kept}")


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    list_display = fields = ("taken", "outcome", "to_do", "envelopes", "size_shown", "verified", "file_shown")
    list_display_links = None
    change_list_template = "office/backups.html"

    @admin.display(description="结果")
    def outcome(self, backup: Backup) -> SafeString:
        colour, text = ("fault", f"备份失败：{words(backup.trouble).wrong}") if backup.trouble else ("well", "已验证")
        return format_html('<span class="state {}">{}</span>', colour, text)

    @admin.display(description="怎么办")
    def to_do(self, backup: Backup) -> str:
        return words(backup.trouble).to_do if backup.trouble else "—"

    @admin.display(description="大小")
    def size_shown(self, backup: Backup) -> str:
        return f"{backup.size / 1_000_000:.1f} MB" if backup.size else "—"

    @admin.display(description="文件")
    def file_shown(self, backup: Backup) -> str:
        if backup.trouble:
            return "—"
        if not backup.file:
            return "已删除（有更新的备份）"
        return backup.file if is_there(backup) else f"{backup.file}（不在备份盘上）"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        last = newest_verified()
        context = {"backup_alarm": backup_alarm(timezone.now()), "last_verified": last and _moment(last.taken)}
        return super().changelist_view(request, context | (extra_context or {}))


def _moment(at: dt.datetime) -> str:
    return date_format(timezone.localtime(at), "n月j日 H:i")
