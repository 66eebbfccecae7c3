"""The queue and the page on which an officer decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from kiosk.domain.period import local_day
from kiosk.office.decision import counts, decide
from kiosk.office.desk.base import picture
from kiosk.office.desk.face_notes import face_notes
from kiosk.office.desk.handed_in import SCOPES, HandedInAdmin, looked, looked_at_clip
from kiosk.office.desk.liveness_words import shown
from kiosk.office.models import AttemptClipFrame, AuditEntry, Case, FaceEnrolment, Person, Photo, Portrait, Withdrawal
from kiosk.office.renewal import why_enrol_again


class DecisionForm(forms.Form):
    version = forms.IntegerField()
    verdict = forms.ChoiceField(choices=[("accept", "通过"), ("reject", "不通过")])
    reason = forms.ChoiceField(
        required=False, choices=[("", "请选择原因"), *((reason, reason) for reason in settings.OFFICE.reasons)],
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("verdict") == "reject" and not cleaned.get("reason"):
            self.add_error("reason", "不通过时要选择原因。")
        return cleaned


@admin.register(Case)
class CaseAdmin(HandedInAdmin):
    list_display = ("state_shown", "case_number", "name", "number_shown", "cause_shown", "site", "captured", "officer", "decided")
    list_filter = ("state", "cause", ("terminal__site", admin.AllValuesFieldListFilter), "captured", "simulated")
    change_list_template = "office/cases.html"

    @admin.display(description="送审原因", ordering="cause")
    def cause_shown(self, case: Case) -> SafeString:
        mark = format_html(' <span class="simulated">模拟</span>') if case.simulated else ""
        return format_html("{}{}", case.get_cause_display(), mark)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        waiting = FaceEnrolment.objects.filter(state=FaceEnrolment.State.PENDING).count()
        return super().changelist_view(request, {"enrolments": waiting} | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("face-notes/", view(require_GET(face_notes)), name="office_face_notes"),
            path("photo/<int:pk>/", view(require_GET(self.photo)), name="office_photo"),
            path("clip/<int:pk>/", view(require_GET(self.clip_frame)), name="office_clip_frame"),
            path("portrait/<int:pk>/<str:case_id>/", view(require_GET(self.portrait)), name="office_portrait"),
            path("<str:pk>/decide/", view(require_POST(self.decide)), name="office_case_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        case = get_object_or_404(Case.objects.select_related("terminal", "officer", "envelope"), pk=object_id)
        return self._page(request, case, DecisionForm())

    def _page(self, request: HttpRequest, case: Case, form: DecisionForm, status: int = 200) -> HttpResponse:
        person = Person.objects.filter(number=case.number, active=True).first()
        photos = Photo.objects.filter(attempt__case=case).order_by("-attempt__position", "position").defer("jpeg")
        waiting = Case.objects.filter(state=Case.State.PENDING).exclude(pk=case.pk).order_by("captured")
        attempts = list(case.attempts.order_by("-position"))
        context = self.admin_site.each_context(request) | {
            "title": f"办件 {case.case_number}", "opts": self.opts, "case": case, "form": form, "person": person,
            "attempts": attempts, "photos": photos,
            "reports": [(one, shown(one), one.clip.exclude(jpeg=b"").defer("jpeg")) for one in attempts],
            "portraits": Portrait.objects.filter(person=person, retired=None).defer("jpeg") if person else [],
            "withdrawn": Withdrawal.objects.filter(number=case.number).first(),
            "enrol_again": why_enrol_again(case, person, local_day(timezone.now())),
            "enrolments": FaceEnrolment.objects.filter(number=case.number).order_by("-captured")[:3],
            "scopes": [SCOPES.get(scope, scope) for scope in case.consent_scopes],
            "others": Case.objects.filter(number=case.number).exclude(pk=case.pk).order_by("-captured")[:3],
            "next": waiting.first(), "waiting": waiting.count(), "counts": counts(case),
            "may_see": request.user.has_perm("office.view_photo"), "may_decide": request.user.has_perm("office.decide_case"),
        }
        return TemplateResponse(request, "office/case.html", context, status=status)

    def decide(self, request: HttpRequest, pk: str) -> HttpResponse:
        officer = request.user
        if not officer.is_authenticated or not officer.has_perm("office.decide_case"):
            raise PermissionDenied
        case = get_object_or_404(Case.objects.select_related("terminal", "officer", "envelope"), pk=pk)
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self._page(request, case, form, status=422)
        accepted = form.cleaned_data["verdict"] == "accept"
        reason = "" if accepted else form.cleaned_data["reason"]
        if decide(pk, form.cleaned_data["version"], accepted, reason, officer):
            messages.success(request, f"{case.case_number} 已审核：{'通过' if accepted else '不通过'}。")
        else:
            messages.error(request, "已被他人处理，您的操作没有生效。请看下面的审核结果。")
        return HttpResponseRedirect(reverse("admin:office_case_change", args=[pk]))

    def photo(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.may_look(request)
        photo = get_object_or_404(Photo.objects.select_related("attempt__case"), pk=pk)
        looked(request, AuditEntry.Action.PHOTO_SEEN, photo.attempt.case, photo.pk)
        return picture(photo.jpeg)

    def clip_frame(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.may_look(request)
        frame = get_object_or_404(AttemptClipFrame.objects.select_related("attempt__case"), pk=pk)
        looked_at_clip(request, frame.attempt.case, frame.attempt.position)
        return picture(frame.jpeg)

    def portrait(self, request: HttpRequest, pk: int, case_id: str) -> HttpResponse:
        """Of the person of this case only."""
        self.may_look(request)
        case = get_object_or_404(Case, pk=case_id)
        portrait = get_object_or_404(Portrait, pk=pk, person__number=case.number)
        looked(request, AuditEntry.Action.PORTRAIT_SEEN, case, portrait.pk)
        return picture(portrait.jpeg)
