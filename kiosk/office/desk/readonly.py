"""Pages on which nothing can be added, changed or deleted, alone or in bulk."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not a generic at run time
    actions = None
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def picture(jpeg: bytes | memoryview) -> HttpResponse:
    """A photograph that no cache keeps."""
    return HttpResponse(bytes(jpeg), content_type="image/jpeg", headers={"Cache-Control": "no-store"})
