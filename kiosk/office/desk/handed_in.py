"""What the lists and pages of cases and of enrolments have in common."""

from __future__ import annotations

import datetime as dt

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kiosk.domain.consent import ConsentScope
from kiosk.office import audit
from kiosk.office.desk.base import ReadOnlyAdmin
from kiosk.office.models import AuditEntry, Case, FaceEnrolment

SCOPES = {
    ConsentScope.MATCH.value: "本机比对", ConsentScope.SEND_PHOTO.value: "照片传至镇社保所",
    ConsentScope.ENROL.value: "采集面部特征",
}
_ONE_LOOK = dt.timedelta(minutes=10)


class HandedInAdmin(ReadOnlyAdmin):
    list_display_links = ("case_number",)
    list_select_related = ("terminal", "officer")
    search_fields = ("case_number", "name", "number")
    search_help_text = "按受理编号、姓名或身份证号查找"
    ordering = (F("decided").desc(nulls_first=True), "captured")  # what waits comes first, the oldest on top

    @admin.display(description="状态", ordering="state")
    def state_shown(self, one: Case | FaceEnrolment) -> SafeString:
        return format_html('<span class="state {}">{}</span>', one.state, one.get_state_display())

    @admin.display(description="身份证号")
    def number_shown(self, one: Case | FaceEnrolment) -> str:
        return f"{one.number[:3]}***{one.number[-4:]}"

    @admin.display(description="地点", ordering="terminal__site")
    def site(self, one: Case | FaceEnrolment) -> str:
        return one.terminal.site

    def may_look(self, request: HttpRequest) -> None:
        """Raises PermissionDenied for who may not see faces."""
        if not (request.user.has_perm("office.view_photo") and self.has_view_permission(request)):
            raise PermissionDenied


def looked(request: HttpRequest, action: AuditEntry.Action, one: Case | FaceEnrolment, picture_id: int) -> None:
    """Committed before a byte of the picture leaves."""
    with transaction.atomic(durable=True):
        audit.append(request.user.get_username(), action, one.case_number, picture=picture_id)


def looked_at_clip(request: HttpRequest, one: Case | FaceEnrolment, clip_id: int | str) -> None:
    """One entry for a look at a clip, not one for each of its dozens of pictures."""
    actor = request.user.get_username()
    look = AuditEntry.objects.filter(
        actor=actor, action=AuditEntry.Action.CLIP_SEEN, subject=one.case_number, detail={"clip": clip_id},
        at__gt=timezone.now() - _ONE_LOOK,
    )
    with transaction.atomic(durable=True):
        if not look.exists():
            audit.append(actor, AuditEntry.Action.CLIP_SEEN, one.case_number, clip=clip_id)
