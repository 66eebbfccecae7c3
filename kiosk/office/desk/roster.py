"""The roster: looking up and correcting one person, importing a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from kiosk.office import audit
from kiosk.office.desk import withdrawal
from kiosk.office.desk.base import DeskAdmin
from kiosk.office.models import AuditEntry, Person
from kiosk.office.roster_file import COLUMNS
from kiosk.office.roster_import import import_roster


class ImportForm(forms.Form):
    file = forms.FileField(label="名册文件（XLSX 或 CSV）")
    write = forms.BooleanField(label="检查无误，正式导入", required=False)


@admin.register(Person)
class PersonAdmin(DeskAdmin):
    list_display = ("name", "number_shown", "district", "category", "next_due", "portrait_count", "active")
    list_filter = ("active", "district", "category", "next_due")
    search_fields = ("name", "number")
    search_help_text = "按姓名或身份证号查找"
    fields = ("number", "name", "district", "category", "next_due", "active")
    readonly_fields = ("number",)
    change_list_template = "office/people.html"

    @admin.display(description="身份证号")
    def number_shown(self, person: Person) -> str:
        return f"{person.number[:3]}***{person.number[-4:]}"

    @admin.display(description="照片")
    def portrait_count(self, person: Any) -> int:
        return int(person.portrait_count)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        people: QuerySet[Person] = super().get_queryset(request)
        return people.annotate(portrait_count=Count("portraits", filter=Q(portraits__retired=None)))

    def save_model(self, request: HttpRequest, obj: Person, form: forms.ModelForm[Person], change: bool) -> None:
        with transaction.atomic():
            obj.save_changed()
            audit.append(
                request.user.get_username(), AuditEntry.Action.PERSON_CHANGED, str(obj.pk), fields=",".join(form.changed_data),
            )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_list), name="office_person_import"),
            path("withdraw/", view(withdrawal.page), name="office_person_withdraw"),
            *super().get_urls(),
        ]

    def import_list(self, request: HttpRequest) -> HttpResponse:
        """Tried first; written only when the officer says so."""
        if not request.user.has_perm("office.import_person"):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        report = None
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data["file"].read()
            report = import_roster(data, None, None, request.user.get_username(), dry_run=not form.cleaned_data["write"])
        context = self.admin_site.each_context(request) | {
            "title": "导入名册", "opts": self.opts, "form": form, "report": report, "columns": list(COLUMNS),
        }
        return TemplateResponse(request, "office/import.html", context)
