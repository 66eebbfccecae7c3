"""What the desk's pages have in common: nothing is added, deleted or changed in bulk, most not at all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse


class DeskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not a generic at run time
    actions = None
    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.opts.verbose_name} | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(DeskAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def picture(jpeg: bytes | memoryview) -> HttpResponse:
    """A photograph; the admin site's own headers keep it out of caches. 410 for one that was erased."""
    if not jpeg:
        return HttpResponse("照片已按期清除", status=410)
    return HttpResponse(bytes(jpeg), content_type="image/jpeg")
