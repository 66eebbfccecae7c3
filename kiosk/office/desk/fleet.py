"""Terminals: how they stand, enrolment codes, shown once, and revocation."""

from __future__ import annotations

import re
from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from kiosk.domain.short_code import grouped
from kiosk.office.desk.backups import backup_alarm
from kiosk.office.desk.base import ReadOnlyAdmin
from kiosk.office.desk.condition import ago, judge
from kiosk.office.districts import known_districts, set_districts
from kiosk.office.enrolment import VALID_FOR, IssuedCodes, issue_codes, revoke
from kiosk.office.heads import to_look_for
from kiosk.office.models import Terminal


class EnrolForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Terminal
        fields = ("id", "site")

    def validate_unique(self) -> None:
        """A terminal that is already known may enrol anew."""


@admin.register(Terminal)
class TerminalAdmin(ReadOnlyAdmin):
    list_display = ("id", "site", "condition", "heartbeat_shown", "standing", "last_seen")
    fields = ("id", "site", "standing", "last_seen")
    list_select_related = ("heartbeat",)
    change_list_template = "office/terminals.html"
    change_form_template = "office/terminal.html"

    @admin.display(description="接入情况")
    def standing(self, terminal: Terminal) -> str:
        key = terminal.keys.first()
        if key is None:
            return "未接入"
        return "已停用" if key.revoked else f"已接入（第 {key.epoch} 次）"

    @admin.display(description="情况")
    def condition(self, terminal: Terminal) -> SafeString:
        found = judge(terminal, timezone.now())
        return format_html('<span class="state {}">{}</span><br>{}', found.standing.value, found.label, found.summary)

    @admin.display(description="最近心跳")
    def heartbeat_shown(self, terminal: Terminal) -> str:
        last = getattr(terminal, "heartbeat", None)
        if last is None:
            return "—"
        return f"{ago(last.received, timezone.now())}（{date_format(timezone.localtime(last.received), 'n月j日 H:i')}）"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"backup_alarm": backup_alarm(timezone.now())} | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Terminal]:
        return super().get_queryset(request).prefetch_related("devices", "keys")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        terminal = self.get_object(request, object_id)
        context = {} if terminal is None else {
            "condition": judge(terminal, timezone.now()), "heartbeat": getattr(terminal, "heartbeat", None),
            "heartbeat_shown": self.heartbeat_shown(terminal), "head": to_look_for(terminal),
            "districts": sorted({*terminal.districts, *known_districts()}),
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("enrol/", view(self.enrol), name="office_terminal_enrol"),
            path("<str:pk>/districts/", view(require_POST(self.districts)), name="office_terminal_districts"),
            path("<str:pk>/revoke/", view(require_POST(self.revoke)), name="office_terminal_revoke"),
            *super().get_urls(),
        ]

    def enrol(self, request: HttpRequest) -> HttpResponse:
        self._need(request)
        form = EnrolForm(request.POST or None, initial={key: request.GET.get(key, "") for key in ("id", "site")})
        shown = {}
        if request.method == "POST" and form.is_valid():
            try:
                codes = issue_codes(form.cleaned_data["id"], form.cleaned_data["site"], request.user.get_username())
                shown = _shown(codes)
            except ValidationError as error:
                form.add_error(None, error)
        context = self.admin_site.each_context(request) | {
            "title": "接入终端", "opts": self.opts, "form": form, "minutes": int(VALID_FOR.total_seconds() // 60),
        } | shown
        return TemplateResponse(request, "office/enrol.html", context)

    def revoke(self, request: HttpRequest, pk: str) -> HttpResponse:
        self._need(request)
        if not request.POST.get("sure"):
            messages.warning(request, "没有停用：请先勾选确认。")
        elif revoke(pk, request.user.get_username()):
            messages.success(request, f"终端 {pk} 已停用，它送来的内容不再接收。")
        else:
            messages.warning(request, f"终端 {pk} 没有可停用的接入。")
        return HttpResponseRedirect(reverse("admin:office_terminal_changelist"))

    def districts(self, request: HttpRequest, pk: str) -> HttpResponse:
        self._need(request)
        names = [*request.POST.getlist("district"), *re.split(r"[、，,;；\r\n]", request.POST.get("more", ""))]
        try:
            changed = set_districts(pk, names, request.user.get_username())
        except Terminal.DoesNotExist:
            raise Http404 from None
        except ValueError:
            messages.warning(request, "没有修改：村（社区）名称过长。")
        else:
            messages.success(request, "所辖村（社区）已修改，终端下次联系时更新名册。" if changed else "所辖村（社区）没有变化。")
        return HttpResponseRedirect(reverse("admin:office_terminal_change", args=[pk]))

    def _need(self, request: HttpRequest) -> None:
        if not request.user.has_perm("office.enrol_terminal"):
            raise PermissionDenied


def _shown(codes: IssuedCodes) -> dict[str, str]:
    """Once, on this page: the long code as text and QR code, the short one in groups of four."""
    long = codes.long.encode()
    qr = segno.make_qr(long, error="m", boost_error=False)
    return {"code": long, "short": grouped(codes.short), "qr": qr.svg_data_uri(scale=4, border=4, light="white")}
