"""Registers the desk's pages; Django looks for them here."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin

from kiosk.office.desk import backups, cases, face_enrolments, fleet, records, roster  # noqa: F401  registers on import

admin.site.site_header = f"{settings.OFFICE.name} · 待遇资格认证审核台"
admin.site.site_title = settings.OFFICE.name
admin.site.index_title = "工作台"
admin.site.site_url = None
admin.site.enable_nav_sidebar = False  # the case page needs the width
