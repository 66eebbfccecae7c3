"""撤回同意: looked up by the whole number, shown first, done on a second word."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from kiosk.office.models import Person
from kiosk.office.withdrawal import held, withdraw


class WithdrawalForm(forms.Form):
    number = forms.RegexField(
        r"^[0-9]{17}[0-9X]$", label="身份证号", max_length=18, error_messages={"invalid": "请输入完整的18位身份证号。"},
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "text"}),
    )
    sure = forms.BooleanField(required=False, label="已核对本人身份，本人要求撤回同意")


def page(request: HttpRequest) -> HttpResponse:
    """The number travels by POST only: addresses end up in logs."""
    officer = request.user
    if not officer.is_authenticated or not officer.has_perm("office.withdraw_consent"):
        raise PermissionDenied
    form = WithdrawalForm(request.POST or None)
    found = None
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["number"]
        found = held(number)
        if found.known and form.cleaned_data["sure"]:
            was = withdraw(number, officer.get_username())
            waiting = f"，{len(was.waiting)} 件待审核的在审核后清除" if was.waiting else ""
            messages.success(request, f"已撤回：停用并清除留存照片 {was.portraits} 张、特征 {was.templates} 组，"
                                      f"清除 {len(was.cases) + len(was.enrolments)} 件的现场照片{waiting}。")
            return HttpResponseRedirect(reverse("admin:office_person_withdraw"))
    context = admin.site.each_context(request) | {
        "title": "撤回同意", "opts": Person._meta, "form": form, "found": found,
    }
    return TemplateResponse(request, "office/withdrawal.html", context)
