"""Addresses: `/v1/…` for terminals, `/desk/` for officers."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from kiosk.office.api import api

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:office_case_changelist")),
    path("desk/", admin.site.urls),
    path("", api.urls),
]
