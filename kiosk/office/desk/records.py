"""What came in, what could not be opened, and who did what: to look at only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from kiosk.office.desk.base import ReadOnlyAdmin
from kiosk.office.models import AuditEntry, Envelope, OpeningFailure


@admin.register(Envelope)
class EnvelopeAdmin(ReadOnlyAdmin):
    list_display = fields = ("id", "terminal", "epoch", "seq", "level", "received")
    list_filter = ("level", "terminal", "received")
    search_fields = ("id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Envelope]:
        return super().get_queryset(request).defer("raw")


@admin.register(OpeningFailure)
class OpeningFailureAdmin(ReadOnlyAdmin):
    list_display = fields = ("envelope", "reason", "failures", "last_try", "next_try")
    list_filter = ("reason",)
    list_select_related = ("envelope",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = fields = ("n", "at", "actor", "action", "subject", "detail")
    list_filter = ("action", "at")
    search_fields = ("actor", "subject")
