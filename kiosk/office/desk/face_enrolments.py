"""待审核采集: enrolments of faces, and the page on which an officer takes one over or does not."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from kiosk.office.decision import counts
from kiosk.office.desk.base import picture
from kiosk.office.desk.handed_in import SCOPES, HandedInAdmin, looked, looked_at_clip
from kiosk.office.desk.liveness_words import shown
from kiosk.office.enrolment_decision import decide_enrolment
from kiosk.office.models import AuditEntry, EnrolmentClipFrame, FaceCapture, FaceEnrolment, Person, Portrait
from kiosk.office.withdrawal import may_keep


class EnrolmentForm(forms.Form):
    version = forms.IntegerField()
    verdict = forms.ChoiceField(choices=[("accept", "采用"), ("reject", "不采用")])
    retire = forms.BooleanField(required=False, label="停用旧照片")
    reason = forms.ChoiceField(
        required=False, choices=[("", "请选择原因"), *((reason, reason) for reason in settings.OFFICE.enrolment_reasons)],
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("verdict") == "reject" and not cleaned.get("reason"):
            self.add_error("reason", "不采用时要选择原因。")
        return cleaned


@admin.register(FaceEnrolment)
class FaceEnrolmentAdmin(HandedInAdmin):
    list_display = (
        "state_shown", "case_number", "name_shown", "number_shown", "remarks", "site", "captured", "officer", "decided",
    )
    list_filter = ("state", ("terminal__site", admin.AllValuesFieldListFilter), "captured", "simulated")

    @admin.display(description="姓名", ordering="name")
    def name_shown(self, one: FaceEnrolment) -> SafeString:
        mark = format_html(' <span class="simulated">模拟</span>') if one.simulated else ""
        return format_html("{}{}", one.name, mark)

    @admin.display(description="提示")
    def remarks(self, one: FaceEnrolment) -> str:
        apart = ["照片之间差别大"] if one.apart > one.apart_max else []
        alike = [f"相似人员 {len(one.lookalikes)} 人"] if one.lookalikes else []
        return "，".join(apart + alike) or "—"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("capture/<int:pk>/", view(require_GET(self.capture)), name="office_capture"),
            path("clip/<int:pk>/", view(require_GET(self.clip_frame)), name="office_enrolment_clip_frame"),
            path("portrait/<int:pk>/<str:enrolment_id>/", view(require_GET(self.portrait)), name="office_enrolment_portrait"),
            path("<str:pk>/decide/", view(require_POST(self.decide)), name="office_faceenrolment_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, _known(object_id), EnrolmentForm())

    def _page(self, request: HttpRequest, one: FaceEnrolment, form: EnrolmentForm, status: int = 200) -> HttpResponse:
        person = Person.objects.filter(number=one.number).first()
        waiting = FaceEnrolment.objects.filter(state=FaceEnrolment.State.PENDING).exclude(pk=one.pk).order_by("captured")
        context = self.admin_site.each_context(request) | {
            "title": f"采集 {one.case_number}", "opts": self.opts, "enrolment": one, "form": form, "person": person,
            "captures": one.captures.exclude(jpeg=b"").defer("jpeg", "vector"), "report": shown(one),
            "frames": one.clip.exclude(jpeg=b"").defer("jpeg"), "may_keep": may_keep(one),
            "portraits": _valid_first(person) if person else [],
            "too_far_apart": one.apart > one.apart_max, "alike": _alike(one),
            "scopes": [SCOPES.get(scope, scope) for scope in one.consent_scopes],
            "others": FaceEnrolment.objects.filter(number=one.number).exclude(pk=one.pk).order_by("-captured")[:5],
            "next": waiting.first(), "waiting": waiting.count(), "counts": counts(one),
            "may_see": request.user.has_perm("office.view_photo"),
            "may_decide": request.user.has_perm("office.decide_faceenrolment"),
        }
        return TemplateResponse(request, "office/face_enrolment.html", context, status=status)

    def decide(self, request: HttpRequest, pk: str) -> HttpResponse:
        officer = request.user
        if not officer.is_authenticated or not officer.has_perm("office.decide_faceenrolment"):
            raise PermissionDenied
        one, form = _known(pk), EnrolmentForm(request.POST)
        if not form.is_valid():
            return self._page(request, one, form, status=422)
        accepted, retire = form.cleaned_data["verdict"] == "accept", form.cleaned_data["retire"]
        reason = "" if accepted else form.cleaned_data["reason"]
        if decide_enrolment(pk, form.cleaned_data["version"], accepted, reason, retire, officer):
            messages.success(request, f"{one.case_number} 已审核：{'采用' if accepted else '不采用'}。")
        else:
            messages.error(request, "已被他人处理，您的操作没有生效。请看下面的审核结果。")
        return HttpResponseRedirect(reverse("admin:office_faceenrolment_change", args=[pk]))

    def capture(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.may_look(request)
        capture = get_object_or_404(FaceCapture.objects.select_related("enrolment"), pk=pk)
        looked(request, AuditEntry.Action.CAPTURE_SEEN, capture.enrolment, capture.pk)
        return picture(capture.jpeg)

    def clip_frame(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.may_look(request)
        frame = get_object_or_404(EnrolmentClipFrame.objects.select_related("enrolment"), pk=pk)
        looked_at_clip(request, frame.enrolment, frame.enrolment.pk)
        return picture(frame.jpeg)

    def portrait(self, request: HttpRequest, pk: int, enrolment_id: str) -> HttpResponse:
        """Of the person of this enrolment only."""
        self.may_look(request)
        one = _known(enrolment_id)
        portrait = get_object_or_404(Portrait, pk=pk, person__number=one.number)
        looked(request, AuditEntry.Action.PORTRAIT_SEEN, one, portrait.pk)
        return picture(portrait.jpeg)


def _known(pk: str) -> FaceEnrolment:
    return get_object_or_404(FaceEnrolment.objects.select_related("terminal", "officer", "envelope"), pk=pk)


def _valid_first(person: Person) -> QuerySet[Portrait]:
    kept = Portrait.objects.filter(person=person).exclude(jpeg=b"")
    return kept.order_by(F("retired").desc(nulls_first=True), "pk").defer("jpeg")


def _alike(one: FaceEnrolment) -> list[tuple[str, str, float]]:
    """Masked name (empty: no longer in the roster), last four of the number, distance."""
    numbers = [alike["number"] for alike in one.lookalikes]
    names = {person.number: person.masked_name for person in Person.objects.filter(number__in=numbers)}
    return [(names.get(alike["number"], ""), alike["number"][-4:], alike["distance"]) for alike in one.lookalikes]
