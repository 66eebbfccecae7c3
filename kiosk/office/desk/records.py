"""What came in, what could not be opened, and who did what: to look at only."""

from __future__ import annotations

import datetime as dt

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from kiosk.office.desk import bundles
from kiosk.office.desk.base import ReadOnlyAdmin
from kiosk.office.models import AuditEntry, Envelope, EnvelopePromotion, OpeningFailure


@admin.register(Envelope)
class EnvelopeAdmin(ReadOnlyAdmin):
    list_display = fields = ("id", "terminal", "epoch", "seq", "pieces", "level", "understood", "received")
    list_filter = ("level", "terminal", "received")
    search_fields = ("id",)
    change_list_template = "office/envelopes.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("bundle/", view(bundles.page), name="office_envelope_bundle"),
            path("bundle/back/", view(bundles.back), name="office_envelope_back"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Envelope]:
        return super().get_queryset(request).select_related("promotion").defer("raw", "receipt", "promotion__receipt")

    @admin.display(description="改为收妥")
    def understood(self, envelope: Envelope) -> dt.datetime | None:
        """When an envelope that had been held was promoted."""
        promotion: EnvelopePromotion | None = getattr(envelope, "promotion", None)
        return promotion.at if promotion else None


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
